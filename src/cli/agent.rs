//! `firedrill agent`: the part of a drill that lives in the cluster, until the run says stop or says nothing any more.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;

use super::args::Agent;
use super::{chain, complain, exit, say, signals};
use crate::agent::secret::Secret;
use crate::agent::{self, Ended, Names, Options, wire};

/// What nobody waits for any more at the end: lookups that hang in the resolver.
const FAREWELL: Duration = Duration::from_millis(100);

/// Runs `firedrill agent`.
pub(super) fn agent(args: &Agent) -> u8 {
    let secret = match secret(args) {
        Ok(secret) => secret,
        Err(sentence) => {
            complain(&format!("error: {sentence}\n"));
            return exit::BAD_INPUT;
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(work(args, secret));
            runtime.shutdown_timeout(FAREWELL);
            code
        }
        Err(error) => {
            complain(&format!("error: cannot start a runtime: {error}\n"));
            exit::WORLD_BROKE
        }
    }
}

fn secret(args: &Agent) -> Result<Secret, String> {
    let path = args.secret_file.display();
    let text = std::fs::read_to_string(&args.secret_file)
        .map_err(|error| format!("cannot read {path}: {}", chain(&error)))?;
    Secret::new(&text).map_err(|error| format!("{path} holds no secret: {error}"))
}

async fn work(args: &Agent, secret: Secret) -> u8 {
    let stop = match signals::stop() {
        Ok(stop) => stop,
        Err(error) => {
            complain(&format!("error: cannot wait for signals: {error}\n"));
            return exit::WORLD_BROKE;
        }
    };
    let (listener, address) = match listen(args.listen).await {
        Ok(listening) => listening,
        Err(error) => {
            complain(&format!("error: cannot listen on {}: {error}\n", args.listen));
            return exit::BAD_INPUT;
        }
    };
    let service = || format!("{}.{}.svc:{}", wire::SERVICE, wire::NAMESPACE, address.port());
    let options = Options {
        secret,
        heartbeat: args.heartbeat,
        authority: args.receivers.clone().unwrap_or_else(service),
        names: args.target.map_or(Names::Cluster, Names::All),
    };
    say(&format!("the agent listens on http://{address}\n"));
    match agent::run(listener, options, stop).await {
        Ended::Stopped => say("the agent is gone\n"),
        Ended::Alone => {
            let silence = args.heartbeat.as_secs_f64();
            say(&format!("the agent is gone: nobody commanded it for {silence} s\n"))
        }
    }
}

/// Listens on all addresses of both IP versions where there are both, and of the one there is otherwise.
async fn listen(wanted: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = match TcpListener::bind(wanted).await {
        Err(error) if wanted.ip() == Ipv6Addr::UNSPECIFIED && error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, wanted.port())).await?
        }
        listening => listening?,
    };
    let address = listener.local_addr()?;
    Ok((listener, address))
}

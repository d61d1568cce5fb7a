//! The program around the server: arguments, environment, signals, exit codes.
//!
//! Exit codes: 0 stopped as told · 1 could not listen · 2 bad arguments or environment · else what the fault's crash says.

use std::io::{self, Write};
use std::process::ExitCode;

use fake_app::server::{Config, Exit, Server, bind};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const HELP: &str = "\
A server that is exactly as bad as it is asked to be.

Usage: fake-app [serve]
       fake-app --help | --version

Environment:
  FAULT           what is wrong, as JSON: {\"errors\": {\"rate\": \"8%\", \"status\": 503}}
  BASE_LATENCY    the latency of a healthy answer, as JSON       [{\"p50\": \"5ms\", \"p95\": \"12ms\", \"p99\": \"25ms\"}]
  REVISION        what x-revision says on every answer           [unknown]
  PORTS           ports to listen on, with commas                [8080]
  FAULT_TOKEN     who knows it may PUT /fault; without it nobody may
  METRICS         metric profiles, with commas, or a JSON list   [micrometer,http]
                  (micrometer, http, istio, nginx-ingress, grpc, {\"custom\": {...}})
  METRIC_LABELS   who the server is, for profiles that say it, as a JSON object
  LIVENESS_PATHS  paths that a kubelet asks for liveness, beside those that contain 'live'
  LINGER          how long to go on serving, unready, after SIGTERM  [0s]
  DRAIN           how long to wait for answers in flight after that  [20s]
  SEED            makes the draws repeatable
  RUST_LOG        what to log, to standard error                 [info]

Paths: /actuator/health[/readiness|/liveness], /actuator/prometheus, /metrics, /fault; any other path answers under the fault.
";

enum Command {
    Serve,
    Help,
    Version,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(Command::Serve) => serve(),
        Ok(Command::Help) => say(HELP),
        Ok(Command::Version) => say(concat!("fake-app ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(message) => complain(2, &message),
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Command, String> {
    let command = match args.next().as_deref() {
        None | Some("serve") => Command::Serve,
        Some("--help" | "-h" | "help") => Command::Help,
        Some("--version" | "-V") => Command::Version,
        Some(other) => return Err(format!("unknown argument {other:?}; see --help")),
    };
    match args.next() {
        None => Ok(command),
        Some(extra) => {
            Err(format!("unexpected argument {extra:?}; settings are environment variables, see --help"))
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the rim, where the environment is read")]
fn serve() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
    let config = match Config::read(|name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(errors) => {
            return complain(2, &errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(1, &format!("the runtime did not start: {error}")),
    };
    let code = runtime.block_on(listen_and_run(config));
    // Answers that were cut off, by a crash or the end of the drain, are not waited for.
    runtime.shutdown_background();
    code
}

async fn listen_and_run(config: Config) -> ExitCode {
    let ports = config.ports.clone();
    let server = match Server::new(config) {
        Ok(server) => server,
        Err(error) => return complain(2, &error.to_string()),
    };
    let mut stop = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => {
            return complain(1, &format!("signals cannot be received: {error}"));
        }
    };
    let mut listeners = Vec::new();
    for port in ports {
        match bind(port).await {
            Ok(listener) => {
                tracing::info!(
                    port = listener.local_addr().map_or(port, |address| address.port()),
                    "listening"
                );
                listeners.push(listener);
            }
            Err(error) => return complain(1, &format!("cannot listen on port {port}: {error}")),
        }
    }
    let stopped = async {
        tokio::select! {
            _ = stop.0.recv() => {}
            _ = stop.1.recv() => {}
        }
        tracing::info!("stopping");
    };
    let exit = server.run(listeners, stopped).await;
    tracing::info!(?exit, "gone");
    match exit {
        Exit::Drained | Exit::CutOff => ExitCode::SUCCESS,
        Exit::Crashed(code) => ExitCode::from(code),
    }
}

/// A closed pipe is the reader's choice and no failure.
fn say(text: &str) -> ExitCode {
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn complain(code: u8, message: &str) -> ExitCode {
    for line in message.lines() {
        let _ = writeln!(io::stderr(), "fake-app: {line}");
    }
    ExitCode::from(code)
}

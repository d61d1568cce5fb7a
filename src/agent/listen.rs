//! Accepting connections, what one of them may cost, and letting go of them.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Agent, door};

/// So many connections at once: an API server's proxy and a notification controller need a few.
const MOST: usize = 512;
/// How long the head of a request may take, and how long a connection may be idle before it. Longer than Go's clients
/// keep an idle connection (90 s, net/http `DefaultTransport`): were it closed from here, a delivery could be lost to
/// a connection that is closing.
const HEAD: Duration = Duration::from_secs(100);
/// How long to wait when the machine has no more sockets.
const BREATH: Duration = Duration::from_millis(100);
/// How long answers that are under way may take at the end.
const FAREWELL: Duration = Duration::from_millis(500);

/// Accepts connections until `stop` comes, and then lets those that are answered go.
pub(super) async fn accept<T>(listener: TcpListener, agent: Arc<Agent>, stop: impl Future<Output = T>) -> T {
    let (close, closed) = watch::channel(());
    let mut connections = JoinSet::new();
    let stopped = {
        let mut accepting = pin!(welcome(&listener, &agent, &mut connections, &closed));
        let mut stop = pin!(stop);
        tokio::select! {
            biased;
            stopped = stop.as_mut() => stopped,
            never = accepting.as_mut() => match never {},
        }
    };
    // What is sent ends before who is asked about it does.
    agent.quiet();
    drop(listener);
    drop(close);
    let _ = timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
    stopped
}

async fn welcome(
    listener: &TcpListener,
    agent: &Arc<Agent>,
    connections: &mut JoinSet<()>,
    closed: &watch::Receiver<()>,
) -> std::convert::Infallible {
    let free = Arc::new(Semaphore::new(MOST));
    loop {
        let slot = Arc::clone(&free).acquire_owned().await.expect("the semaphore is never closed");
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let (agent, closed) = (Arc::clone(agent), closed.clone());
        connections.spawn(async move {
            let _slot = slot;
            converse(stream, agent, closed).await;
        });
    }
}

/// One connection from beginning to end.
async fn converse(stream: TcpStream, agent: Arc<Agent>, mut closed: watch::Receiver<()>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed by the network");
    }
    let service = service_fn(move |request| door::open(Arc::clone(&agent), request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        biased;
        ended = serving.as_mut() => ended,
        _ = closed.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

//! Accepting connections, and what one of them may cost.
//!
//! Every connection has a deadline for its handshake and for each request's head, and there are only so many at once:
//! one that is never finished, or finished a byte at a time, costs a slot for that long and nothing else.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::gate::Gate;

/// What a client may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections there may be; a watch takes one.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the head of a request may take, and how long a connection may be idle before it.
    pub head: Duration,
    /// How long a request may take until its answer begins.
    pub request: Duration,
}

impl Default for Limits {
    /// As an API server has them (k8s.io/apiserver v0.34 `pkg/server/secure_serving.go`, `config.go`).
    fn default() -> Limits {
        Limits {
            connections: 5_000,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(32),
            request: Duration::from_secs(60),
        }
    }
}

/// How long to wait when the machine has no more sockets.
const BREATH: Duration = Duration::from_millis(100);

/// How long a client has to read our last word.
const LINGER: Duration = Duration::from_millis(500);

/// Accepts connections for ever.
pub(super) async fn accept(listener: TcpListener, acceptor: TlsAcceptor, gate: Gate, limits: Limits) {
    let free = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let Ok(slot) = Arc::clone(&free).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let (acceptor, gate) = (acceptor.clone(), gate.clone());
        connections.spawn(async move {
            let _slot = slot;
            if let Err(error) = converse(stream, &acceptor, gate, limits).await {
                tracing::debug!(error, "a connection ended badly");
            }
        });
    }
}

/// One connection from handshake to end.
async fn converse(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    gate: Gate,
    limits: Limits,
) -> Result<(), String> {
    // Watch events are small and should not wait for each other.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let shaken = tokio::time::timeout(limits.handshake, acceptor.accept(stream)).await;
    let stream = shaken.map_err(|_| "no handshake in time")?.map_err(|error| error.to_string())?;
    let service = TowerToHyperService::new(
        gate.map_request(|request: http::Request<_>| request.map(axum::body::Body::new)),
    );
    let mut served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), service);
    let ended = (&mut served).await.map_err(|error| error.to_string());
    let (mut socket, _) = served.into_parts().io.into_inner().into_inner();
    linger(&mut socket).await;
    ended
}

/// Reads and forgets what the client still sends after our last word.
///
/// A socket that is closed with something unread in it is reset, and a reset takes the answer away from a client that
/// has not read it yet: a head refused for its length would be told nothing.
/// Go's server waits as long (`net/http` 1.26 `server.go`, `rstAvoidanceDelay`).
async fn linger(socket: &mut TcpStream) {
    let _ = tokio::time::timeout(LINGER, tokio::io::copy(socket, &mut tokio::io::sink())).await;
}

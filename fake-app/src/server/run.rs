//! From the first connection to the last: listening, stopping, crashing.
//!
//! Told to stop, the server calls itself unready at once, goes on serving for `linger` (so that whoever routes to it can notice), then
//! accepts nothing new and gives answers in flight up to `drain` to finish. A crash waits for nobody.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::Server;

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Told to stop, and everybody was answered.
    Drained,
    /// Told to stop, and somebody was still waiting when the time was up.
    CutOff,
    /// The fault said so, with this exit code.
    Crashed(u8),
}

/// Listens on a port on all addresses, of both IP versions where there are both. Port 0 is any free one.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await,
    }
}

impl Server {
    /// Serves until `stop` comes, or the fault says crash.
    pub async fn run(self, listeners: Vec<TcpListener>, stop: impl Future<Output = ()>) -> Exit {
        let (close, closed) = watch::channel(());
        let mut serving = self.serve(listeners, &closed);
        tokio::select! {
            exit = self.crash() => return exit,
            () = stop => self.state.stop(),
        }
        let leave = async {
            sleep(self.state.config.linger).await;
            // Whoever waits for a change also sees that nobody can make one any more.
            drop(close);
            match timeout(self.state.config.drain, async { while serving.join_next().await.is_some() {} })
                .await
            {
                Ok(()) => Exit::Drained,
                Err(_) => Exit::CutOff,
            }
        };
        tokio::select! {
            exit = self.crash() => exit,
            exit = leave => exit,
        }
    }

    fn serve(&self, listeners: Vec<TcpListener>, closed: &watch::Receiver<()>) -> JoinSet<()> {
        let mut serving = JoinSet::new();
        for listener in listeners {
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "answers may be delayed by the network");
                }
            });
            let mut closed = closed.clone();
            let server = axum::serve(listener, self.router()).with_graceful_shutdown(async move {
                let _ = closed.changed().await;
            });
            serving.spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "a listener failed");
                }
            });
        }
        serving
    }

    /// Comes back when the fault in force, which may change meanwhile, says that the process ends.
    async fn crash(&self) -> Exit {
        let mut changes = self.state.changes();
        loop {
            let crash = self.state.active().crash();
            let due = async {
                match crash {
                    Some((at, code)) => {
                        sleep_until(at).await;
                        code
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                code = due => return Exit::Crashed(code),
                Ok(()) = changes.changed() => {}
            }
        }
    }
}

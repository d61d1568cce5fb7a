//! One connection to a server, and what can go wrong on it.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The header by which a server says which revision it is.
const REVISION: &str = "x-revision";
/// A revision longer than this is none.
const LONGEST_REVISION: usize = 128;

/// An open connection. Dropping it closes it, whatever is under way.
pub(super) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody took the connection.
    Refused,
    /// It was cut off, or what came over it is no HTTP.
    Reset,
    /// It was closed before anything was sent on it: the request may go on another.
    Stale,
    /// We have no socket or port left.
    Destitute(io::Error),
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Connection, Failure> {
        let stream = TcpStream::connect(address).await.map_err(refusal)?;
        // A client that closes first keeps the port for a minute, and at one connection per request there are no more
        // ports after half a minute. Closing by a reset keeps none; whoever is reset has been read to the end.
        let prepared = stream.set_nodelay(true).and_then(|()| stream.set_zero_linger());
        prepared.map_err(|_| Failure::Reset)?;
        let shaken = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|_| Failure::Reset)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection ended badly");
            }
        });
        Ok(Connection { sender, driver })
    }

    /// Whether another request can go on it.
    pub(super) async fn is_usable(&mut self) -> bool {
        !self.sender.is_closed() && self.sender.ready().await.is_ok()
    }

    /// Sends a request and reads its answer to the end. Answers the status; who answers is written down as soon as it
    /// is known, for those who do not wait for the end.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Empty<Bytes>>,
        revision: &mut String,
    ) -> Result<u16, Failure> {
        let answer = self.sender.try_send_request(request).await.map_err(|mut error| {
            if error.take_message().is_some() { Failure::Stale } else { Failure::Reset }
        })?;
        let status = answer.status().as_u16();
        *revision = revision_of(&answer);
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            frame.map_err(|_| Failure::Reset)?;
        }
        Ok(status)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn revision_of(answer: &Response<Incoming>) -> String {
    let value = answer.headers().get(REVISION).and_then(|value| value.to_str().ok()).unwrap_or("");
    if value.len() > LONGEST_REVISION { String::new() } else { value.to_owned() }
}

/// What a connection that failed means: the server's trouble or ours.
fn refusal(error: io::Error) -> Failure {
    // Descriptors of the process and of the machine, ports, buffers.
    let wanting = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS];
    let ours = wanting.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    if ours { Failure::Destitute(error) } else { Failure::Refused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_lack_is_not_held_against_the_server() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS] {
            assert!(matches!(refusal(errno.into()), Failure::Destitute(_)), "{errno}");
        }
        for errno in [Errno::CONNREFUSED, Errno::HOSTUNREACH, Errno::NETUNREACH] {
            assert!(matches!(refusal(errno.into()), Failure::Refused), "{errno}");
        }
    }
}

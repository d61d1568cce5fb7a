//! The agent, whole: against servers and senders on loopback.
//!
//! Time is real here, since sockets are. What is asserted holds on a machine that is busy with other things: counts and
//! lower bounds, and upper bounds only where an agent that is wrong misses them by far.

mod agreement;
mod doors;
mod receivers;
mod traffic;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep, timeout};

use super::secret::Secret;
use super::wire::{Connections, Load, Observed, SECRET_HEADER, Second, Tally};
use super::{Ended, Names, Options, run};
use crate::engine;

const SECRET: &str = "a-secret-of-this-run";
/// What takes longer than this never ends.
const NEVER: Duration = Duration::from_secs(30);

fn secret() -> Secret {
    Secret::new(SECRET).unwrap()
}

/// An agent on loopback; dropping it ends it.
struct Pod {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Ended>,
}

impl Pod {
    async fn start(names: Names) -> Pod {
        Pod::with_heartbeat(names, NEVER).await
    }

    async fn with_heartbeat(names: Names, heartbeat: Duration) -> Pod {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let options = Options { secret: secret(), heartbeat, authority: address.to_string(), names };
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        Pod { address, stop: Some(stop), running: tokio::spawn(run(listener, options, stopped)) }
    }

    /// An agent that sends to this address.
    async fn sending_to(address: SocketAddr) -> Pod {
        Pod::start(Names::All(address)).await
    }

    /// The engine's own client, through what stands for the API server's proxy.
    fn client(&self) -> engine::agent::Agent {
        let address = self.address;
        let proxy = tower::service_fn(move |request| forward(address, request));
        engine::agent::Agent::new(kube::Client::new(proxy, "default")).with_secret(secret())
    }

    /// What it saw, once that many seconds are over.
    async fn seconds(&self, count: usize) -> Vec<Second> {
        self.until(|observed| observed.seconds.len() >= count).await.seconds
    }

    async fn until(&self, came: impl Fn(&Observed) -> bool) -> Observed {
        let client = self.client();
        let wait = async {
            loop {
                let observed = client.observed(0, 0).await.unwrap();
                if came(&observed) {
                    return observed;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(NEVER, wait).await.expect("it is seen in time")
    }

    async fn stop(mut self) -> Ended {
        self.stop.take();
        timeout(NEVER, self.ended()).await.expect("it ends in time")
    }

    async fn ended(&mut self) -> Ended {
        (&mut self.running).await.unwrap()
    }

    fn sink(&self, rest: &str) -> String {
        format!("/sink/{}{rest}", secret().token())
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.running.abort();
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

/// As the API server's service proxy does: takes its own part off the path and passes the rest on.
async fn forward(
    address: SocketAddr,
    request: Request<kube::client::Body>,
) -> Result<Response<Full<Bytes>>, Error> {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().ok_or("no path")?.as_str();
    let base = "/api/v1/namespaces/firedrill/services/firedrill-agent/proxy";
    head.uri = path.strip_prefix(base).ok_or("not for the agent")?.parse()?;
    head.headers.remove("authorization");
    let body = Full::new(body.collect().await?.to_bytes());
    send(address, Request::from_parts(head, body)).await
}

async fn send(
    address: SocketAddr,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Full<Bytes>>, Error> {
    request.headers_mut().insert("host", address.to_string().parse()?);
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    driver.abort();
    Ok(Response::from_parts(head, Full::new(body)))
}

/// One request with these headers: the status and the body.
async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(u16, String), Error> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = send(address, request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?).await?;
    let status = answer.status().as_u16();
    Ok((status, String::from_utf8(answer.into_body().collect().await?.to_bytes().to_vec())?))
}

fn load(rate: f64, connections: Connections) -> Load {
    Load {
        namespace: "shop".to_owned(),
        service: "server-svc".to_owned(),
        port: 80,
        path: "/".to_owned(),
        method: "GET".to_owned(),
        headers: [("x-drill".to_owned(), "yes".to_owned())].into(),
        rate,
        slo: Duration::from_secs(5),
        timeout: Duration::from_secs(10),
        connections,
        router: None,
    }
}

/// All seconds in one, by revision.
fn sum(seconds: &[Second]) -> std::collections::BTreeMap<String, Tally> {
    let mut all = std::collections::BTreeMap::<String, Tally>::new();
    for (revision, tally) in seconds.iter().flat_map(|second| &second.by) {
        let sum = all.entry(revision.clone()).or_default();
        sum.sent += tally.sent;
        sum.harmed += tally.harmed;
        sum.refused += tally.refused;
        sum.reset += tally.reset;
        sum.timed_out += tally.timed_out;
        sum.slow += tally.slow;
        for (status, count) in &tally.errors {
            *sum.errors.entry(*status).or_default() += count;
        }
    }
    all
}

/// Something that listens on loopback; dropping it ends it, and every connection it has.
struct Listening {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Listening {
    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Does this with every connection.
async fn listening<F, T>(treat: F) -> Listening
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        let mut treated = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            treated.spawn(treat(stream));
        }
    });
    Listening { address, connections, task: task.abort_handle() }
}

/// Nobody listens here.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// fake-app as this revision, with a fault and an exact latency.
async fn fake_app(revision: &str, fault: &str, latency: &str) -> SocketAddr {
    let latency = format!(r#"{{"distribution":{{"constant":"{latency}"}}}}"#);
    let config = fake_app::server::Config {
        fault: serde_json::from_str(fault).unwrap(),
        base_latency: serde_json::from_str(&latency).unwrap(),
        revision: revision.to_owned(),
        ..fake_app::server::Config::default()
    };
    let server = fake_app::server::Server::new(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // It goes with the runtime of its test.
    tokio::spawn(server.run(vec![listener], std::future::pending()));
    address
}

/// Reads a request's head; `None` when nothing comes any more.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Answers well, as revision `raw`.
async fn answer(stream: &mut TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-revision: raw\r\ncontent-length: 0\r\n\r\n").await;
}

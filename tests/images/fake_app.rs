//! The fake-app image, run by Docker as a careful cluster runs it: nothing can be written, no capability is left.
//!
//! Needs a Docker and the image, and says so where one is missing: this crate is only run where both are meant to be.
//!
//! ```sh
//! deploy/images/build && cargo test --manifest-path tests/images/Cargo.toml
//! deploy/kind/test-images   # or, with the drill ground up: against the Docker that it runs in
//! ```

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::query_parameters::TopOptionsBuilder;
use testcontainers::core::{ContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const NAME: &str = "firedrill/fake-app";
const TAG: &str = "dev";
const PORT: ContainerPort = ContainerPort::Tcp(8080);

/// The Docker that testcontainers will use, when it is there and has the image.
async fn docker() -> Docker {
    let docker = Docker::connect_with_defaults().unwrap_or_else(|error| no_docker(&error));
    if let Err(error) = docker.ping().await {
        no_docker(&error);
    }
    if let Err(error) = docker.inspect_image(&format!("{NAME}:{TAG}")).await {
        panic!("Docker has no image {NAME}:{TAG}; deploy/images/build makes it ({error})");
    }
    docker
}

fn no_docker(error: &Error) -> ! {
    panic!("these tests run containers, and no Docker answers; DOCKER_HOST says where it is: {error}")
}

async fn start(env: &[(&str, &str)]) -> ContainerAsync<GenericImage> {
    docker().await;
    let mut request = GenericImage::new(NAME, TAG)
        .with_exposed_port(PORT)
        .with_wait_for(WaitFor::message_on_stderr("listening"))
        .with_readonly_rootfs(true)
        .with_cap_drop("ALL")
        .with_security_opt("no-new-privileges");
    for (name, value) in env {
        request = request.with_env_var(*name, *value);
    }
    request.start().await.expect("the container starts and fake-app listens")
}

/// One kept connection. Where the container's port is published is Docker's affair.
struct Client(SendRequest<Empty<Bytes>>);

impl Client {
    async fn to(app: &ContainerAsync<GenericImage>) -> Self {
        let host = app.get_host().await.unwrap().to_string();
        let port = app.get_host_port_ipv4(PORT).await.unwrap();
        let stream = TcpStream::connect((host, port)).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn get(&mut self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).header("host", "fake-app").body(Empty::new()).unwrap();
        let answer = self.0.send_request(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn the_image_is_small_and_its_user_is_a_number() {
    let image = docker().await.inspect_image(&format!("{NAME}:{TAG}")).await.unwrap();
    let size = image.size.unwrap();
    assert!((1..=25_000_000).contains(&size), "{size} bytes");
    assert_eq!(image.config.unwrap().user.as_deref(), Some("65532:65532"));
}

#[tokio::test]
async fn nobody_in_it_is_root() {
    let app = start(&[]).await;
    let users = TopOptionsBuilder::new().ps_args("-eo pid,uid").build();
    let top = docker().await.top_processes(app.id(), Some(users)).await.unwrap();
    let uids: Vec<_> = top.processes.unwrap().into_iter().map(|process| process[1].clone()).collect();
    assert_eq!(uids, ["65532"]);
}

#[tokio::test]
async fn it_serves_with_a_read_only_root_and_no_capabilities() {
    let app = start(&[("REVISION", "v2")]).await;
    let host = docker().await.inspect_container(app.id(), None).await.unwrap().host_config.unwrap();
    assert_eq!(host.readonly_rootfs, Some(true));
    assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));

    let mut client = Client::to(&app).await;
    assert_eq!(client.get("/pay").await.0, StatusCode::OK);
    assert_eq!(
        client.get("/actuator/health/readiness").await,
        (StatusCode::OK, r#"{"status":"UP"}"#.to_owned())
    );
}

const CONNECTIONS: u64 = 10;
const EACH: u64 = 500;

/// The answers to many requests: how many were 200, how many 503.
async fn load(app: &ContainerAsync<GenericImage>) -> (u64, u64) {
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut client = Client::to(app).await;
        clients.spawn(async move {
            let mut failed = 0;
            for _ in 0..EACH {
                match client.get("/pay").await.0 {
                    StatusCode::OK => {}
                    StatusCode::SERVICE_UNAVAILABLE => failed += 1,
                    other => panic!("{other} is no part of the fault"),
                }
            }
            failed
        });
    }
    let failed: u64 = clients.join_all().await.into_iter().sum();
    (CONNECTIONS * EACH - failed, failed)
}

/// What the server says of itself: answers to `/pay` with this status.
fn counted(metrics: &str, status: &str) -> u64 {
    metrics
        .lines()
        .filter(|line| line.starts_with("http_server_requests_seconds_count{"))
        .filter(|line| line.contains(r#"uri="/pay""#) && line.contains(&format!(r#"status="{status}""#)))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum()
}

#[tokio::test]
async fn it_fails_as_often_as_it_is_asked_to_and_counts_every_answer() {
    let app = start(&[("FAULT", r#"{"errors": {"rate": "8%", "status": 503}}"#), ("SEED", "1")]).await;
    let (ok, failed) = load(&app).await;

    // 99.9 % of a normal distribution, around 400 of 5000.
    let (n, p) = (5000.0_f64, 0.08);
    let (middle, slack) = (n * p, 3.29 * (n * p * (1.0 - p)).sqrt());
    let credible = (middle - slack) as u64..=(middle + slack) as u64;
    assert!(credible.contains(&failed), "{failed} failed, not {credible:?}");

    let (_, metrics) = Client::to(&app).await.get("/actuator/prometheus").await;
    assert_eq!((counted(&metrics, "200"), counted(&metrics, "503")), (ok, failed));
}

#[tokio::test]
async fn sigterm_ends_it_within_two_seconds() {
    let app = start(&[]).await;
    Client::to(&app).await.get("/pay").await;
    // Docker sends SIGTERM, and kills whatever is there after two seconds: that would be exit code 137.
    app.stop_with_timeout(Some(2)).await.unwrap();
    assert_eq!(app.exit_code().await.unwrap(), Some(0));
}

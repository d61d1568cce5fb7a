//! The server asked without a socket.

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use tower::ServiceExt;

use super::*;
use crate::duration::GoDuration;
use crate::fault::{Fault, Latency};

fn server(fault: &str) -> Server {
    started(fault, |_| {})
}

fn started(fault: &str, adjust: impl FnOnce(&mut Config)) -> Server {
    let fault: Fault = serde_json::from_str(fault).unwrap();
    let base_latency = Latency::constant(GoDuration::default());
    let mut config = Config {
        fault,
        base_latency,
        revision: "v2".to_owned(),
        token: Some("secret".to_owned()),
        seed: Some(1),
        ..Config::default()
    };
    adjust(&mut config);
    Server::new(config).unwrap()
}

async fn ask(server: &Server, request: Request<Body>) -> Response<Body> {
    server.router().oneshot(request).await.unwrap()
}

async fn get(server: &Server, path: &str) -> (StatusCode, String) {
    text(ask(server, Request::get(path).body(Body::empty()).unwrap()).await).await
}

async fn text(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn probe(server: &Server, path: &str) -> u16 {
    let request = Request::get(path).header("user-agent", "kube-probe/1.34").body(Body::empty()).unwrap();
    ask(server, request).await.status().as_u16()
}

async fn put(server: &Server, authorization: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let request = Request::put("/fault").header("authorization", authorization).body(body.into()).unwrap();
    text(ask(server, request).await).await
}

#[tokio::test]
async fn any_path_and_method_answers_and_names_the_revision() {
    let server = server("{}");
    for (method, path) in [("GET", "/"), ("POST", "/a/b?c=d"), ("DELETE", "/actuator"), ("BREW", "/pot")] {
        let request = Request::builder().method(method).uri(path).body(Body::from("ignored")).unwrap();
        let response = ask(&server, request).await;
        assert_eq!(response.headers()["x-revision"], "v2");
        assert_eq!(
            text(response).await,
            (StatusCode::OK, "{\"status\":200,\"revision\":\"v2\"}\n".to_owned())
        );
    }
}

#[tokio::test]
async fn the_fault_decides_the_status_of_its_cohort() {
    let server = server(
        r#"{"errors": {"rate": "100%", "status": 503, "cohort": {"header": {"name": "x-user", "value": "beta"}}}}"#,
    );
    let beta = Request::get("/").header("X-User", "beta").body(Body::empty()).unwrap();
    assert_eq!(ask(&server, beta).await.status(), 503);
    assert_eq!(get(&server, "/").await.0, 200);
}

#[tokio::test]
async fn an_onset_after_requests_counts_requests() {
    let server = server(r#"{"errors": {"rate": 1}, "onset": {"after-requests": 2}}"#);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(get(&server, "/").await.0.as_u16());
    }
    assert_eq!(seen, [200, 200, 500, 500]);
}

#[tokio::test]
async fn the_latency_is_waited_for() {
    let server = server(r#"{"latency": {"distribution": {"constant": "30ms"}}}"#);
    let start = crate::clock::now();
    get(&server, "/").await;
    assert!(start.elapsed().as_millis() >= 30);
}

#[tokio::test]
async fn probes_are_known_by_who_asks_whatever_the_path() {
    let unready = server(r#"{"errors": {"rate": 1}, "readiness": "never"}"#);
    assert_eq!(
        (probe(&unready, "/").await, probe(&unready, "/anything").await, probe(&unready, "/livez").await),
        (503, 503, 200)
    );
    let dead = started(r#"{"liveness": {"fail-after": "0s"}}"#, |config| {
        config.liveness_paths = vec!["/ok".to_owned()]
    });
    assert_eq!(
        (probe(&dead, "/ok").await, probe(&dead, "/readyz").await, probe(&dead, "/livez").await),
        (503, 200, 503)
    );
}

#[tokio::test]
async fn health_speaks_as_the_actuator_does() {
    let server = server(r#"{"readiness": "never"}"#);
    let health = async |path: &str| get(&server, path).await;
    assert_eq!(health("/actuator/health/liveness").await, (StatusCode::OK, r#"{"status":"UP"}"#.to_owned()));
    let out = (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"OUT_OF_SERVICE"}"#.to_owned());
    assert_eq!(health("/actuator/health/readiness").await, out);
    assert_eq!(health("/actuator/health").await, out);
}

#[tokio::test]
async fn a_stopping_server_wants_no_traffic_and_keeps_no_connection() {
    let server = server("{}");
    server.state.stop();
    assert_eq!(get(&server, "/actuator/health/readiness").await.0, 503);
    let response = ask(&server, Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (response.status(), &response.headers()["connection"]),
        (StatusCode::OK, &"close".parse().unwrap())
    );
}

#[tokio::test]
async fn metrics_count_answers_but_neither_probes_nor_scrapes() {
    let server = server(r#"{"errors": {"rate": 1, "status": 503, "exception": "Boom"}}"#);
    get(&server, "/pay?token=1").await;
    get(&server, "/actuator/health").await;
    probe(&server, "/").await;
    for path in ["/actuator/prometheus", "/metrics", "/metrics"] {
        let (status, text) = get(&server, path).await;
        assert_eq!(status, 200);
        let counts: Vec<&str> =
            text.lines().filter(|line| line.starts_with("http_server_requests_seconds_count")).collect();
        let expect = r#"http_server_requests_seconds_count{error="Boom",exception="Boom",method="GET",outcome="SERVER_ERROR",status="503",uri="/pay"} 1"#;
        assert_eq!(counts, [expect]);
    }
}

#[tokio::test]
async fn the_fault_can_be_read_and_with_the_token_changed() {
    let server = server("{}");
    assert_eq!(get(&server, "/fault").await, (StatusCode::OK, "{}".to_owned()));
    let fault = r#"{"errors":{"rate":1.0,"status":502}}"#;
    assert_eq!(put(&server, "bearer secret", fault).await, (StatusCode::OK, fault.to_owned()));
    assert_eq!(get(&server, "/fault").await.1, fault);
    assert_eq!(get(&server, "/").await.0, 502);
}

#[tokio::test]
async fn nobody_else_changes_the_fault() {
    let server = server("{}");
    for authorization in
        ["", "Bearer", "Bearer ", "Bearer wrong!", "Basic secret", "secret", "Bearer secretx"]
    {
        assert_eq!(put(&server, authorization, "{}").await.0, 401, "{authorization}");
    }
    let closed = started("{}", |config| config.token = None);
    assert_eq!(put(&closed, "Bearer secret", "{}").await.0, 403);
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_refused_and_the_old_one_stays() {
    let server = server(r#"{"errors": {"rate": 1}}"#);
    let change = async |body: String| put(&server, "Bearer secret", body).await;
    assert_eq!(change("{".to_owned()).await.0, 400);
    assert_eq!(change(r#"{"hang": {}}"#.to_owned()).await.0, 400);
    assert_eq!(change(" ".repeat(65 << 10)).await.0, 413);
    let (status, message) = change(r#"{"errors": {"rate": 8}}"#.to_owned()).await;
    assert_eq!(
        (status.as_u16(), message.as_str()),
        (422, "errors.rate: a rate of 8 is not a share of all requests (write 8%)\n")
    );
    assert_eq!(get(&server, "/").await.0, 500);
}

#[tokio::test]
async fn bodies_are_read_and_forgotten_within_reason() {
    let server = server("{}");
    let post = |size: usize| Request::post("/").body(Body::from(vec![0; size])).unwrap();
    assert_eq!(ask(&server, post(1 << 20)).await.status(), 200);
    assert_eq!(ask(&server, post(17 << 20)).await.status(), 413);
}

#[test]
fn a_configuration_that_makes_no_sense_starts_nothing() {
    let fault = serde_json::from_str(r#"{"errors": {"rate": 8}}"#).unwrap();
    let error = Server::new(Config { fault, ..Config::default() }).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the configuration makes no sense: errors.rate: a rate of 8 is not a share of all requests (write 8%)"
    );
}

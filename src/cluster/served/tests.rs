//! What a connection may cost, with limits short enough to be met.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::*;
use crate::clock::Moment;

const SHORT: Duration = Duration::from_millis(150);
/// As good as never, for a test.
const LONG: Duration = Duration::from_secs(60);

const GENEROUS: Limits = Limits { connections: 100, handshake: LONG, head: LONG, request: LONG };

async fn served(limits: Limits) -> Served {
    let settings = crate::drill::empty(1, Moment::VIRTUAL_EPOCH);
    let plan = Plan { settings, port: 0, speed: NonZeroU32::MIN, objects: vec![], load: None, limits };
    serve(plan).await.expect("a free port")
}

/// A connection, and the header line that lets it in.
async fn connect(served: &Served) -> (TlsStream<TcpStream>, String) {
    let config: Value = serde_json::from_str(served.kubeconfig()).expect("JSON");
    let authority =
        config["clusters"][0]["cluster"]["certificate-authority-data"].as_str().expect("an authority");
    let authority = crate::base64::decode(authority).expect("base64");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&authority).expect("PEM")).expect("a certificate");
    let tls = ClientConfig::builder_with_provider(std::sync::Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(served.address()).await.expect("it listens");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream =
        TlsConnector::from(std::sync::Arc::new(tls)).connect(name, socket).await.expect("a handshake");
    let token = config["users"][0]["user"]["token"].as_str().expect("a token");
    (stream, format!("Authorization: Bearer {token}\r\n"))
}

/// Everything until the other side closes.
async fn rest(mut stream: impl AsyncReadExt + Unpin) -> String {
    let mut bytes = vec![];
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let served = served(Limits { handshake: SHORT, ..GENEROUS }).await;
    let socket = TcpStream::connect(served.address()).await.expect("it listens");
    assert_eq!(rest(socket).await, "");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let served = served(Limits { head: SHORT, ..GENEROUS }).await;
    let (mut stream, _) = connect(&served).await;
    stream.write_all(b"GET /version HTTP/1.1\r\nHost: tw").await.expect("written");
    let answer = rest(stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_answered() {
    let served = served(Limits { request: SHORT, ..GENEROUS }).await;
    let (mut stream, authorization) = connect(&served).await;
    let head = format!(
        "POST /api/v1/namespaces HTTP/1.1\r\nHost: twin\r\n{authorization}Content-Length: 100\r\nConnection: close\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 504");
}

#[tokio::test]
async fn there_are_only_so_many_connections() {
    let served = served(Limits { connections: 1, handshake: SHORT, ..GENEROUS }).await;
    let first = TcpStream::connect(served.address()).await.expect("it listens");
    // It is let in only once the first, which never speaks, has lost its place.
    let (mut second, _) = connect(&served).await;
    second
        .write_all(b"GET /version HTTP/1.1\r\nHost: twin\r\nConnection: close\r\n\r\n")
        .await
        .expect("written");
    assert!(rest(second).await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(first).await, "");
}

#[tokio::test]
async fn every_process_has_secrets_of_its_own() {
    let (one, other) = (served(GENEROUS).await, served(GENEROUS).await);
    let secrets = |served: &Served| {
        let config: Value = serde_json::from_str(served.kubeconfig()).expect("JSON");
        (
            config["users"][0]["user"]["token"].clone(),
            config["clusters"][0]["cluster"]["certificate-authority-data"].clone(),
        )
    };
    let ((token, authority), (other_token, other_authority)) = (secrets(&one), secrets(&other));
    assert!(token != other_token && authority != other_authority);
    assert_eq!(token.as_str().map(str::len), Some(64));
}

#[tokio::test]
async fn objects_are_stocked_and_unknown_kinds_are_told() {
    let objects = vec![
        serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}),
        serde_json::json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}}),
    ];
    let plan = Plan {
        settings: crate::drill::empty(1, Moment::VIRTUAL_EPOCH),
        port: 0,
        speed: NonZeroU32::MIN,
        objects,
        load: None,
        limits: GENEROUS,
    };
    let served = serve(plan).await.expect("a free port");
    assert_eq!(served.left_out(), ["PodDisruptionBudget b"]);
    let (mut stream, authorization) = connect(&served).await;
    let head = format!(
        "GET /api/v1/namespaces/shop/configmaps/a HTTP/1.1\r\nHost: twin\r\n{authorization}Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    assert!(rest(stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_object_that_is_refused_stops_everything() {
    let objects = vec![
        serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "-", "namespace": "default"}}),
    ];
    let plan = Plan {
        settings: crate::drill::empty(1, Moment::VIRTUAL_EPOCH),
        port: 0,
        speed: NonZeroU32::MIN,
        objects,
        load: None,
        limits: GENEROUS,
    };
    let error = serve(plan).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.starts_with("cannot create Service -: "), "{error}");
}

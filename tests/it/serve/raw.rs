//! HTTP by hand over TLS by hand: for what no decent client sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::Served;

/// What a kubeconfig knows.
pub(super) struct Client {
    pub(super) address: String,
    pub(super) token: String,
    tls: Arc<ClientConfig>,
}

pub(super) type Connection = StreamOwned<ClientConnection, TcpStream>;

impl Client {
    pub(super) fn of(served: &Served) -> Client {
        let text = std::fs::read_to_string(served.kubeconfig()).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        let cluster = &config["clusters"][0]["cluster"];
        let authority =
            firedrill::base64::decode(cluster["certificate-authority-data"].as_str().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Client {
            address: cluster["server"].as_str().unwrap().strip_prefix("https://").unwrap().to_owned(),
            token: config["users"][0]["user"]["token"].as_str().unwrap().to_owned(),
            tls: Arc::new(tls),
        }
    }

    pub(super) fn connect(&self) -> Connection {
        let socket = TcpStream::connect(&self.address).unwrap();
        // No answer within this is a failure, and not a test that hangs.
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name).unwrap(), socket)
    }

    /// One request with these header lines; the status and the whole answer.
    pub(super) fn send(&self, start: &str, headers: &[&str], body: &[u8]) -> (u16, String) {
        let mut connection = self.connect();
        let mut head = format!(
            "{start} HTTP/1.1\r\nHost: twin\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        // A server may have answered and closed before it was sent everything.
        let _ =
            connection.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| connection.write_all(body));
        let mut answer = vec![];
        let _ = connection.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        (code.unwrap_or_else(|| panic!("no answer to {start:.80}: {answer:?}")), answer)
    }

    pub(super) fn authorization(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }

    /// A request with the token; the status and the JSON.
    pub(super) fn json(&self, start: &str, media: &str, body: &[u8]) -> (u16, Value) {
        let (code, answer) =
            self.send(start, &[&self.authorization(), &format!("Content-Type: {media}")], body);
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        (code, serde_json::from_str(body).unwrap_or_default())
    }

    pub(super) fn get(&self, path: &str) -> (u16, Value) {
        self.json(&format!("GET {path}"), "application/json", b"")
    }
}

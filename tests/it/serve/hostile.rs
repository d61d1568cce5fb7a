//! What no client should send: it is answered as an API server would, and the next client notices nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tokio::time::sleep;

use super::Served;
use super::raw::{Client, Connection};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn check(client: &Client, start: &str, media: &str, body: &[u8], code: u16, reason: &str) {
    let (given, status) = client.json(start, media, body);
    let shown = &body[..body.len().min(40)];
    assert_eq!(
        (given, status["reason"].as_str()),
        (code, Some(reason)),
        "{start:.60} {media} {shown:?}: {status}"
    );
    assert_eq!((&status["kind"], &status["status"]), (&"Status".into(), &"Failure".into()));
}

#[test]
fn nobody_comes_in_without_the_token() {
    let served = Served::start("token", &[]);
    let client = Client::of(&served);
    let wrong = format!("Authorization: Bearer {}x", &client.token[1..]);
    let basic = format!("Authorization: Basic {}", client.token);
    for headers in [vec![], vec![wrong.as_str()], vec![basic.as_str()], vec!["Authorization: Bearer "]] {
        for path in ["/api", MAPS, "/apis/argoproj.io/v1alpha1/rollouts", "/openapi/v3", "/healthzz", "/"] {
            let (code, answer) = client.send(&format!("GET {path}"), &headers, b"");
            assert_eq!(code, 401, "{path} {headers:?}");
            assert!(answer.contains(r#""reason":"Unauthorized""#), "{answer}");
        }
        for path in ["/healthz", "/livez", "/readyz", "/readyz/ping", "/version"] {
            assert_eq!(client.send(&format!("GET {path}"), &headers, b"").0, 200, "{path}");
        }
    }
}

#[test]
fn bodies_that_make_no_sense_are_refused() {
    let served = Served::start("bodies", &[]);
    let client = Client::of(&served);
    let post = format!("POST {MAPS}");
    let deep = "[".repeat(100_000);
    let doubled = |n: usize| format!("k{}: &k{} [*k{n}, *k{n}, *k{n}, *k{n}]\n", n + 1, n + 1);
    let bomb = format!("k0: &k0 [x]\n{}", (0..30).map(doubled).collect::<String>());
    let nested = format!("a: {}", "[".repeat(50_000));
    for (media, body) in [
        ("application/json", &b"{"[..]),
        ("application/json", b"\xff\xfe\x00"),
        ("application/json", b"[1, 2]"),
        ("application/json", b"null"),
        ("application/json", deep.as_bytes()),
        ("application/yaml", b"a: b: c"),
        ("application/yaml", b"\xff\xfe"),
        ("application/yaml", b"a: 1\n---\nb: 2\n"),
        ("application/yaml", nested.as_bytes()),
        ("application/yaml", bomb.as_bytes()),
        ("application/vnd.kubernetes.protobuf", b""),
        ("application/vnd.kubernetes.protobuf", b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("application/vnd.kubernetes.protobuf", b"k8s\0\x12\x7fx"),
    ] {
        check(&client, &post, media, body, 400, "BadRequest");
    }
    for media in ["text/plain", "application/xml", "multipart/form-data; boundary=x", ";;;"] {
        check(&client, &post, media, b"{}", 415, "UnsupportedMediaType");
    }
    check(&client, &post, "application/json", &vec![b' '; 3 * 1024 * 1024 + 1], 413, "RequestEntityTooLarge");
    let accept = [client.authorization(), "Accept: application/vnd.kubernetes.protobuf".to_owned()];
    let (code, _) = client.send(&format!("GET {MAPS}"), &accept.each_ref().map(String::as_str), b"");
    assert_eq!(code, 406);
    assert_eq!(client.get("/api").0, 200);
}

#[test]
fn heads_that_never_end_are_refused() {
    let served = Served::start("heads", &[]);
    let client = Client::of(&served);
    let long = "x".repeat(100_000);
    assert_eq!(client.send(&format!("GET {MAPS}?labelSelector={long}"), &[], b"").0, 414);
    let query = "&a=b".repeat(10_000);
    assert_eq!(client.get(&format!("{MAPS}?limit=1{query}")).0, 200);
    assert_eq!(client.get(&format!("{MAPS}?limit=x")).0, 400);
    let header = format!("X-Long: {}", "x".repeat(600_000));
    assert_eq!(client.send("GET /version", &[&header], b"").0, 431);
    let many: Vec<String> = (0..2_000).map(|n| format!("X-{n}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(client.send("GET /version", &many, b"").0, 431);
    let (code, _) = client.send("GET /version", &["Transfer-Encoding: nonsense"], b"");
    assert_eq!(code, 400);
    assert_eq!(client.get("/api").0, 200);
}

#[tokio::test]
async fn who_is_still_talking_hears_the_refusal() {
    let served = Served::start("talking", &[]);
    let mut connection = Client::of(&served).connect();
    connection.write_all(format!("GET /api HTTP/1.1\r\nX-Long: {}", "x".repeat(500_000)).as_bytes()).unwrap();
    // By now it is refused; what follows would be answered with a reset by a socket closed at once.
    sleep(Duration::from_millis(100)).await;
    connection.write_all(&[b'x'; 100_000]).unwrap();
    sleep(Duration::from_millis(100)).await;
    let mut answer = vec![];
    let _ = connection.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn what_is_no_tls_gets_no_further() {
    let served = Served::start("plain", &[]);
    let client = Client::of(&served);
    for bytes in
        [&b"GET /version HTTP/1.1\r\nHost: twin\r\n\r\n"[..], b"\0\0\0\0\0\0\0\0", b"\x16\x03\x01\xff\xff"]
    {
        let mut socket = TcpStream::connect(&client.address).unwrap();
        socket.write_all(bytes).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = vec![];
        let _ = socket.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    assert_eq!(client.get("/api").0, 200);
}

#[test]
fn connections_that_say_nothing_are_in_nobodys_way() {
    let served = Served::start("silent", &[]);
    let client = Client::of(&served);
    let silent: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(&client.address).unwrap()).collect();
    let mut slow: Vec<Connection> = (0..20).map(|_| client.connect()).collect();
    for connection in &mut slow {
        connection.write_all(b"GET /api HTTP/1.1\r\nHo").unwrap();
    }
    assert_eq!(client.get("/api").0, 200);
    assert_eq!((silent.len(), slow.len()), (300, 20));
}

/// How much memory a process has, in MiB; `None` where nobody tells.
fn memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

#[test]
fn two_thousand_watches_hear_of_a_change_in_bounded_memory() {
    const WATCHES: usize = 2_000;
    let served = Served::start("watches", &[]);
    let client = Client::of(&served);
    let request =
        format!("GET {MAPS}?watch=true HTTP/1.1\r\nHost: twin\r\n{}\r\n\r\n", client.authorization());
    let open = |_| {
        let mut connection = client.connect();
        connection.write_all(request.as_bytes()).unwrap();
        BufReader::new(connection)
    };
    let mut watches: Vec<BufReader<Connection>> = (0..WATCHES).map(open).collect();
    let body = br#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"news"}}"#;
    // Each has been answered, so each is in place before the change.
    for watch in &mut watches {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            assert!(watch.read_line(&mut line).unwrap() > 0);
        }
    }
    assert_eq!(client.json(&format!("POST {MAPS}"), "application/json", body).0, 201);
    for watch in &mut watches {
        let (mut size, mut line) = (String::new(), String::new());
        watch.read_line(&mut size).unwrap();
        watch.read_line(&mut line).unwrap();
        assert!(line.starts_with(r#"{"type":"ADDED""#) && line.contains("news"), "{size} {line}");
    }
    if let Some(memory) = memory(served.process.id()) {
        assert!(memory < 300, "{WATCHES} watches take {memory} MiB");
    }
}

//! The program as a process: signals, exit codes, and bytes that are no HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use fake_app::fault::Draw;

/// A running server; killed when the test is over.
struct App {
    child: Child,
    log: BufReader<ChildStderr>,
    port: u16,
}

impl App {
    fn start(env: &[(&str, &str)]) -> Self {
        let mut command = program(env);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let port = listening(&mut log);
        Self { child, log, port }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn terminate(&self) {
        let killed = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
    }

    fn wait(mut self) -> (ExitStatus, String) {
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), log)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-app"));
    command
        .env_clear()
        .env("PORTS", "0")
        .env("REVISION", "v2")
        .env("RUST_LOG", "info")
        .envs(env.iter().copied());
    command
}

/// The log names the port that port 0 became.
fn listening(log: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        if let Some((_, port)) = line.split_once("port=") {
            return port.trim().parse().unwrap();
        }
    }
    panic!("it does not listen: {line}");
}

fn output(args: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let output = program(env).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn it_answers_on_a_socket_under_its_fault() {
    let app = App::start(&[("FAULT", r#"{"errors": {"rate": 1, "status": 503}}"#)]);
    let answer = app.get("/");
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    assert!(answer.contains("x-revision: v2\r\n"), "{answer}");
    assert!(answer.ends_with("{\"status\":503,\"revision\":\"v2\"}\n"), "{answer}");
}

#[test]
fn told_to_stop_it_answers_who_is_waiting_and_leaves_with_zero() {
    let app = App::start(&[("FAULT", r#"{"latency": {"distribution": {"constant": "500ms"}}}"#)]);
    let mut waiting = app.connect();
    write!(waiting, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    // Another request that is answered at once proves that the first one was received: connections are accepted in order.
    while !app.get("/fault").starts_with("HTTP/1.1 200") {}
    app.terminate();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
    let (status, log) = app.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("exit=Drained"), "{log}");
}

#[test]
fn while_it_lingers_it_serves_and_calls_itself_unready() {
    let app = App::start(&[("LINGER", "2s")]);
    assert!(app.get("/actuator/health/readiness").starts_with("HTTP/1.1 200"));
    app.terminate();
    while app.get("/actuator/health/readiness").starts_with("HTTP/1.1 200") {}
    assert!(app.get("/").starts_with("HTTP/1.1 200"));
    assert_eq!(app.wait().0.code(), Some(0));
}

#[test]
fn a_drain_has_an_end() {
    let app =
        App::start(&[("FAULT", r#"{"latency": {"distribution": {"constant": "1h"}}}"#), ("DRAIN", "100ms")]);
    let mut waiting = app.connect();
    write!(waiting, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert!(app.get("/fault").starts_with("HTTP/1.1 200"));
    app.terminate();
    let (status, log) = app.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("exit=CutOff"), "{log}");
}

#[test]
fn a_crash_leaves_the_asked_code() {
    let app = App::start(&[("FAULT", r#"{"crash": {"after": "50ms", "exit-code": 137}}"#)]);
    assert_eq!(app.wait().0.code(), Some(137));
}

#[test]
fn a_crash_can_be_asked_for_later() {
    let app = App::start(&[("FAULT_TOKEN", "t")]);
    let fault = r#"{"crash": {"after": "1ms"}}"#;
    let mut stream = app.connect();
    write!(
        stream,
        "PUT /fault HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\ncontent-length: {}\r\n\r\n{fault}",
        fault.len()
    )
    .unwrap();
    assert_eq!(app.wait().0.code(), Some(1));
}

#[test]
fn arguments_and_environment_are_checked_first() {
    let (code, out, _) = output(&["--help"], &[]);
    assert!(code == Some(0) && out.contains("FAULT_TOKEN"), "{out}");
    assert_eq!(output(&["-V"], &[]).1, concat!("fake-app ", env!("CARGO_PKG_VERSION"), "\n"));
    let refused = |args: &[&str], env: &[(&str, &str)], expect: &str| {
        let (code, _, err) = output(args, env);
        assert_eq!((code, err.trim_end()), (Some(2), expect));
    };
    refused(&["worker"], &[], r#"fake-app: unknown argument "worker"; see --help"#);
    refused(
        &["serve", "-p"],
        &[],
        r#"fake-app: unexpected argument "-p"; settings are environment variables, see --help"#,
    );
    refused(
        &[],
        &[("PORTS", "x"), ("SEED", "y")],
        "fake-app: PORTS: \"x\" is not a port\nfake-app: SEED: it is not a whole number",
    );
    refused(
        &[],
        &[("FAULT", r#"{"errors": {"rate": 8}}"#)],
        "fake-app: the configuration makes no sense: errors.rate: a rate of 8 is not a share of all requests (write 8%)",
    );
}

#[test]
fn a_taken_port_is_said_and_ends_it() {
    let app = App::start(&[]);
    let (code, _, err) = output(&[], &[("PORTS", &app.port.to_string())]);
    assert_eq!(code, Some(1));
    assert!(err.contains(&format!("cannot listen on port {}", app.port)), "{err}");
}

#[test]
fn bytes_that_are_no_http_do_no_harm() {
    let app =
        App::start(&[("BASE_LATENCY", r#"{"distribution": {"constant": "0s"}}"#), ("FAULT_TOKEN", "t")]);
    for n in 0..300 {
        let mut stream = app.connect();
        // The server may have hung up on the garbage before it was all written.
        let _ = stream.write_all(&garbage(n));
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let first = String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned();
        assert!(
            answer.is_empty()
                || ["HTTP/1.1 2", "HTTP/1.1 4", "HTTP/1.0 2", "HTTP/1.0 4"]
                    .iter()
                    .any(|ok| first.starts_with(ok)),
            "{n}: {first}"
        );
    }
    assert!(app.get("/").starts_with("HTTP/1.1 200"));
    app.terminate();
    let (status, log) = app.wait();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

#[test]
fn garbage_is_told_that_it_is_garbage() {
    let app = App::start(&[]);
    for bytes in [
        &b"GET\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    ] {
        let mut stream = app.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer:?}");
    }
}

#[test]
fn many_at_once_are_all_answered() {
    let app = App::start(&[("BASE_LATENCY", r#"{"distribution": {"constant": "20ms"}}"#)]);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..50).map(|_| scope.spawn(|| app.get("/"))).collect();
        for client in clients {
            assert!(client.join().unwrap().starts_with("HTTP/1.1 200"));
        }
    });
}

/// A request with a few bytes changed, or bytes altogether.
fn garbage(n: u64) -> Vec<u8> {
    const REQUESTS: [&str; 4] = [
        "GET /a?b HTTP/1.1\r\nhost: x\r\n\r\n",
        "PUT /fault HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\ncontent-length: 28\r\n\r\n{\"errors\":{\"rate\":\"100000%\"}}",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET /metrics HTTP/1.0\r\nuser-agent: kube-probe/x\r\n\r\n",
    ];
    let mut luck = (0..).map(|i| Draw::nth(n, i).0);
    let mut next = |below: usize| luck.next().map_or(0, |number| (number % below as u64) as usize);
    if n.is_multiple_of(5) {
        return {
            let size = next(2000);
            (0..size).map(|_| next(256) as u8).collect()
        };
    }
    let mut bytes = REQUESTS[next(4)].as_bytes().to_vec();
    for _ in 0..next(6) {
        let at = next(bytes.len());
        bytes[at] = next(256) as u8;
    }
    bytes
}

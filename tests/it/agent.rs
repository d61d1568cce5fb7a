//! The agent as a process: what it says, what it refuses, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use crate::support::Folder;

const SECRET: &str = "a-secret-of-this-run";

fn command(secret_file: &std::path::Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
    command.args(["-vv", "agent", "--listen", "127.0.0.1:0", "--secret-file"]).arg(secret_file).args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running agent, and the address it told.
struct Agent {
    process: Child,
    out: BufReader<std::process::ChildStdout>,
    address: String,
    _folder: Folder,
}

impl Agent {
    fn start(args: &[&str]) -> Agent {
        let folder = Folder::new("agent");
        let path = folder.write("secret", format!("{SECRET}\n"));
        let mut process = command(&path, args).spawn().unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("the agent listens on http://").unwrap().to_owned();
        Agent { process, out, address, _folder: folder }
    }

    /// The first line of the answer.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Waits for its end: whether it ended well, and everything it said.
    fn end(mut self) -> (bool, String) {
        let mut said = String::new();
        self.out.read_to_string(&mut said).unwrap();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap().success(), said)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn it_ends_well_when_it_is_told_to_and_never_says_its_secret() {
    for signal in ["-TERM", "-INT"] {
        let agent = Agent::start(&[]);
        let clock = format!("GET /clock HTTP/1.1\r\nhost: a\r\nx-firedrill-secret: {SECRET}\r\n\r\n");
        assert_eq!(agent.ask(&clock), "HTTP/1.1 200 OK");
        assert_eq!(agent.ask("GET /clock HTTP/1.1\r\nhost: a\r\n\r\n"), "HTTP/1.1 401 Unauthorized");
        assert_eq!(agent.ask("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"), "HTTP/1.1 200 OK");
        let sent = Command::new("kill").args([signal, &agent.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let (well, said) = agent.end();
        assert!(well && said.contains("the agent is gone"), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}

#[test]
fn it_ends_by_itself_when_nobody_commands_it() {
    let (well, said) = Agent::start(&["--heartbeat", "300ms"]).end();
    assert!(well && said.contains("nobody commanded it for 0.3 s"), "{said}");
}

fn refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(why), "{said}");
}

#[test]
fn what_it_cannot_start_with_is_bad_input() {
    let folder = Folder::new("agent-input");
    let short = folder.write("short", "hunter2\n");
    let output = command(&short, &[]).output().unwrap();
    refused(&output, "shorter than 16 characters");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    let secret = folder.write("secret", SECRET);
    refused(&command(&folder.0.join("nothing"), &[]).output().unwrap(), "cannot read");
    refused(&command(&secret, &["--heartbeat", "0s"]).output().unwrap(), "no time at all");
    refused(&command(&secret, &["--heartbeat", "1d"]).output().unwrap(), "heartbeat");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
    command.args(["agent", "--listen", &address, "--secret-file"]).arg(&secret);
    refused(&command.output().unwrap(), &format!("cannot listen on {address}"));
}

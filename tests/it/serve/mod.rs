//! `firedrill serve` with real programs on the other side: kubectl when it is there, and Argo's plugin and controller
//! when `FIREDRILL_ARGO_PLUGIN` and `FIREDRILL_ARGO_CONTROLLER` name them. What is skipped says so.
//!
//! Plugin and controller are built from the module github.com/argoproj/argo-rollouts v1.9.1:
//! `go build ./cmd/kubectl-argo-rollouts` and `go build ./cmd/rollouts-controller`.

mod controller;
mod ground;
mod hostile;
mod kubectl;
mod plugin;
mod process;
mod raw;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{Folder, root};

/// A served twin in a process of its own, ended by SIGTERM.
struct Served {
    process: Child,
    folder: Folder,
    greeting: String,
}

/// How a program ended.
struct Ran {
    ok: bool,
    out: String,
    err: String,
}

impl Ran {
    /// What it printed, if it ended well.
    #[track_caller]
    fn well(self) -> String {
        assert!(self.ok, "it ended badly:\n{}\n{}", self.out, self.err);
        self.out
    }

    /// What it complained about, if it ended badly.
    #[track_caller]
    fn badly(self) -> String {
        assert!(!self.ok, "it ended well:\n{}", self.out);
        self.err
    }
}

impl Served {
    /// `firedrill serve`, from the moment its kubeconfig is there.
    fn start(name: &str, args: &[&str]) -> Served {
        let folder = Folder::new(name);
        let mut process = Command::new(env!("CARGO_BIN_EXE_firedrill"))
            .current_dir(root())
            .arg("serve")
            .arg("--kubeconfig")
            .arg(folder.0.join("kubeconfig"))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("firedrill runs");
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            let line = lines.next().expect("it says how it goes away").expect("text");
            greeting.push_str(&line);
            greeting.push('\n');
        }
        Served { process, folder, greeting }
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.0.join("kubeconfig")
    }

    /// A program that finds this twin, and has a home of its own for its caches.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env("KUBECONFIG", self.kubeconfig()).env("HOME", &self.folder.0).current_dir(&self.folder.0);
        command
    }

    fn run(&self, program: &Path, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn kubectl(&self, args: &[&str]) -> Ran {
        self.run(Path::new("kubectl"), args, "")
    }

    /// kubectl with a manifest on its standard input: `-f -`.
    fn kubectl_with(&self, args: &[&str], manifest: &str) -> Ran {
        self.run(Path::new("kubectl"), args, manifest)
    }

    /// Waits until a Rollout's phase is this one.
    #[track_caller]
    fn wait_for_phase(&self, rollout: &str, phase: &str) {
        let condition = format!("--for=jsonpath={{.status.phase}}={phase}");
        self.kubectl(&["wait", rollout, &condition, "--timeout=30s"]).well();
    }

    /// Ends it as a person or a supervisor does, and answers whether it ended well.
    fn stop(&mut self, signal: &str) -> bool {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        sent.is_ok_and(|status| status.success()) && self.process.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) && !self.stop("-TERM") {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// Whether kubectl is there; says so if not.
fn has_kubectl(test: &str) -> bool {
    let found = Command::new("kubectl")
        .args(["version", "--client"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        skipped(test, "kubectl is not on the PATH");
    }
    found
}

/// The program that an environment variable names; says so if there is none.
fn program(test: &str, variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        skipped(test, &format!("{variable} names no program"));
    }
    path
}

#[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
fn skipped(test: &str, why: &str) {
    eprintln!("SKIPPED: {test}: {why}");
}

/// A blue-green Rollout with its Services, running this image.
fn shop(image: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Service
metadata: {{name: shop}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: shop-preview}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: shop}}}}
  strategy: {{blueGreen: {{activeService: shop, previewService: shop-preview, scaleDownDelaySeconds: 5}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec: {{containers: [{{name: shop, image: "{image}", ports: [{{containerPort: 8080}}]}}]}}
"#
    )
}

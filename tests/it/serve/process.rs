//! The process itself: what it writes, says and leaves behind. No program but ours is needed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::Served;
use crate::support::Folder;

#[test]
fn the_kubeconfig_is_its_owners_and_goes_with_the_process() {
    for signal in ["-INT", "-TERM"] {
        let mut served = Served::start("goes", &[]);
        let path = served.kubeconfig();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(served.greeting.contains("kubectl get rollouts -A"), "{}", served.greeting);
        assert!(served.stop(signal), "it ends well on {signal}");
        assert!(!path.exists(), "{signal}");
    }
}

#[test]
fn a_file_of_somebody_else_is_not_overwritten() {
    let folder = Folder::new("overwrite");
    let path = folder.write("kubeconfig", "apiVersion: v1\nkind: Config\n");
    let output = Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(["serve", "--kubeconfig"])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(fs::read_to_string(&path).unwrap().contains("kind: Config"));
}

#[test]
fn a_port_that_is_taken_is_bad_input() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = Folder::new("taken");
    let path = folder.0.join("kubeconfig");
    let serve = ["serve", "--port", &port, "--kubeconfig"];
    let output = Command::new(env!("CARGO_BIN_EXE_firedrill")).args(serve).arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("cannot listen on 127.0.0.1:{port}")));
    assert!(!path.exists());
}

#[test]
fn a_scenario_is_on_stage_with_its_release() {
    let served = Served::start("stage", &["scenarios/errors-roll-back.yaml", "--speed", "50"]);
    assert!(served.greeting.contains("50 times faster"), "{}", served.greeting);
    assert!(served.greeting.contains("patch rollout server --type json"), "{}", served.greeting);
    let rollout = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/server";
    let (code, object) = super::raw::Client::of(&served).get(rollout);
    assert_eq!((code, &object["metadata"]["name"]), (200, &"server".into()));
}

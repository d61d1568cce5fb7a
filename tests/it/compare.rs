//! `firedrill compare`: runs that agree, runs that do not, and folders that are none.

use std::process::{Command, Output, Stdio};

use crate::support::{Folder, root};

fn firedrill(folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
    command.args(args).current_dir(&folder.0).env("NO_COLOR", "1").env_remove("FIREDRILL_LOG");
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs a scenario of the repository into `<out>/<scenario>`.
fn run(folder: &Folder, scenario: &str, seed: &str, out: &str) {
    let path = root().join("scenarios").join(format!("{scenario}.yaml"));
    let ran = firedrill(folder, &["run", path.to_str().unwrap(), "--quiet", "--seed", seed, "--out", out]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

fn compare(folder: &Folder, args: &[&str]) -> String {
    let output = firedrill(folder, &[&["compare"], args].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    format!("exit {}\n{}{}", output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn two_runs_side_by_side() {
    let folder = Folder::new("compare");
    run(&folder, "errors-roll-back", "1", "one");
    run(&folder, "errors-roll-back", "2", "two");
    run(&folder, "never-ready-takes-no-traffic", "1", "one");
    let (one, two) = ("one/errors-roll-back", "two/errors-roll-back");
    let said = [
        compare(&folder, &[one, two]),
        compare(&folder, &[one, "one/never-ready-takes-no-traffic"]),
        compare(&folder, &[one, "nowhere"]),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

//! Bad input is met with one clear diagnostic and the right exit code: the real binary, as people call it.

use std::process::{Command, Output, Stdio};

use crate::support::{Folder, root};

const SCENARIO: &str = include_str!("../../scenarios/errors-roll-back.yaml");

/// A folder with the policy and the scenario beside it.
fn desk(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.policy(&root().join("deploy/server"));
    folder.write("it.yaml", SCENARIO.replace("../deploy/server", "policy"));
    folder
}

fn firedrill(folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
    command.args(args).current_dir(&folder.0).env("NO_COLOR", "1").env_remove("FIREDRILL_LOG");
    command.stdin(Stdio::null()).output().unwrap()
}

/// Calls the program and answers its exit code and what it says, as people see it.
fn say(folder: &Folder, args: &[&str]) -> String {
    let output = firedrill(folder, args);
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(!talk.contains("panicked"), "{talk}");
    format!("exit {}\n{talk}", output.status.code().unwrap())
}

/// What a run of the scenario says after one edit of a file of the policy.
fn edited(file: &str, from: &str, to: &str) -> String {
    let folder = desk("edited");
    folder.edit(file, from, to);
    say(&folder, &["run", "it.yaml"])
}

/// What a run says of a scenario.
fn scenario(text: impl AsRef<[u8]>) -> String {
    let folder = desk("scenario");
    folder.write("it.yaml", text);
    say(&folder, &["run", "it.yaml"])
}

/// What a run says after one edit of the scenario.
fn misspelt(from: &str, to: &str) -> String {
    let text = SCENARIO.replace("../deploy/server", "policy");
    assert!(text.contains(from), "the scenario does not hold {from:?}");
    scenario(text.replace(from, to))
}

macro_rules! told {
    ($($name:ident: $said:expr;)*) => { $(
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), $said);
        }
    )* };
}

told! {
    a_missing_file: say(&desk("missing"), &["run", "nowhere.yaml"]);
    an_empty_folder: say(&Folder::new("empty"), &["run", "."]);
    a_folder_without_scenarios: say(&desk("none"), &["run", "policy"]);
    a_file_in_the_way_of_the_output: say(&desk("way"), &["run", "it.yaml", "--out", "it.yaml"]);
    an_empty_scenario: scenario("");
    a_scenario_that_is_no_text: scenario([b'n', b'a', b'm', b'e', 0xff, 0xfe, 0x00]);
    a_scenario_that_is_too_large: scenario(format!("name: x\nabout: {}\n", "y".repeat(10 << 20)));
    an_alias_bomb: scenario(bomb());
    a_tree_that_is_too_deep: scenario(format!("name: {}", "[".repeat(5_000)));
    an_unknown_key: misspelt("traffic:", "trafic:");
    an_unknown_moment: misspelt("after: detected", "after: detection");
    a_window_that_is_no_duration: misspelt("within: 3m", "within: three minutes");
    a_share_that_is_no_share: misspelt("rate: 8%", "rate: 800%");
    a_kind_nearly_right: edited("rollout.yaml", "kind: Rollout", "kind: Rolout");
    a_field_nearly_right: edited("rollout.yaml", "autoPromotionEnabled", "autoPromotionEnable");
    two_strategies: edited("rollout.yaml", "    blueGreen:", "    canary: {steps: [{setWeight: 20}]}\n    blueGreen:");
    a_canary: edited("rollout.yaml", "    blueGreen:\n", "    canary:\n");
    a_service_that_is_not_there: edited("services.yaml", "name: server-svc", "name: server-scv");
    no_rollout_at_all: edited("rollout.yaml", "kind: Rollout", "kind: Deployment");
    a_rollout_of_another_name: misspelt("rollout: server", "rollout: servr");
    a_policy_that_is_not_there: misspelt("manifests: [policy]", "manifests: [polcy]");
    a_service_nobody_notifies_by: misspelt("by: slack", "by: slak");
    an_unknown_code: say(&Folder::new("explain"), &["explain", "FD01"]);
    an_unknown_flag: say(&Folder::new("flag"), &["run", "--sed", "3"]);
    no_runs: say(&Folder::new("repeat"), &["run", "--repeat", "0"]);
}

/// Each line ten times the one before.
fn bomb() -> String {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for nth in 1..12 {
        let again = vec![format!("*a{}", nth - 1); 10].join(", ");
        text.push_str(&format!("a{nth}: &a{nth} [{again}]\n"));
    }
    text
}

fn code(folder: &Folder, args: &[&str]) -> i32 {
    firedrill(folder, args).status.code().unwrap()
}

#[test]
fn exit_0_when_all_pass() {
    assert_eq!(code(&desk("pass"), &["run", "it.yaml"]), 0);
}

#[test]
fn exit_1_when_one_fails() {
    let folder = desk("fail");
    folder.edit("analysis.yaml", "failureLimit: 3", "failureLimit: 6");
    assert_eq!(code(&folder, &["run", "it.yaml"]), 1);
}

#[test]
fn exit_3_when_one_is_inconclusive_and_none_fails() {
    let folder = desk("inconclusive");
    folder.edit("rollout.yaml", "autoPromotionEnabled: true", "autoPromotionEnabled: false");
    assert_eq!(code(&folder, &["run", "it.yaml"]), 3);
}

#[test]
fn exit_4_when_the_world_refuses() {
    let folder = desk("world");
    // A boolean is no condition to an API server, which refuses the object.
    folder.edit("analysis.yaml", "len(result) > 0 && result[0] <= 0.02", "true");
    assert_eq!(code(&folder, &["run", "it.yaml"]), 4);
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let folder = desk("pipe");
    for args in [&["schema"][..], &["man"], &["completions", "bash"], &["run", "it.yaml"], &["--help"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
        command.args(args).current_dir(&folder.0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(!talk.contains("panicked") && output.status.code() == Some(0), "{args:?}: {talk}");
    }
}

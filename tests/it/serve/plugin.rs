//! `kubectl argo rollouts`, as Argo's people built it, against the twin's imitation of their controller.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{Ran, Served, has_kubectl, program, shop};

/// A twin with the shop on it, paused before the switch of every update.
fn paused_shop(name: &str) -> Served {
    let twin = Served::start(name, &["--speed", "20"]);
    let manifest = shop("shop:1").replace("blueGreen: {", "blueGreen: {autoPromotionEnabled: false, ");
    twin.kubectl_with(&["apply", "-f", "-"], &manifest).well();
    twin.wait_for_phase("ro/shop", "Healthy");
    twin
}

struct Plugin<'a> {
    program: PathBuf,
    twin: &'a Served,
}

impl Plugin<'_> {
    fn run(&self, args: &[&str]) -> Ran {
        self.twin.run(&self.program, args, "")
    }

    #[track_caller]
    fn says(&self, args: &[&str], wanted: &str) {
        let out = self.run(args).well();
        assert!(out.contains(wanted), "no {wanted:?} in\n{out}");
    }

    /// An update, up to its pause.
    #[track_caller]
    fn update(&self, image: &str) {
        self.says(&["set", "image", "shop", &format!("shop={image}")], "image updated");
        self.twin.wait_for_phase("ro/shop", "Paused");
    }
}

#[test]
fn a_release_is_promoted_aborted_retried_and_undone() {
    let test = "a_release_is_promoted_aborted_retried_and_undone";
    let Some(program) = program(test, "FIREDRILL_ARGO_PLUGIN").filter(|_| has_kubectl(test)) else { return };
    let twin = paused_shop("plugin");
    let plugin = Plugin { program, twin: &twin };
    plugin.update("shop:2");
    plugin.says(&["get", "rollout", "shop", "--no-color"], "BlueGreenPause");
    plugin.says(&["promote", "shop"], "promoted");
    plugin.says(&["status", "shop", "--timeout", "30s"], "Healthy");
    plugin.says(&["get", "rollout", "shop", "--no-color"], "shop:2 (stable, active");
    plugin.update("shop:3");
    plugin.says(&["abort", "shop"], "aborted");
    twin.wait_for_phase("ro/shop", "Degraded");
    plugin.says(&["get", "rollout", "shop", "--no-color"], "RolloutAborted");
    // Within the delay after an abort a retry promotes what was aborted: the pods are still there.
    plugin.says(&["retry", "rollout", "shop"], "retried");
    plugin.says(&["status", "shop", "--timeout", "30s"], "Healthy");
    plugin.says(&["get", "rollout", "shop", "--no-color"], "shop:3 (stable, active");
    plugin.says(&["undo", "shop"], "undo");
    twin.wait_for_phase("ro/shop", "Paused");
    plugin.says(&["get", "rollout", "shop", "--no-color"], "shop:2 (preview");
    plugin.says(&["promote", "shop", "--full"], "fully promoted");
    plugin.says(&["status", "shop", "--timeout", "30s"], "Healthy");
}

#[test]
fn rollouts_are_listed_linted_paused_and_restarted() {
    let test = "rollouts_are_listed_linted_paused_and_restarted";
    let Some(program) = program(test, "FIREDRILL_ARGO_PLUGIN").filter(|_| has_kubectl(test)) else { return };
    let twin = paused_shop("lists");
    let plugin = Plugin { program, twin: &twin };
    plugin.says(&["list", "rollouts"], "BlueGreen");
    plugin.says(&["list", "experiments"], "");
    plugin.says(&["version"], "kubectl-argo-rollouts");
    let manifest = twin.folder.write("shop.yaml", shop("shop:1"));
    plugin.says(&["lint", "-f", path(&manifest)], "");
    plugin.says(&["pause", "shop"], "paused");
    plugin.says(&["get", "rollout", "shop", "--no-color"], "Paused");
    plugin.says(&["promote", "shop"], "promoted");
    plugin.says(&["restart", "shop"], "restarts");
    let restarted = "--for=jsonpath={.status.restartedAt}";
    twin.kubectl(&["wait", "ro/shop", restarted, "--timeout=30s"]).well();
}

#[test]
fn a_watching_person_sees_the_switch() {
    let test = "a_watching_person_sees_the_switch";
    let Some(program) = program(test, "FIREDRILL_ARGO_PLUGIN").filter(|_| has_kubectl(test)) else { return };
    let twin = paused_shop("sees");
    let args = ["get", "rollout", "shop", "--watch", "--no-color"];
    let mut watch = twin.command(&program).args(args).stdout(Stdio::piped()).spawn().unwrap();
    let plugin = Plugin { program, twin: &twin };
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut seen = lines.map(|line| line.unwrap());
    assert!(seen.any(|line| line.contains("shop:1 (stable, active")), "it begins with what is there");
    plugin.update("shop:2");
    plugin.says(&["promote", "shop"], "promoted");
    assert!(seen.any(|line| line.contains("shop:2 (stable, active")), "it shows what came of it");
    watch.kill().unwrap();
    watch.wait().unwrap();
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

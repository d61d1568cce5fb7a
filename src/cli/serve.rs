//! `firedrill serve`: the twin on loopback until somebody says stop.

use std::path::Path;

use super::args::{Serve, Without};
use super::kubeconfig::Kubeconfig;
use super::{chain, complain, complain_of, exit, say, signals};
use crate::clock::Moment;
use crate::cluster::served::{self, Limits, ServeError, Served};
use crate::drill::{self, Prepared, Stage};

/// Runs `firedrill serve`.
pub(super) fn serve(args: &Serve) -> u8 {
    let prepared = match args.scenario.as_deref().map(drill::prepare).transpose() {
        Ok(prepared) => prepared,
        Err(found) => {
            complain_of(&found);
            return exit::BAD_INPUT;
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(hold_open(args, prepared.as_ref())),
        Err(error) => {
            complain(&format!("error: cannot start a runtime: {error}\n"));
            exit::WORLD_BROKE
        }
    }
}

/// From open doors to the signal that closes them.
async fn hold_open(args: &Serve, prepared: Option<&Prepared>) -> u8 {
    // Before anything is written: a signal must find somebody who cleans up.
    let stop = match signals::stop() {
        Ok(stop) => stop,
        Err(error) => {
            complain(&format!("error: cannot wait for signals: {error}\n"));
            return exit::WORLD_BROKE;
        }
    };
    let stage = prepared.map(|prepared| drill::stage(prepared, args.seed, Moment::wall()));
    let served = match served::serve(plan(args, stage.as_ref())).await {
        Ok(served) => served,
        Err(error) => {
            complain(&format!("error: {}\n", chain(&error)));
            return if matches!(error, ServeError::Listen(..)) { exit::BAD_INPUT } else { exit::WORLD_BROKE };
        }
    };
    let kubeconfig = match Kubeconfig::write(&args.kubeconfig, served.kubeconfig()) {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => {
            complain(&format!("error: cannot write {}: {error}\n", args.kubeconfig.display()));
            return exit::BAD_INPUT;
        }
    };
    say(&greeting(args, &served, prepared, stage.as_ref()));
    stop.await;
    drop(kubeconfig);
    say("the twin is gone\n")
}

fn plan(args: &Serve, stage: Option<&Stage>) -> served::Plan {
    let mut settings =
        stage.map_or_else(|| drill::empty(args.seed, Moment::wall()), |stage| stage.settings.clone());
    settings.argo = !args.without.contains(&Without::Rollouts);
    served::Plan {
        settings,
        port: args.port,
        speed: args.speed,
        objects: stage.map(|stage| stage.objects.clone()).unwrap_or_default(),
        load: stage.map(|stage| stage.load.clone()),
        limits: Limits::default(),
    }
}

/// What is served, and how to use it.
fn greeting(args: &Serve, served: &Served, prepared: Option<&Prepared>, stage: Option<&Stage>) -> String {
    let config = quoted(&args.kubeconfig);
    let mut text = format!("the twin listens on https://{}", served.address());
    match args.speed.get() {
        1 => text.push_str(", in real time\n"),
        speed => text.push_str(&format!(", {speed} times faster than real time\n")),
    }
    if args.without.contains(&Without::Rollouts) {
        text.push_str("without the rollouts controller: Rollouts wait for one of yours\n");
    }
    text.push_str(&format!("  KUBECONFIG={config} kubectl get rollouts -A\n"));
    if let (Some(prepared), Some(stage)) = (prepared, stage) {
        let plan = &prepared.plan;
        text.push_str(&format!("installed: {} of {}\n", plan.rollout, prepared.path.display()));
        for patch in &stage.releases {
            let patch = patch.to_string().replace('\'', "'\\''");
            text.push_str(&format!(
                "its release:\n  KUBECONFIG={config} kubectl -n {} patch rollout {} --type json -p '{patch}'\n",
                plan.namespace, plan.rollout
            ));
        }
    }
    for what in served.left_out() {
        text.push_str(&format!("left out, because the twin has no such kind: {what}\n"));
    }
    text.push_str("it goes with Ctrl-C, and so does the kubeconfig\n");
    text
}

/// A path for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

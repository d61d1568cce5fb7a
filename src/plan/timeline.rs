//! What is done, and when: releases as patches of the pod template, and what people do to them.

use serde::Serialize;
use serde_json::{Value, json};

use super::rewire::{FAULT_INDEX, REVISION_INDEX};
use super::rollout::Serving;
use crate::scenario::{self, Anchor, At, Duration, Fault, PatchType};

/// One act.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// When it is taken.
    pub when: When,
    /// What is done.
    pub action: Action,
}

/// When a step is taken; never before the one before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Right after the step before it; the first one right after the baseline.
    Next,
    /// So long after the first release was applied.
    At(Duration),
    /// So long after a moment, the first one since the step before it.
    #[serde(rename_all = "kebab-case")]
    After {
        /// The moment.
        moment: Anchor,
        /// How much later.
        plus: Duration,
    },
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A new revision: this JSON patch of whatever holds the pod template.
    #[serde(rename_all = "kebab-case")]
    Release {
        /// What the new pods answer as `x-revision`.
        revision: String,
        /// What is wrong with them; nothing when it is empty.
        fault: Box<Fault>,
        /// RFC 6902.
        patch: Value,
    },
    /// A promotion by hand.
    #[serde(rename_all = "kebab-case")]
    Promote {
        /// Past analysis, pauses and steps.
        full: bool,
    },
    /// An abort by hand.
    Abort,
    /// A retry by hand.
    Retry,
    /// A return to an earlier revision.
    #[serde(rename_all = "kebab-case")]
    Undo {
        /// Which; the one before the current one unless this says otherwise.
        to: Option<u32>,
    },
    /// Any other write.
    #[serde(rename_all = "kebab-case")]
    Patch {
        /// The kind, as it was written.
        kind: String,
        /// The name.
        name: String,
        /// How to read the patch.
        patch_type: PatchType,
        /// The patch.
        patch: Value,
    },
}

/// The steps of a scenario, with the release of its first lines before them.
pub(super) fn steps(
    release: &scenario::Release,
    container: &Serving,
    template: &str,
    rollout: &str,
) -> Vec<Step> {
    let mut revision = 1;
    let mut next_release = |fault: Option<&At<Fault>>| {
        revision += 1;
        self::release(
            container,
            template,
            revision,
            fault.map(|fault| fault.value.clone()).unwrap_or_default(),
        )
    };
    let first = (release.fault.is_some() || release.healthy.is_some())
        .then(|| Step { when: When::Next, action: next_release(release.fault.as_ref()) });
    let mut steps: Vec<Step> = first.into_iter().collect();
    for step in &release.steps {
        let action = match &step.value {
            scenario::Step::Release(again) => next_release(again.fault.as_ref()),
            scenario::Step::Promote(promote) => Action::Promote { full: promote.full },
            scenario::Step::Abort(_) => Action::Abort,
            scenario::Step::Retry(_) => Action::Retry,
            scenario::Step::Undo(undo) => Action::Undo { to: undo.to.map(|to| to.value) },
            scenario::Step::Patch(patch) => self::patch(patch, rollout),
        };
        steps.push(Step { when: when(&step.value.when()), action });
    }
    steps
}

/// The healthy release that the control makes instead.
pub(super) fn control(container: &Serving, template: &str) -> Step {
    Step { when: When::Next, action: release(container, template, 2, Fault::default()) }
}

/// The fault travels in the pod template, so it is undone with it. `template` is where that is in its object.
fn release(container: &Serving, template: &str, revision: u32, fault: Fault) -> Action {
    let revision = format!("v{revision}");
    let env = format!("{template}/spec/containers/{}/env", container.index);
    let text = serde_json::to_string(&fault).expect("a fault is plain data with text keys");
    let patch = json!([
        {"op": "replace", "path": format!("{env}/{FAULT_INDEX}/value"), "value": text},
        {"op": "replace", "path": format!("{env}/{REVISION_INDEX}/value"), "value": revision},
    ]);
    Action::Release { revision, fault: Box::new(fault), patch }
}

fn patch(patch: &scenario::Patch, rollout: &str) -> Action {
    let target = patch.target.as_ref().and_then(|target| target.split_once('/'));
    let (kind, name) = target.unwrap_or(("rollout", rollout));
    Action::Patch {
        kind: kind.to_owned(),
        name: name.to_owned(),
        patch_type: patch.kind,
        patch: patch.with.value.clone(),
    }
}

fn when(written: &scenario::When) -> When {
    match (written.at, written.after) {
        (Some(at), _) => When::At(at.value),
        (None, Some(after)) => {
            let plus = written.plus.map(|plus| plus.value).unwrap_or_default();
            When::After { moment: after.value, plus }
        }
        (None, None) => When::Next,
    }
}

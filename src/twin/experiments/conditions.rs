//! The conditions of an Experiment, and what is an invalid one (experiments/conditions.go and
//! utils/conditions/experiments.go v1.9.1).

use std::collections::BTreeSet;

use serde_json::json;

use super::controller::Context;
use super::object::{Spec, Status};
use super::templates::counts;
use crate::argo::rollout::{Condition, ConditionStatus};
use crate::clock::Moment;

const PROGRESSING: &str = "Progressing";
const INVALID: &str = "InvalidSpec";

/// `calculateExperimentConditions`: done, on its way, or running; otherwise as before.
pub(super) fn calculate(context: &mut Context<'_>) {
    remove(&mut context.status, INVALID);
    let name = context.name().to_owned();
    let over = context.spec.end(&context.old).is_some_and(|end| context.now > end);
    let now = context.now;
    if context.status.phase == "Successful" {
        let message = format!("Experiment {name:?} has successfully ran and completed.");
        let wanted = condition(PROGRESSING, ConditionStatus::False, "ExperimentCompleted", message, now);
        set(&mut context.status, wanted);
    } else if is_progressing(&context.old, &context.status) {
        let message = format!("Experiment {name:?} is progressing.");
        let mut wanted = condition(PROGRESSING, ConditionStatus::True, "ReplicaSetUpdated", message, now);
        if let Some(before) = find(&context.old, PROGRESSING) {
            if before.status == ConditionStatus::True {
                wanted.last_transition_time.clone_from(&before.last_transition_time);
            }
            remove(&mut context.status, PROGRESSING);
        }
        set(&mut context.status, wanted);
    } else if context.old.available_at.is_some() && !over {
        let message = format!("Experiment {name:?} is running.");
        let wanted = condition(PROGRESSING, ConditionStatus::True, "NewReplicaSetAvailable", message, now);
        set(&mut context.status, wanted);
    }
}

/// `ExperimentProgressing`: a template is new, or has other pods than before.
fn is_progressing(old: &Status, new: &Status) -> bool {
    let moved = old
        .template_statuses
        .iter()
        .any(|before| new.template(&before.name).is_some_and(|after| counts(before) != counts(after)));
    old.template_statuses.len() < new.template_statuses.len() || moved
}

/// The first thing wrong with a spec (`VerifyExperimentSpec`).
pub(super) fn invalid(spec: &Spec, name: &str) -> Option<String> {
    let mut names = BTreeSet::new();
    spec.templates.iter().enumerate().find_map(|(index, template)| {
        let Some(selector) = &template.selector else {
            return Some(format!("Rollout has missing field '.Spec.Templates[{index}].Selector'"));
        };
        if *selector == json!({}) {
            return Some(format!(
                "This experiment is selecting all pods at index {index}. A non-empty selector is required."
            ));
        }
        if template.min_ready_seconds > spec.deadline() {
            return Some(format!(
                "MinReadySeconds cannot be longer than ProgressDeadlineSeconds. Check template index {index}"
            ));
        }
        if template.name.is_empty() {
            return Some(format!("Experiment {name} has empty template name at index {index}"));
        }
        let again = !names.insert(template.name.as_str());
        again
            .then(|| format!("Experiment {name} has repeated template name '{}' in templates", template.name))
    })
}

/// Says that the spec is invalid; again only for another reason.
pub(super) fn set_invalid(status: &mut Status, message: &str, now: Moment) {
    if find(status, INVALID).is_some_and(|before| before.message != message) {
        remove(status, INVALID);
    }
    set(status, condition(INVALID, ConditionStatus::True, "InvalidSpec", message.to_owned(), now));
}

fn condition(kind: &str, status: ConditionStatus, reason: &str, message: String, now: Moment) -> Condition {
    Condition {
        kind: kind.into(),
        status,
        last_update_time: now.rfc3339(),
        last_transition_time: now.rfc3339(),
        reason: reason.into(),
        message,
    }
}

fn find<'a>(status: &'a Status, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind)
}

fn remove(status: &mut Status, kind: &str) {
    status.conditions.retain(|condition| condition.kind != kind);
}

/// `SetExperimentCondition`: the same status for the same reason is left alone.
fn set(status: &mut Status, mut wanted: Condition) {
    if let Some(before) = find(status, &wanted.kind) {
        if before.status == wanted.status && before.reason == wanted.reason {
            return;
        }
        if before.status == wanted.status {
            wanted.last_transition_time.clone_from(&before.last_transition_time);
        }
    }
    remove(status, &wanted.kind);
    status.conditions.push(wanted);
}

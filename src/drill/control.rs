//! The control: the same policy with a healthy release.
//!
//! It has to be promoted, or reach the pause where the policy leaves promotion to a person, without an abort and
//! without an alarm. A policy that aborts everything does not pass.

use crate::plan::{Control, Criteria, Plan};
use crate::scenario::Anchor;
use crate::timeline::{Event, RolloutSeen, Timeline};
use crate::verdict::{ControlOutcome, Judge};

/// The plan of the control, or why there is none.
pub(super) fn plan(plan: &Plan) -> Result<Plan, String> {
    match &plan.control {
        Control::Skip(reason) => Err(reason.clone()),
        Control::Run(step) => Ok(Plan { steps: vec![step.clone()], expectations: vec![], ..plan.clone() }),
    }
}

/// Whether the control is decided: it was promoted, aborted, or waits for somebody.
pub(super) fn decided(judge: &Judge<'_>) -> bool {
    let moments = judge.moments();
    moments.first(Anchor::Promoted).is_some()
        || moments.first(Anchor::Aborted).is_some()
        || !moments.rollout_now().pauses.is_empty() && paused_for_good(judge)
}

/// A pause that only a person ends; a timed one goes on by itself.
fn paused_for_good(judge: &Judge<'_>) -> bool {
    let seen = judge.moments().rollout_now();
    is_inconclusive(seen) || judge.criteria().leaves_promotion_to_a_person && !seen.counting_down
}

/// Paused because an analysis or experiment could not tell.
fn is_inconclusive(seen: &RolloutSeen) -> bool {
    seen.pauses.iter().any(|reason| reason.starts_with("Inconclusive"))
}

/// The triggers that tell people of something bad.
const ALARMS: [&str; 4] =
    ["on-rollout-aborted", "on-analysis-run-failed", "on-analysis-run-error", "on-analysis-run-inconclusive"];

/// How the control went.
pub(super) fn outcome(criteria: &Criteria, timeline: &Timeline) -> ControlOutcome {
    let mut judge = Judge::new(criteria);
    timeline.entries().iter().for_each(|entry| judge.observe(entry));
    let moments = judge.moments();
    let seen = moments.rollout_now();
    let ended = timeline.entries().iter().rev().find_map(|entry| match &entry.event {
        Event::Ended { why } => Some(why.clone()),
        _ => None,
    });
    if moments.first(Anchor::Aborted).is_some() {
        return ControlOutcome::Failed(format!("it was aborted: {}", seen.message));
    }
    let alarm = timeline.entries().iter().find_map(|entry| match &entry.event {
        Event::Delivered(delivered) => {
            delivered.trigger.clone().filter(|trigger| ALARMS.contains(&trigger.as_str()))
        }
        _ => None,
    });
    if let Some(alarm) = alarm {
        return ControlOutcome::Failed(format!("it raised an alarm: {alarm}"));
    }
    if moments.first(Anchor::Promoted).is_some() {
        return ControlOutcome::Promoted;
    }
    let waits = !seen.pauses.is_empty() && !seen.counting_down;
    if waits && criteria.leaves_promotion_to_a_person && !is_inconclusive(seen) {
        return ControlOutcome::LeftToAPerson;
    }
    let why = ended.unwrap_or_else(|| "it did not end".to_owned());
    let message = if seen.message.is_empty() { String::new() } else { format!(" ({})", seen.message) };
    ControlOutcome::Failed(format!("{why}, with the rollout {}{message}", seen.phase))
}

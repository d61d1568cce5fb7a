//! Where a canary is in its steps, and what they ask for (utils/replicaset/canary.go v1.9.1).

use serde_json::Value;

use fake_app::duration;

use super::views::ReplicaSet;
use crate::argo::rollout::{Canary, CanaryScale, CanaryStep, ExperimentStep, Pause, Rollout};

/// Where a canary with steps is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position<'a> {
    /// Counted from zero; as many as there are steps when all are done.
    pub(super) index: i32,
    /// The step itself, unless all are done.
    pub(super) step: Option<&'a CanaryStep>,
}

/// `GetCurrentCanaryStep`; `None` without steps.
pub(super) fn position(rollout: &Rollout) -> Option<Position<'_>> {
    let steps = &canary(rollout)?.steps;
    let index = rollout.status.current_step_index.unwrap_or(0).max(0);
    let step = usize::try_from(index).ok().and_then(|index| steps.get(index));
    (!steps.is_empty()).then_some(Position { index, step })
}

/// The current step, unless there are no steps or all are done.
pub(super) fn current(rollout: &Rollout) -> Option<&CanaryStep> {
    position(rollout)?.step
}

fn canary(rollout: &Rollout) -> Option<&Canary> {
    rollout.spec.strategy.canary.as_ref()
}

/// How many steps there are.
pub(super) fn count(rollout: &Rollout) -> i32 {
    canary(rollout).map_or(0, |canary| i32::try_from(canary.steps.len()).unwrap_or(i32::MAX))
}

/// What all weights add up to.
pub(super) fn max_weight(rollout: &Rollout) -> i32 {
    canary(rollout).map_or(100, Canary::max_weight)
}

/// The current step and those before it, latest first; none once all are done.
fn backwards(rollout: &Rollout) -> impl Iterator<Item = &CanaryStep> {
    let at = position(rollout).filter(|at| at.step.is_some());
    let taken = at.and_then(|at| usize::try_from(at.index).ok()).map_or(0, |index| index + 1);
    canary(rollout).into_iter().flat_map(move |canary| canary.steps.iter().take(taken).rev())
}

/// `GetCurrentExperimentStep`: the latest experiment, whether or not its step is done.
pub(super) fn experiment(rollout: &Rollout) -> Option<&ExperimentStep> {
    backwards(rollout).find_map(|step| step.experiment.as_ref())
}

/// `GetCurrentSetWeight`: the latest weight set; everything once all steps are done, nothing when aborted.
pub(super) fn set_weight(rollout: &Rollout) -> i32 {
    if rollout.status.abort {
        return 0;
    }
    if current(rollout).is_none() {
        return max_weight(rollout);
    }
    backwards(rollout).find_map(|step| step.set_weight).unwrap_or(0)
}

/// The weight set before the current step.
pub(super) fn previous_weight(rollout: &Rollout) -> i32 {
    let before = position(rollout).and_then(|at| usize::try_from(at.index).ok()).unwrap_or(0);
    let steps = canary(rollout).map_or(&[][..], |canary| &canary.steps[..]);
    steps.iter().take(before).rev().find_map(|step| step.set_weight).unwrap_or(0)
}

/// `UseSetCanaryScale`: an explicit size in force. An abort lifts it, unless the new revision is to be kept for ever.
pub(super) fn canary_scale(rollout: &Rollout) -> Option<&CanaryScale> {
    let canary = canary(rollout).filter(|canary| canary.traffic_routing.is_some())?;
    if rollout.status.abort && canary.abort_scale_down_delay_seconds != Some(0) {
        return None;
    }
    let latest = backwards(rollout).find_map(|step| step.set_canary_scale.as_ref());
    latest.filter(|scale| !scale.match_traffic_weight)
}

/// What the new revision is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// So many pods.
    Pods(i32),
    /// So much of the whole.
    Weight(i32),
}

/// `GetCanaryReplicasOrWeight`.
pub(super) fn share(rollout: &Rollout, new: Option<&ReplicaSet>, stable: Option<&ReplicaSet>) -> Share {
    let status = &rollout.status;
    if status.promote_full || status.stable_rs.is_empty() || rollout.is_fully_promoted() {
        return Share::Weight(max_weight(rollout));
    }
    let explicit = canary_scale(rollout)
        .and_then(|scale| scale.replicas.map(Share::Pods).or(scale.weight.map(Share::Weight)));
    explicit.unwrap_or_else(|| Share::Weight(desired_weight(rollout, new, stable)))
}

/// `GetDesiredCanaryWeight`: with `dynamicStableScale` an abort goes back through the weights of the steps, as far as
/// the stable revision has grown again.
pub(super) fn desired_weight(
    rollout: &Rollout,
    new: Option<&ReplicaSet>,
    stable: Option<&ReplicaSet>,
) -> i32 {
    let Some(canary) = canary(rollout) else { return set_weight(rollout) };
    let (true, true, Some(new), Some(stable)) =
        (rollout.status.abort, canary.dynamic_stable_scale, new, stable)
    else {
        return set_weight(rollout);
    };
    let pods = rollout.replicas().saturating_sub(stable.available()).max(new.available());
    let weights = canary.steps.iter().rev().filter_map(|step| step.set_weight);
    let mut below =
        weights.filter(|weight| weight_to_pods(rollout.replicas(), *weight, canary.max_weight()) < pods);
    below.next().unwrap_or(0)
}

/// `trafficWeightToReplicas`: rounded up.
pub(super) fn weight_to_pods(replicas: i32, weight: i32, max_weight: i32) -> i32 {
    let product = i64::from(weight) * i64::from(replicas);
    let max = i64::from(max_weight.max(1));
    let up = product.div_euclid(max) + i64::from(product.rem_euclid(max) != 0);
    i32::try_from(up).unwrap_or(i32::MAX)
}

/// `BeforeStartingStep`: the background analysis is yet to begin.
pub(super) fn is_before_starting_step(rollout: &Rollout) -> bool {
    let analysis = canary(rollout).and_then(|canary| canary.analysis.as_ref());
    let starting = analysis.and_then(|analysis| analysis.starting_step);
    position(rollout).zip(starting).is_some_and(|(at, starting)| at.index < starting)
}

/// `DurationSeconds` in pkg/apis/rollouts/v1alpha1/types.go: seconds, or -1 for what cannot be read.
pub(super) fn pause_seconds(pause: &Pause) -> i32 {
    let Some(duration) = &pause.duration else { return 0 };
    let Some(text) = duration.as_str() else {
        return duration.as_i64().and_then(|number| i32::try_from(number).ok()).unwrap_or(-1);
    };
    if let Ok(seconds) = text.parse() {
        return seconds;
    }
    let nanos = duration::parse_nanos(text).map(|nanos| nanos / 1_000_000_000);
    nanos.ok().and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or(-1)
}

/// `CanaryStepString` in utils/rollout/rolloututil.go.
pub(super) fn describe(step: &CanaryStep) -> String {
    if let Some(weight) = step.set_weight {
        return format!("setWeight: {weight}");
    }
    if let Some(pause) = &step.pause {
        return match &pause.duration {
            Some(Value::String(text)) => format!("pause: {text}"),
            Some(number) => format!("pause: {number}"),
            None => "pause".into(),
        };
    }
    if step.experiment.is_some() {
        return "experiment".into();
    }
    if step.analysis.is_some() {
        return "analysis".into();
    }
    describe_router_step(step).unwrap_or_else(|| "invalid".into())
}

fn describe_router_step(step: &CanaryStep) -> Option<String> {
    if let Some(text) = step.set_canary_scale.as_ref().and_then(describe_scale) {
        return Some(text);
    }
    if let Some(plugin) = &step.plugin {
        return Some(format!("plugin: {}", plugin["name"].as_str().unwrap_or("")));
    }
    let header = step.set_header_route.as_ref().map(|route| format!("setHeaderRoute: {}", route.name));
    header.or(step.set_mirror_route.as_ref().map(|route| format!("setMirrorRoute: {}", route.name)))
}

fn describe_scale(scale: &CanaryScale) -> Option<String> {
    let weight = scale.weight.map(|weight| format!("setCanaryScale{{weight: {weight}}}"));
    let matching = || scale.match_traffic_weight.then(|| "setCanaryScale{matchTrafficWeight: true}".into());
    let replicas = || scale.replicas.map(|replicas| format!("setCanaryScale{{replicas: {replicas}}}"));
    weight.or_else(matching).or_else(replicas)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout(steps: Value, index: i32) -> Rollout {
        Rollout::read(&json!({
            "spec": {"strategy": {"canary": {"steps": steps, "trafficRouting": {}}}},
            "status": {"currentStepIndex": index, "stableRS": "a", "currentPodHash": "b"},
        }))
        .expect("a Rollout")
    }

    fn check_weights(index: i32, expect: (i32, i32)) {
        let steps = json!([{"pause": {}}, {"setWeight": 20}, {"pause": {}}, {"setWeight": 60}]);
        let rollout = rollout(steps, index);
        assert_eq!((set_weight(&rollout), previous_weight(&rollout)), expect);
    }

    #[test]
    fn the_weight_is_the_latest_one_set() {
        check_weights(0, (0, 0));
        check_weights(1, (20, 0));
        check_weights(2, (20, 20));
        check_weights(3, (60, 20));
        check_weights(4, (100, 60));
        check_weights(9, (100, 60));
        check_weights(-1, (0, 0));
    }

    #[test]
    fn an_abort_takes_the_weight_away() {
        let mut rollout = rollout(json!([{"setWeight": 20}]), 0);
        rollout.status.abort = true;
        assert_eq!(set_weight(&rollout), 0);
    }

    #[test]
    fn an_explicit_scale_holds_until_it_follows_the_weight_again() {
        let steps = json!([
            {"setWeight": 20}, {"setCanaryScale": {"replicas": 3}}, {"setWeight": 40},
            {"setCanaryScale": {"weight": 50}}, {"setCanaryScale": {"matchTrafficWeight": true}},
        ]);
        let at = |index| share(&rollout(steps.clone(), index), None, None);
        assert_eq!(at(0), Share::Weight(20));
        assert_eq!(at(1), Share::Pods(3));
        assert_eq!(at(2), Share::Pods(3));
        assert_eq!(at(3), Share::Weight(50));
        assert_eq!(at(4), Share::Weight(40));
    }

    fn check_pause(duration: Value, seconds: i32) {
        let pause: Pause = serde_json::from_value(json!({"duration": duration})).expect("a pause");
        assert_eq!(pause_seconds(&pause), seconds);
    }

    #[test]
    fn a_pause_is_seconds_with_or_without_a_unit() {
        check_pause(json!(30), 30);
        check_pause(json!("30"), 30);
        check_pause(json!("1m1500ms"), 61);
        check_pause(json!("soon"), -1);
    }

    fn check_words(step: Value, words: &str) {
        assert_eq!(describe(&serde_json::from_value(step).expect("a step")), words);
    }

    #[test]
    fn a_step_is_called_as_people_write_it() {
        check_words(json!({"setWeight": 5}), "setWeight: 5");
        check_words(json!({"pause": {}}), "pause");
        check_words(json!({"pause": {"duration": "10s"}}), "pause: 10s");
        check_words(json!({"pause": {"duration": 10}}), "pause: 10");
        check_words(json!({"setCanaryScale": {"weight": 25}}), "setCanaryScale{weight: 25}");
        check_words(json!({"setMirrorRoute": {"name": "m"}}), "setMirrorRoute: m");
        check_words(json!({}), "invalid");
    }
}

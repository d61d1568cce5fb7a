//! The rules of conditions, and the phase they add up to (utils/conditions/conditions.go and
//! utils/rollout/rolloututil.go v1.9.1).

use super::defaults;
use super::steps;
use super::views::is_completed;
use crate::argo::rollout::{Condition, ConditionStatus, Rollout, RolloutSpec, RolloutStatus};
use crate::clock::Moment;

/// The types of conditions.
pub(super) mod kinds {
    pub(in super::super) const INVALID_SPEC: &str = "InvalidSpec";
    pub(in super::super) const PROGRESSING: &str = "Progressing";
    pub(in super::super) const PAUSED: &str = "Paused";
    pub(in super::super) const HEALTHY: &str = "Healthy";
    pub(in super::super) const AVAILABLE: &str = "Available";
    pub(in super::super) const COMPLETED: &str = "Completed";
    pub(in super::super) const REPLICA_FAILURE: &str = "ReplicaFailure";
}

/// The reasons that are compared somewhere.
pub(super) mod reasons {
    pub(in super::super) const ABORTED: &str = "RolloutAborted";
    pub(in super::super) const TIMED_OUT: &str = "ProgressDeadlineExceeded";
    pub(in super::super) const PAUSED: &str = "RolloutPaused";
    pub(in super::super) const COMPLETED: &str = "RolloutCompleted";
}

/// A condition that became so now.
pub(super) fn new(
    kind: &str,
    status: ConditionStatus,
    reason: &str,
    message: &str,
    now: Moment,
) -> Condition {
    Condition {
        kind: kind.into(),
        status,
        last_update_time: now.rfc3339(),
        last_transition_time: now.rfc3339(),
        reason: reason.into(),
        message: message.into(),
    }
}

/// Sets a condition, at the end of the list; nothing happens, not even to the message, while status and reason stay.
pub(super) fn set(status: &mut RolloutStatus, mut condition: Condition) -> bool {
    if let Some(before) = status.condition(&condition.kind).filter(|one| one.status == condition.status) {
        if before.reason == condition.reason {
            return false;
        }
        condition.last_transition_time.clone_from(&before.last_transition_time);
    }
    remove(status, &condition.kind);
    status.conditions.push(condition);
    true
}

/// Removes a condition.
pub(super) fn remove(status: &mut RolloutStatus, kind: &str) {
    status.conditions.retain(|condition| condition.kind != kind);
}

/// `RolloutProgressing`: pods came, became ready or available, old ones went, a Service was switched, or a canary
/// went on.
pub(super) fn is_progressing(rollout: &Rollout, new: &RolloutStatus) -> bool {
    let (strategy, old) = (&rollout.spec.strategy, &rollout.status);
    let switched = strategy.blue_green.is_some()
        && (new.blue_green.active_selector != old.blue_green.active_selector
            || new.blue_green.preview_selector != old.blue_green.preview_selector);
    let steps = new.current_step_index.zip(old.current_step_index);
    let stepped = strategy.canary.is_some()
        && (new.stable_rs != old.stable_rs
            || steps.is_some_and(|(new, old)| new != old)
            || new.current_step_hash != old.current_step_hash);
    let old_pods = |status: &RolloutStatus| status.replicas.saturating_sub(status.updated_replicas);
    new.updated_replicas != old.updated_replicas
        || old_pods(new) < old_pods(old)
        || new.ready_replicas > old.ready_replicas
        || new.available_replicas > old.available_replicas
        || switched
        || stepped
}

/// `RolloutHealthy`: everything is updated and available, reached by the Services of a blue-green, and the steps of a
/// canary are done.
pub(super) fn is_healthy(rollout: &Rollout, new: &RolloutStatus) -> bool {
    let selects = |selector: &str| selector == new.current_pod_hash;
    let strategy = rollout.spec.strategy.blue_green.as_ref();
    let services = strategy.is_none_or(|strategy| {
        let preview = strategy.preview_service.is_empty() || selects(&new.blue_green.preview_selector);
        selects(&new.blue_green.active_selector) && preview
    });
    let steps = rollout.spec.strategy.canary.is_none() || {
        let count = steps::count(rollout);
        let done = count == 0 || new.current_step_index.is_none_or(|index| index == count);
        done && is_complete(new) && new.replicas == rollout.replicas()
    };
    new.updated_replicas == rollout.replicas()
        && new.available_replicas == rollout.replicas()
        && rollout.status.observed_generation == rollout.metadata.generation.to_string()
        && services
        && steps
}

/// `RolloutCompleted`: the newest revision is the stable one.
pub(super) fn is_complete(status: &RolloutStatus) -> bool {
    !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash
}

/// `RolloutTimedOut`: no progress for longer than the deadline.
pub(super) fn is_timed_out(rollout: &Rollout, new: &RolloutStatus, now: Moment) -> bool {
    let Some(condition) = new.condition(kinds::PROGRESSING) else { return false };
    match condition.reason.as_str() {
        reasons::ABORTED | reasons::PAUSED => false,
        reasons::TIMED_OUT => true,
        _ => Moment::parse_rfc3339(&condition.last_update_time)
            .is_some_and(|from| from + defaults::seconds(defaults::progress_deadline_seconds(rollout)) < now),
    }
}

/// `CalculateRolloutPhase`: the first of these that holds.
pub(super) fn phase(spec: &RolloutSpec, status: &RolloutStatus) -> (&'static str, String) {
    for condition in &status.conditions {
        if condition.kind == kinds::INVALID_SPEC {
            return ("Degraded", format!("InvalidSpec: {}", condition.message));
        }
        if [reasons::ABORTED, reasons::TIMED_OUT].contains(&condition.reason.as_str()) {
            return ("Degraded", format!("{}: {}", condition.reason, condition.message));
        }
    }
    if spec.paused {
        return ("Paused", "manually paused".into());
    }
    if let Some(pause) = status.pause_conditions.first() {
        return ("Paused", pause.reason.clone());
    }
    match waiting_for(spec, status) {
        Some(message) => ("Progressing", message.into()),
        None => ("Healthy", String::new()),
    }
}

/// What a Rollout that is neither broken nor paused waits for.
fn waiting_for(spec: &RolloutSpec, status: &RolloutStatus) -> Option<&'static str> {
    let moment = |text: &Option<String>| text.as_deref().and_then(Moment::parse_rfc3339);
    if spec.restart_at.is_some() && moment(&spec.restart_at) != moment(&status.restarted_at) {
        return Some("rollout is restarting");
    }
    if status.updated_replicas < spec.replicas.unwrap_or(1) {
        return Some("more replicas need to be updated");
    }
    if status.available_replicas < status.updated_replicas {
        return Some("updated replicas are still becoming available");
    }
    let Some(strategy) = &spec.strategy.blue_green else { return canary_waits_for(spec, status) };
    let active = &status.blue_green.active_selector;
    if active.is_empty() || *active != status.current_pod_hash {
        return Some("active service cutover pending");
    }
    if is_complete(status) {
        return None;
    }
    let run = status.blue_green.post_promotion_analysis_run_status.as_ref();
    let analysing =
        strategy.post_promotion_analysis.is_some() && !run.is_some_and(|run| is_completed(&run.status));
    Some(if analysing {
        "waiting for analysis to complete"
    } else {
        "waiting for post-promotion verification to complete"
    })
}

fn canary_waits_for(spec: &RolloutSpec, status: &RolloutStatus) -> Option<&'static str> {
    let canary = spec.strategy.canary.as_ref()?;
    // With traffic routing the old pods may stay for a while, so nobody waits for them.
    if canary.traffic_routing.is_none() && status.replicas > status.updated_replicas {
        return Some("old replicas are pending termination");
    }
    (!is_complete(status)).then_some("waiting for all steps to complete")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(second: i64) -> Moment {
        Moment::from_unix_nanos(second * 1_000_000_000)
    }

    fn read(object: Value) -> Rollout {
        Rollout::read(&object).expect("a Rollout")
    }

    fn check_phase(spec: Value, status: Value, phase_and_message: (&str, &str)) {
        let rollout = read(json!({"spec": spec, "status": status}));
        let (phase, message) = phase(&rollout.spec, &rollout.status);
        assert_eq!((phase, message.as_str()), phase_and_message);
    }

    #[test]
    fn the_message_of_a_standing_condition_is_not_refreshed() {
        let mut status = RolloutStatus::default();
        assert!(set(&mut status, new("A", ConditionStatus::True, "r", "one", at(1))));
        assert!(!set(&mut status, new("A", ConditionStatus::True, "r", "two", at(2))));
        assert_eq!(status.conditions[0].message, "one");
    }

    #[test]
    fn a_replaced_condition_goes_last_and_keeps_its_transition_while_its_status_stays() {
        let mut status = RolloutStatus::default();
        set(&mut status, new("A", ConditionStatus::True, "r", "", at(1)));
        set(&mut status, new("B", ConditionStatus::True, "r", "", at(1)));
        set(&mut status, new("A", ConditionStatus::True, "s", "", at(2)));
        assert_eq!(status.conditions[1].last_transition_time, at(1).rfc3339());
        assert_eq!(status.conditions[1].last_update_time, at(2).rfc3339());
        set(&mut status, new("A", ConditionStatus::False, "s", "", at(3)));
        assert_eq!(status.conditions[1].last_transition_time, at(3).rfc3339());
    }

    #[test]
    fn the_first_condition_in_the_list_decides_the_phase() {
        let aborted =
            json!({"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": "m"});
        let invalid =
            json!({"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "message": "i"});
        let spec = json!({"paused": true});
        check_phase(
            spec.clone(),
            json!({"conditions": [aborted, invalid]}),
            ("Degraded", "RolloutAborted: m"),
        );
        check_phase(spec.clone(), json!({"conditions": [invalid, aborted]}), ("Degraded", "InvalidSpec: i"));
        check_phase(spec, json!({}), ("Paused", "manually paused"));
    }

    #[test]
    fn a_healthy_rollout_has_passed_every_wait() {
        let spec = json!({"replicas": 2, "strategy": {"blueGreen": {"postPromotionAnalysis": {}}}});
        let mut status = json!({"pauseConditions": [{"reason": "BlueGreenPause"}]});
        let mut step = |path: &str, value: Value, expect: (&str, &str)| {
            let (field, rest) = path.split_once('.').unwrap_or((path, ""));
            if rest.is_empty() {
                status[field] = value
            } else {
                status[field][rest] = value
            }
            check_phase(spec.clone(), status.clone(), expect);
        };
        step("x", json!(1), ("Paused", "BlueGreenPause"));
        step("pauseConditions", json!([]), ("Progressing", "more replicas need to be updated"));
        step("updatedReplicas", json!(2), ("Progressing", "updated replicas are still becoming available"));
        step("availableReplicas", json!(2), ("Progressing", "active service cutover pending"));
        step("currentPodHash", json!("b"), ("Progressing", "active service cutover pending"));
        step("blueGreen.activeSelector", json!("b"), ("Progressing", "waiting for analysis to complete"));
        step(
            "blueGreen.postPromotionAnalysisRunStatus",
            json!({"name": "r", "status": "Failed"}),
            ("Progressing", "waiting for post-promotion verification to complete"),
        );
        step("stableRS", json!("b"), ("Healthy", ""));
    }

    #[test]
    fn a_canary_waits_for_old_pods_and_then_for_its_steps() {
        let basic = json!({"replicas": 2, "strategy": {"canary": {}}});
        let routed = json!({"replicas": 2, "strategy": {"canary": {"trafficRouting": {}}}});
        let status = |replicas: i32, stable: &str| {
            json!({
                "replicas": replicas, "updatedReplicas": 2, "availableReplicas": replicas,
                "currentPodHash": "b", "stableRS": stable,
            })
        };
        let steps = ("Progressing", "waiting for all steps to complete");
        check_phase(basic.clone(), status(4, "b"), ("Progressing", "old replicas are pending termination"));
        check_phase(basic.clone(), status(2, "a"), steps);
        check_phase(basic, status(2, "b"), ("Healthy", ""));
        check_phase(routed.clone(), status(4, "a"), steps);
        check_phase(routed, status(4, "b"), ("Healthy", ""));
    }

    #[test]
    fn a_restart_is_over_when_both_times_agree() {
        let spec = json!({"replicas": 0, "restartAt": "2026-01-01T00:00:00Z"});
        check_phase(spec.clone(), json!({}), ("Progressing", "rollout is restarting"));
        check_phase(spec, json!({"restartedAt": "2026-01-01T00:00:00Z"}), ("Healthy", ""));
    }

    #[test]
    fn the_deadline_counts_from_the_last_update() {
        let status = |reason: &str| {
            json!({"conditions": [
                {"type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": at(0).rfc3339()},
            ]})
        };
        let timed_out = |reason: &str, now: i64| {
            let rollout = read(json!({"spec": {"progressDeadlineSeconds": 10}, "status": status(reason)}));
            is_timed_out(&rollout, &rollout.status, at(now))
        };
        assert!(!timed_out("ReplicaSetUpdated", 10));
        assert!(timed_out("ReplicaSetUpdated", 11));
        assert!(!timed_out("RolloutAborted", 11));
        assert!(timed_out("ProgressDeadlineExceeded", 1));
    }
}

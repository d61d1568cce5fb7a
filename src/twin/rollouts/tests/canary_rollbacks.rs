//! Canaries that go back to an older template.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{analysis, hold_at, steps};
use super::bench::Bench;

#[test]
fn canary_undo_mid_flight() {
    let mut bench = Bench::canary(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    event SkipSteps
    Progressing "more replicas need to be updated" step=2 current=v1 stable=v1
    event RolloutResumed
    rs app-v1 3 -> 5
    event ScalingReplicaSet
    rs app-v2 2 -> 1
    event ScalingReplicaSet
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v1 stable=v1
    Healthy "" step=2 current=v1 stable=v1
    "#);
}

#[test]
fn canary_undo_to_stable_while_aborted() {
    let mut bench = Bench::canary(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.abort();
    bench.seconds(20);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    event SkipSteps
    Healthy "" step=2 current=v1 stable=v1
    "#);
}

#[test]
fn canary_rollback_after_promotion() {
    let mut bench = Bench::canary(json!({"steps": steps(&[40])}));
    bench.release("v2");
    bench.seconds(30);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v1 stable=v2
    rs app-v2 5 -> 4
    event ScalingReplicaSet
    rs app-v1 0 -> 2
    event ScalingReplicaSet
    rs app-v2 4 -> 3
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v1 stable=v2
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v1 stable=v2
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v1 stable=v2
    event RolloutResumed
    rs app-v2 3 -> 2
    event ScalingReplicaSet
    rs app-v1 2 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v1 stable=v2
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 3 (v1): Completed all 2 canary steps
    Progressing "old replicas are pending termination" step=2 current=v1 stable=v1
    Healthy "" step=2 current=v1 stable=v1
    "#);
}

#[test]
fn canary_rollback_window() {
    let mut bench = Bench::canary_with(
        json!({"steps": steps(&[40]), "analysis": analysis("check")}),
        json!({"rollbackWindow": {"revisions": 2}}),
    );
    bench.release("v2");
    bench.seconds(30);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v1 stable=v2
    rs app-v2 5 -> 4
    event ScalingReplicaSet
    Progressing "more replicas need to be updated" step=2 current=v1 stable=v2
    rs app-v1 0 -> 3
    event ScalingReplicaSet
    rs app-v2 4 -> 1
    event ScalingReplicaSet
    rs app-v1 3 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v1 stable=v2
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 3 (v1): Rollback within window
    Progressing "old replicas are pending termination" step=2 current=v1 stable=v1
    Healthy "" step=2 current=v1 stable=v1
    "#);
}

#[test]
fn a_rollback_within_the_window_to_pods_that_still_run_skips_the_steps() {
    let mut bench = Bench::routed_with(
        json!({"steps": steps(&[40]), "scaleDownDelaySeconds": 60}),
        json!({"rollbackWindow": {"revisions": 2}}),
    );
    bench.release("v2");
    bench.seconds(20);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    event SkipSteps
    event RolloutNotCompleted
    Progressing "waiting for all steps to complete" step=2 weights=0/100 current=v1 stable=v2
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 100
    event TrafficWeightUpdated
    rs app-v1 deadline removed
    event RolloutCompleted: Rollout completed update to revision 3 (v1): Rollback within window
    Healthy "" step=2 weights=100/0 current=v1 stable=v1
    app-stable -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=2 weights=0/100 current=v1 stable=v1
    rs app-v2 deadline set
    "#);
}

//! How many pods a canary runs when.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{hold_at, steps};
use super::bench::Bench;

#[test]
fn canary_1_replica() {
    let mut bench = Bench::canary_with(json!({"steps": steps(&[20, 60])}), json!({"replicas": 1}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    Progressing "old replicas are pending termination" step=0 current=v2 stable=v1
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v1
    event RolloutResumed
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=3 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=4 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 4 canary steps
    Progressing "old replicas are pending termination" step=4 current=v2 stable=v2
    Healthy "" step=4 current=v2 stable=v2
    "#);
}

#[test]
fn canary_2_replicas() {
    let mut bench = Bench::canary_with(json!({"steps": steps(&[20, 60, 90])}), json!({"replicas": 2}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v1
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=3 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=4 current=v2 stable=v1
    event RolloutResumed
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=5 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=5 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "old replicas are pending termination" step=6 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 6 canary steps
    Progressing "old replicas are pending termination" step=6 current=v2 stable=v2
    Healthy "" step=6 current=v2 stable=v2
    "#);
}

#[test]
fn canary_set_weight_rounding() {
    let mut bench = Bench::canary(json!({"steps": steps(&[20, 40, 60, 80])}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v1 5 -> 4
    event ScalingReplicaSet
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    rs app-v2 2 -> 3
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=5 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=5 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=6 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    rs app-v2 3 -> 4
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=7 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=7 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=8 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    rs app-v2 4 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=8 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 8 canary steps
    Healthy "" step=8 current=v2 stable=v2
    "#);
}

#[test]
fn canary_set_weight_rounding_surge0() {
    let strategy = json!({"maxSurge": 0, "maxUnavailable": 1, "steps": steps(&[10, 50, 90])});
    let mut bench = Bench::canary_with(strategy, json!({"replicas": 3}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 current=v2 stable=v1
    event RolloutResumed
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=5 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=5 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=6 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    rs app-v2 2 -> 3
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=6 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 6 canary steps
    Healthy "" step=6 current=v2 stable=v2
    "#);
}

#[test]
fn canary_maxunavailable_50pct_10_replicas() {
    let strategy = json!({"maxSurge": 0, "maxUnavailable": "50%", "steps": steps(&[50])});
    let mut bench = Bench::canary_with(strategy, json!({"replicas": 10}));
    bench.release("v2");
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v1 10 -> 5
    event ScalingReplicaSet
    rs app-v2 0 -> 5
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 5 -> 0
    event ScalingReplicaSet
    rs app-v2 5 -> 10
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn canary_replica_progress_threshold() {
    let strategy =
        json!({"replicaProgressThreshold": {"type": "Percent", "value": 60}, "steps": steps(&[50])});
    let mut bench = Bench::canary_with(strategy, json!({"replicas": 6}));
    bench.release("v2");
    bench.seconds(4);
    bench.take_trace();
    bench.ready_after = Some(std::time::Duration::from_secs(1_000));
    bench.seconds(20);
    bench.ready("v2", 4);
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    rs app-v2 3 -> 6
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v1
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v2
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn canary_replicas_zero() {
    let mut bench = Bench::canary_with(json!({"steps": steps(&[20])}), json!({"replicas": 0}));
    bench.release("v2");
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "waiting for all steps to complete" step=0 current=v2 stable=v1
    event RolloutStepCompleted
    Progressing "waiting for all steps to complete" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "waiting for all steps to complete" step=2 current=v2 stable=v1
    event RolloutResumed
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn canary_scale_up_mid_flight() {
    let mut bench = Bench::canary(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(json!({"replicas": 10}));
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 3 -> 6
    event ScalingReplicaSet
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    "#);
}

#[test]
fn canary_scaled_to_zero_mid_flight() {
    let mut bench = Bench::canary(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(json!({"replicas": 0}));
    bench.seconds(10);
    bench.spec(json!({"replicas": 5}));
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 3 -> 0
    event ScalingReplicaSet
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    rs app-v1 0 -> 3
    event ScalingReplicaSet
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    "#);
}

#[test]
fn canary_scale_up_during_abort() {
    let mut bench = Bench::canary(hold_at(60));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.abort();
    bench.spec(json!({"replicas": 8}));
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    rs app-v1 2 -> 4
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 current=v2 stable=v1
    rs app-v2 3 -> 2
    event ScalingReplicaSet
    rs app-v1 4 -> 5
    event ScalingReplicaSet
    rs app-v1 5 -> 8
    event ScalingReplicaSet
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

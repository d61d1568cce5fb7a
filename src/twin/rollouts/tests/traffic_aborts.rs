//! Canaries behind ingress-nginx that are aborted or go back.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{analysis, folded, hold_at, steps};
use super::bench::Bench;

#[test]
fn tr_step_analysis_failed() {
    let steps = json!([{"setWeight": 40}, {"analysis": analysis("check")}, {"setWeight": 60}]);
    let mut bench = Bench::routed(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.run_ends("-2-1", "Failed");
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    ar app-v2-2-1 Failed
    event AnalysisRunFailed!: Step Analysis Run 'app-v2-2-1' Status New: 'Failed' Previous: 'Running'
    rs app-v2 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2: Step-based analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: the metric failed" abort step=0 weights=40/60 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: the metric failed" abort step=0 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    app-canary -> v1
    event SwitchService
    and so on for a second
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_abort_manual() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.abort();
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    rs app-v2 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    app-canary -> v1
    event SwitchService
    and so on for a second
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_abort_scale_down_delay_zero() {
    let mut strategy = hold_at(40);
    strategy["abortScaleDownDelaySeconds"] = json!(0);
    let mut bench = Bench::routed(strategy);
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.abort();
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    app-canary -> v1
    event SwitchService
    and so on for a second
    "#);
}

#[test]
fn tr_retry_inside_abort_delay() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.abort();
    bench.seconds(10);
    bench.take_trace();
    bench.retry();
    bench.seconds(10);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2" step=0 weights=0/100 current=v2 stable=v1
    Progressing "more replicas need to be updated" step=0 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 40
    event TrafficWeightUpdated
    rs app-v2 deadline removed
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=40/60 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn tr_promote_full_while_aborted() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.abort();
    bench.seconds(10);
    bench.take_trace();
    bench.promote_full();
    bench.seconds(10);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Progressing "more replicas need to be updated" step=2 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    error: Operation cannot be fulfilled on replicasets.apps "app-v2": the object has been modified; please apply your changes to the latest version and try again
    rs app-v2 deadline removed
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=2 weights=0/100 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Full promotion requested
    Healthy "" step=2 weights=0/100 current=v2 stable=v2
    app-stable -> v2
    event SwitchService
    event TrafficWeightUpdated
    rs app-v1 deadline set
    "#);
}

#[test]
fn tr_undo_mid_flight() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    event RolloutUpdated
    event SkipSteps
    Healthy "" step=2 weights=40/60 current=v1 stable=v1
    event RolloutResumed
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=2 weights=0/100 current=v1 stable=v1
    rs app-v2 deadline set
    rs app-v2 2 -> 0
    rs app-v2 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_undo_while_aborted() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.abort();
    bench.seconds(10);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    event RolloutUpdated
    event SkipSteps
    Healthy "" step=2 weights=0/100 current=v1 stable=v1
    event TrafficWeightUpdated
    rs app-v2 2 -> 0
    rs app-v2 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_stable_pod_lost_during_abort() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.ready("v1", 3);
    bench.abort();
    bench.seconds(10);
    bench.ready("v1", 4);
    bench.seconds(5);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=40/60 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    app-canary -> v1
    event SwitchService
    and so on for a second
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    rs app-v2 deadline set
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=0/100 current=v2 stable=v1
    "#);
}

#[test]
fn tr_never_ready_canary_deadline_abort() {
    let deadline = json!({"progressDeadlineSeconds": 15, "progressDeadlineAbort": true});
    let mut bench = Bench::routed_with(json!({"steps": steps(&[40])}), deadline);
    bench.ready_after = Some(std::time::Duration::from_secs(1_000));
    bench.release("v2");
    bench.seconds(50);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 weights=0/100 current=v2 stable=v1
    event TrafficWeightUpdated
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    event RolloutAborted!: ReplicaSet "app-v2" has timed out progressing.
    Degraded "ProgressDeadlineExceeded: ReplicaSet "app-v2" has timed out progressing." abort step=0 weights=0/100 current=v2 stable=v1
    rs app-v2 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=0/100 current=v2 stable=v1
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_stable_rs_deleted_mid_flight() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    let stable = bench.replica_set("v1");
    bench.delete(crate::twin::store::Kind::ReplicaSet, &stable);
    bench.seconds(10);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    rs app-v1 deleted
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Initial deploy
    Progressing "more replicas need to be updated" step=2 weights=40/60 current=v2 stable=v2
    event RolloutResumed
    app-stable -> v2
    event SwitchService
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 weights=40/60 current=v2 stable=v2
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=2 weights=0/100 current=v2 stable=v2
    "#);
}

#[test]
fn tr_background_analysis_failed() {
    let mut strategy = hold_at(40);
    strategy["analysis"] = analysis("check");
    let mut bench = Bench::routed(strategy);
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.run_ends("-2", "Failed");
    bench.seconds(10);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    ar app-v2-2 Failed
    event AnalysisRunFailed!: Background Analysis Run 'app-v2-2' Status New: 'Failed' Previous: 'Running'
    rs app-v2 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed" abort step=0 weights=40/60 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed" abort step=0 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    app-canary -> v1
    event SwitchService
    and so on for a second
    "#);
}

#[test]
fn tr_one_canary_pod_unready_analysis_failed() {
    let mut strategy = hold_at(40);
    strategy["analysis"] = analysis("check");
    let mut bench = Bench::routed(strategy);
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.ready("v2", 1);
    bench.run_ends("-2", "Failed");
    bench.seconds(3);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    ar app-v2-2 Failed
    event AnalysisRunFailed!: Background Analysis Run 'app-v2-2' Status New: 'Failed' Previous: 'Running'
    rs app-v2 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed" abort step=0 weights=40/60 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed" abort step=0 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    app-canary -> v1
    event SwitchService
    and so on for a second
    "#);
}

#[test]
fn tr_user_pause_while_analysis_fails() {
    let mut strategy = hold_at(40);
    strategy["analysis"] = analysis("check");
    let mut bench = Bench::routed(strategy);
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(json!({"paused": true}));
    bench.run_ends("-2", "Failed");
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Paused "manually paused" controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    ar app-v2-2 Failed
    event AnalysisRunFailed!: Background Analysis Run 'app-v2-2' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed" abort step=0 weights=40/60 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed" abort step=0 weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    app-canary -> v1
    event SwitchService
    and so on for a second
    "#);
}

#[test]
fn tr_ingress_deleted_then_abort() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.delete(crate::twin::store::Kind::Ingress, "app");
    bench.abort();
    bench.seconds(3);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    ingress app deleted
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    error: spec.strategy.canary.trafficRouting.nginx.stableIngress: Invalid value: "app": ingress.networking.k8s.io "app" not found
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.canary.trafficRouting.nginx.stableIngress: Invalid value: "app": ingress.networking.k8s.io "app" not found" abort controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    error: spec.strategy.canary.trafficRouting.nginx.stableIngress: Invalid value: "app": ingress.networking.k8s.io "app" not found
    "#);
}

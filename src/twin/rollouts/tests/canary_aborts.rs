//! Canaries that are aborted, and what can be done then.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{analysis, hold_at, steps};
use super::bench::Bench;

#[test]
fn canary_abort_manual_retry() {
    let mut bench = Bench::canary(hold_at(60));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.abort();
    bench.seconds(10);
    bench.retry();
    bench.seconds(10);
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
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    Degraded "RolloutAborted: Rollout aborted update to revision 2" step=0 current=v2 stable=v1
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v1 5 -> 4
    event ScalingReplicaSet
    rs app-v2 0 -> 3
    event ScalingReplicaSet
    rs app-v1 4 -> 2
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn canary_1_replica_abort() {
    let mut bench = Bench::canary_with(hold_at(20), json!({"replicas": 1}));
    bench.release("v2");
    bench.seconds(5);
    bench.take_trace();
    bench.abort();
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 current=v2 stable=v1
    "#);
}

#[test]
fn canary_step_analysis_failed() {
    let steps = json!([{"setWeight": 20}, {"analysis": analysis("check")}, {"setWeight": 60}]);
    let mut bench = Bench::canary(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.run_ends("-2-1", "Failed");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-1 Failed
    event AnalysisRunFailed!: Step Analysis Run 'app-v2-2-1' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Step-based analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: the metric failed" abort step=0 current=v2 stable=v1
    rs app-v1 4 -> 5
    event ScalingReplicaSet
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn canary_retry_after_step_analysis_failed() {
    let steps = json!([{"setWeight": 20}, {"analysis": analysis("check")}, {"setWeight": 60}]);
    let mut bench = Bench::canary(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(10);
    bench.run_ends("-2-1", "Failed");
    bench.seconds(10);
    bench.take_trace();
    bench.retry();
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: the metric failed" step=0 current=v2 stable=v1
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v1 5 -> 4
    event ScalingReplicaSet
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    ar app-v2-2-1.1 created
    ar app-v2-2-1.1 Running
    event AnalysisRunRunning: Step Analysis Run 'app-v2-2-1.1' Status New: 'Running' Previous: ''
    "#);
}

#[test]
fn canary_analysis_step_success_then_later_fail() {
    let check = json!({"analysis": analysis("check")});
    let steps = json!([{"setWeight": 20}, check, {"setWeight": 60}, check]);
    let mut bench = Bench::canary(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(10);
    bench.run_ends("-2-1", "Successful");
    bench.seconds(10);
    bench.take_trace();
    bench.run_ends("-2-3", "Error");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-3 Error
    event AnalysisRunError!: Step Analysis Run 'app-v2-2-3' Status New: 'Error' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Step-based analysis phase error/failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed" abort step=0 current=v2 stable=v1
    rs app-v1 2 -> 4
    event ScalingReplicaSet
    rs app-v2 3 -> 2
    event ScalingReplicaSet
    rs app-v1 4 -> 5
    event ScalingReplicaSet
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn an_inconclusive_step_analysis_pauses_and_is_measured_again_when_resumed() {
    let steps = json!([{"setWeight": 20}, {"analysis": analysis("check")}, {"pause": {}}]);
    let mut bench = Bench::canary(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.run_ends("-2-1", "Inconclusive");
    bench.seconds(10);
    bench.promote();
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-1 Inconclusive
    event AnalysisRunInconclusive: Step Analysis Run 'app-v2-2-1' Status New: 'Inconclusive' Previous: 'Running'
    Paused "InconclusiveAnalysisRun" controllerPause pause=InconclusiveAnalysisRun step=1 current=v2 stable=v1
    event RolloutPaused
    Paused "InconclusiveAnalysisRun" controllerPause step=1 current=v2 stable=v1
    Progressing "more replicas need to be updated" controllerPause step=1 current=v2 stable=v1
    ar app-v2-2-1.1 created
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    ar app-v2-2-1.1 Running
    event AnalysisRunRunning: Step Analysis Run 'app-v2-2-1.1' Status New: 'Running' Previous: ''
    "#);
}

#[test]
fn canary_background_analysis_failed_late() {
    let mut bench = Bench::canary(json!({"steps": steps(&[20, 60]), "analysis": analysis("check")}));
    bench.release("v2");
    bench.seconds(15);
    bench.take_trace();
    bench.run_ends("-2", "Failed");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2 Failed
    event AnalysisRunFailed!: Background Analysis Run 'app-v2-2' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: the metric failed" abort step=0 current=v2 stable=v1
    rs app-v1 1 -> 2
    event ScalingReplicaSet
    rs app-v2 5 -> 3
    event ScalingReplicaSet
    rs app-v1 2 -> 4
    event ScalingReplicaSet
    rs app-v2 3 -> 0
    event ScalingReplicaSet
    rs app-v1 4 -> 5
    event ScalingReplicaSet
    "#);
}

#[test]
fn canary_never_ready_deadline_abort() {
    let deadline = json!({"progressDeadlineSeconds": 15, "progressDeadlineAbort": true});
    let mut bench = Bench::canary_with(json!({"steps": steps(&[40])}), deadline);
    bench.ready_after = Some(std::time::Duration::from_secs(1_000));
    bench.release("v2");
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    rs app-v1 5 -> 4
    event ScalingReplicaSet
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    event RolloutAborted!: ReplicaSet "app-v2" has timed out progressing.
    Degraded "ProgressDeadlineExceeded: ReplicaSet "app-v2" has timed out progressing." abort step=0 current=v2 stable=v1
    rs app-v1 4 -> 5
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 current=v2 stable=v1
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn canary_no_steps_broken() {
    let mut bench = Bench::canary_with(json!({}), json!({"progressDeadlineSeconds": 15}));
    bench.ready_after = Some(std::time::Duration::from_secs(1_000));
    bench.release("v2");
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" current=v2 stable=v1
    rs app-v1 5 -> 4
    event ScalingReplicaSet
    rs app-v2 0 -> 3
    event ScalingReplicaSet
    Degraded "ProgressDeadlineExceeded: ReplicaSet "app-v2" has timed out progressing." current=v2 stable=v1
    "#);
}

#[test]
fn canary_service_goes_back_to_stable_when_aborted() {
    let services =
        json!({"stableService": "app-stable", "canaryService": "app-canary", "steps": hold_at(20)["steps"]});
    let mut bench = Bench::canary(services);
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.abort();
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    rs app-v1 4 -> 5
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 current=v2 stable=v1
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    "#);
}

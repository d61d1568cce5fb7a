//! Canaries that go well: steps, pauses and analyses.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{analysis, canary_of, hold_at, steps};
use super::bench::Bench;
use crate::twin::store::Kind;

#[test]
fn canary_first_deploy() {
    let mut bench = Bench::new();
    bench.create(Kind::Rollout, canary_of(&json!({"steps": steps(&[20, 60])}), &json!({"replicas": 5})));
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAddedToInformer
    rs app-v1 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v1 stable=-
    rs app-v1 0 -> 5
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 1 (v1): Initial deploy
    Progressing "more replicas need to be updated" step=4 current=v1 stable=v1
    Progressing "updated replicas are still becoming available" step=4 current=v1 stable=v1
    Healthy "" step=4 current=v1 stable=v1
    "#);
}

#[test]
fn canary_happy_steps() {
    let mut bench = Bench::canary(json!({"steps": steps(&[20, 60])}));
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
    rs app-v2 1 -> 3
    event ScalingReplicaSet
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    rs app-v2 3 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=4 current=v2 stable=v1
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 4 canary steps
    Progressing "old replicas are pending termination" step=4 current=v2 stable=v2
    Healthy "" step=4 current=v2 stable=v2
    "#);
}

#[test]
fn canary_no_steps() {
    let mut bench = Bench::canary(json!({}));
    bench.release("v2");
    bench.seconds(60);
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
    rs app-v1 4 -> 1
    event ScalingReplicaSet
    rs app-v2 3 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" current=v2 stable=v1
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 0 canary steps
    Progressing "old replicas are pending termination" current=v2 stable=v2
    Healthy "" current=v2 stable=v2
    "#);
}

#[test]
fn canary_pause_indefinite_promote() {
    let mut bench = Bench::canary(hold_at(20));
    bench.release("v2");
    bench.seconds(600);
    bench.promote();
    bench.seconds(20);
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
    Paused "CanaryPauseStep" controllerPause step=1 current=v2 stable=v1
    Progressing "more replicas need to be updated" controllerPause step=1 current=v2 stable=v1
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    rs app-v2 1 -> 4
    event ScalingReplicaSet
    rs app-v1 3 -> 0
    event ScalingReplicaSet
    rs app-v2 4 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn canary_promote_full() {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"analysis": analysis("check")}]);
    let mut bench = Bench::canary(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.promote_full();
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    Progressing "more replicas need to be updated" step=4 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 4
    event ScalingReplicaSet
    rs app-v1 3 -> 0
    event ScalingReplicaSet
    rs app-v2 4 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=4 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Full promotion requested
    Healthy "" step=4 current=v2 stable=v2
    "#);
}

#[test]
fn canary_user_pause() {
    let mut bench = Bench::canary(json!({"steps": steps(&[40])}));
    bench.release("v2");
    bench.seconds(4);
    bench.take_trace();
    bench.spec(json!({"paused": true}));
    bench.seconds(30);
    bench.spec(json!({"paused": false}));
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "manually paused" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    rs app-v2 2 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v1
    rs app-v1 2 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v2
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn canary_with_services_happy() {
    let services =
        json!({"stableService": "app-stable", "canaryService": "app-canary", "steps": steps(&[20])});
    let mut bench = Bench::canary(services);
    bench.release("v2");
    bench.seconds(30);
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
    app-canary -> v2
    event SwitchService
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    rs app-v2 1 -> 4
    event ScalingReplicaSet
    rs app-v1 3 -> 0
    event ScalingReplicaSet
    rs app-v2 4 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Healthy "" step=2 current=v2 stable=v2
    app-stable -> v2
    event SwitchService
    "#);
}

#[test]
fn canary_step_analysis_successful() {
    let steps = json!([{"setWeight": 20}, {"analysis": analysis("check")}]);
    let mut bench = Bench::canary(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(10);
    bench.run_ends("-2-1", "Successful");
    bench.seconds(20);
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
    ar app-v2-2-1 created
    ar app-v2-2-1 Running
    event AnalysisRunRunning: Step Analysis Run 'app-v2-2-1' Status New: 'Running' Previous: ''
    ar app-v2-2-1 Successful
    event AnalysisRunSuccessful: Step Analysis Run 'app-v2-2-1' Status New: 'Successful' Previous: 'Running'
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    rs app-v2 1 -> 4
    event ScalingReplicaSet
    rs app-v1 3 -> 0
    event ScalingReplicaSet
    rs app-v2 4 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v1
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn canary_background_terminated_at_end() {
    let mut bench = Bench::canary(json!({"steps": steps(&[40]), "analysis": analysis("check")}));
    bench.release("v2");
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    ar app-v2-2 created
    rs app-v1 5 -> 4
    event ScalingReplicaSet
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    ar app-v2-2 Running
    event AnalysisRunRunning: Background Analysis Run 'app-v2-2' Status New: 'Running' Previous: ''
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    rs app-v2 2 -> 5
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" step=2 current=v2 stable=v1
    rs app-v1 2 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v2
    ar app-v2-2 terminated
    ar app-v2-2 Successful
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn canary_background_inconclusive() {
    let mut bench = Bench::canary(json!({"steps": steps(&[20, 60]), "analysis": analysis("check")}));
    bench.release("v2");
    bench.seconds(1);
    bench.run_ends("-2", "Inconclusive");
    bench.seconds(30);
    bench.promote();
    bench.seconds(3);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    ar app-v2-2 created
    rs app-v1 5 -> 4
    event ScalingReplicaSet
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    ar app-v2-2 Running
    event AnalysisRunRunning: Background Analysis Run 'app-v2-2' Status New: 'Running' Previous: ''
    ar app-v2-2 Inconclusive
    event AnalysisRunInconclusive: Background Analysis Run 'app-v2-2' Status New: 'Inconclusive' Previous: 'Running'
    Paused "InconclusiveAnalysisRun" controllerPause pause=InconclusiveAnalysisRun step=0 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Paused "InconclusiveAnalysisRun" controllerPause pause=InconclusiveAnalysisRun step=1 current=v2 stable=v1
    event RolloutStepCompleted
    Paused "InconclusiveAnalysisRun" controllerPause pause=InconclusiveAnalysisRun step=2 current=v2 stable=v1
    Paused "InconclusiveAnalysisRun" controllerPause step=2 current=v2 stable=v1
    Progressing "more replicas need to be updated" controllerPause step=2 current=v2 stable=v1
    ar app-v2-2.1 created
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    rs app-v2 1 -> 3
    event ScalingReplicaSet
    ar app-v2-2.1 Running
    event AnalysisRunRunning: Background Analysis Run 'app-v2-2.1' Status New: 'Running' Previous: ''
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn a_background_analysis_waits_for_its_starting_step() {
    let analysis = json!({"templates": [{"templateName": "check"}], "startingStep": 2});
    let mut bench = Bench::canary(json!({"steps": steps(&[20, 60]), "analysis": analysis}));
    bench.release("v2");
    bench.seconds(10);
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
    ar app-v2-2 created
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    rs app-v2 1 -> 3
    event ScalingReplicaSet
    ar app-v2-2 Running
    event AnalysisRunRunning: Background Analysis Run 'app-v2-2' Status New: 'Running' Previous: ''
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn canary_new_template_mid_flight() {
    let mut bench = Bench::canary(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.release("v3");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v3 created
    event RolloutUpdated
    event NewReplicaSetCreated
    Progressing "more replicas need to be updated" step=0 current=v3 stable=v1
    event RolloutResumed
    rs app-v3 0 -> 2
    event ScalingReplicaSet
    rs app-v2 2 -> 1
    event ScalingReplicaSet
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v3 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v3 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn steps_edited_during_an_update_begin_again() {
    let mut bench = Bench::canary(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(json!({"strategy": {"canary": hold_at(60)}}));
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    Progressing "more replicas need to be updated" step=0 current=v2 stable=v1
    event RolloutResumed
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    rs app-v2 2 -> 3
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    "#);
}

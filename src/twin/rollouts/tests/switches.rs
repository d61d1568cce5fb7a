//! From one strategy to the other.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{analysis, hold_at, template};
use super::bench::Bench;

fn to_canary() -> serde_json::Value {
    json!({"strategy": {"blueGreen": null, "canary": {"steps": [{"setWeight": 50}, {"pause": {"duration": 8}}]}}})
}

fn to_blue_green() -> serde_json::Value {
    let services = json!({"activeService": "app-active", "previewService": "app-preview"});
    json!({"strategy": {"canary": null, "blueGreen": services}})
}

#[test]
fn strategy_switched_bluegreen_to_canary_healthy() {
    let mut bench = Bench::deployed(json!({}));
    bench.spec(to_canary());
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    Healthy "" current=v1 stable=v1
    app-active -> -
    app-preview -> -
    event SkipSteps
    Healthy "" step=2 current=v1 stable=v1
    "#);
}

#[test]
fn strategy_switched_bluegreen_to_canary_mid_post_analysis() {
    let mut bench = Bench::deployed(json!({"postPromotionAnalysis": analysis("post")}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.spec(to_canary());
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    Progressing "waiting for analysis to complete" current=v2 stable=v1
    app-active -> -
    app-preview -> -
    Progressing "old replicas are pending termination" step=0 current=v2 stable=v1
    ar app-v2-2-post terminated
    rs app-v2 2 -> 1
    event ScalingReplicaSet
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    ar app-v2-2-post Successful
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v1
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v2
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn strategy_switched_bluegreen_to_canary_while_paused() {
    let mut bench = Bench::deployed(json!({"autoPromotionEnabled": false}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.spec(to_canary());
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause current=v2 stable=v1
    app-active -> -
    app-preview -> -
    Progressing "old replicas are pending termination" step=0 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 2 -> 1
    event ScalingReplicaSet
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v1
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    Progressing "old replicas are pending termination" step=2 current=v2 stable=v2
    Healthy "" step=2 current=v2 stable=v2
    "#);
}

#[test]
fn strategy_switched_canary_to_bluegreen_healthy() {
    let mut bench = Bench::canary(hold_at(40));
    bench.spec(to_blue_green());
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    Healthy "" active=- preview=- step=2 current=v1 stable=v1
    app-preview -> v1
    event SwitchService
    app-active -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    "#);
}

#[test]
fn strategy_switched_canary_to_bluegreen_mid_update() {
    let mut bench = Bench::canary(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(to_blue_green());
    bench.seconds(40);
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep active=- preview=- step=1 current=v2 stable=v1
    app-preview -> v2
    event SwitchService
    rs app-v1 3 -> 5
    event ScalingReplicaSet
    rs app-v2 2 -> 5
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Initial deploy
    Progressing "more replicas need to be updated" active=- preview=v2 current=v2 stable=v2
    event RolloutResumed
    rs app-v1 deadline set
    Progressing "active service cutover pending" active=- preview=v2 current=v2 stable=v2
    app-active -> v2
    event SwitchService
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 5 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn strategy_switched_canary_to_bluegreen_services_missing() {
    let mut bench = Bench::canary(hold_at(40));
    bench.delete(crate::twin::store::Kind::Service, "app-active");
    bench.spec(to_blue_green());
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    Healthy "" active=- preview=- step=2 current=v1 stable=v1
    error: spec.strategy.blueGreen.activeService: Invalid value: "app-active": service "app-active" not found
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.blueGreen.activeService: Invalid value: "app-active": service "app-active" not found" active=- preview=- step=2 current=v1 stable=v1
    error: spec.strategy.blueGreen.activeService: Invalid value: "app-active": service "app-active" not found
    "#);
}

#[test]
fn strategy_switched_canary_to_bluegreen_with_new_template() {
    let mut bench = Bench::canary(hold_at(40));
    let mut both = to_blue_green();
    both["template"] = template("v2");
    bench.spec(both);
    bench.seconds(40);
    assert_snapshot!(bench.take_trace(), @r#"
    Healthy "" active=- preview=- step=2 current=v1 stable=v1
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    app-preview -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Initial deploy
    Progressing "more replicas need to be updated" active=- preview=v2 current=v2 stable=v2
    rs app-v2 0 -> 5
    event ScalingReplicaSet
    error: Operation cannot be fulfilled on replicasets.apps "app-v2": the object has been modified; please apply your changes to the latest version and try again
    rs app-v1 deadline set
    Progressing "active service cutover pending" active=- preview=v2 current=v2 stable=v2
    app-active -> v2
    event SwitchService
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 5 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

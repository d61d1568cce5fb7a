//! What hands from outside do to canaries behind ingress-nginx.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{analysis, hold_at, steps};
use super::bench::Bench;
use crate::twin::store::{Kind, Part};

#[test]
fn tr_canary_becomes_unready_at_weight_40() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.ready("v2", 0);
    bench.seconds(5);
    bench.ready("v2", 1);
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=0/100 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 40
    event TrafficWeightUpdated
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    "#);
}

#[test]
fn tr_canary_weight_edited_by_hand() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.merge(
        Kind::Ingress,
        "app-app-canary",
        Part::Main,
        json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "90"}}}),
    );
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
    ingress app-app-canary 90
    event PatchingCanaryIngress
    ingress app-app-canary 40
    "#);
}

#[test]
fn tr_canary_ingress_deleted_mid_flight() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.delete(Kind::Ingress, "app-app-canary");
    bench.seconds(5);
    bench.promote();
    bench.seconds(1);
    assert_snapshot!(bench.take_trace(), @r#"
    ingress app-app-canary deleted
    Paused "CanaryPauseStep" controllerPause step=1 weights=40/60 current=v2 stable=v1
    Progressing "more replicas need to be updated" controllerPause step=1 weights=40/60 current=v2 stable=v1
    event CreatingCanaryIngress
    ingress app-app-canary 40
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 weights=40/60 current=v2 stable=v1
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=2 weights=40/60 current=v2 stable=v1
    "#);
}

#[test]
fn tr_ingress_deleted_mid_flight() {
    let mut bench = Bench::routed(json!({"steps": steps(&[40])}));
    bench.release("v2");
    bench.seconds(4);
    bench.take_trace();
    bench.delete(Kind::Ingress, "app");
    bench.seconds(9);
    assert_snapshot!(bench.take_trace(), @r#"
    ingress app deleted
    error: spec.strategy.canary.trafficRouting.nginx.stableIngress: Invalid value: "app": ingress.networking.k8s.io "app" not found
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.canary.trafficRouting.nginx.stableIngress: Invalid value: "app": ingress.networking.k8s.io "app" not found" controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    error: spec.strategy.canary.trafficRouting.nginx.stableIngress: Invalid value: "app": ingress.networking.k8s.io "app" not found
    "#);
}

#[test]
fn tr_removed_mid_flight() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(json!({"strategy": {"canary": {"trafficRouting": null}}}));
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 current=v2 stable=v1
    "#);
}

#[test]
fn tr_scale_up_mid_flight() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(json!({"replicas": 8}));
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 4 -> 8
    event ScalingReplicaSet
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_added_to_running_canary() {
    let mut bench = Bench::canary_with(json!({"steps": steps(&[40])}), json!({"replicas": 4}));
    let routing = json!({"stableService": "app-stable", "canaryService": "app-canary", "trafficRouting": {"nginx": {"stableIngress": "app"}}});
    bench.spec(json!({"strategy": {"canary": routing}}));
    bench.release("v2");
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
    app-stable -> v1
    event SwitchService
    app-canary -> v1
    event SwitchService
    event CreatingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=2 weights=0/100 current=v1 stable=v1
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 weights=0/100 current=v2 stable=v1
    event TrafficWeightUpdated
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    app-canary -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 40
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=40/60 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn tr_stable_service_selector_edited() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.strip_selector("app-stable");
    bench.seconds(5);
    bench.touch();
    assert_snapshot!(bench.take_trace(), @r#"
    app-stable -> -
    app-stable -> v1
    event SwitchService
    "#);
}

#[test]
fn tr_scale_down_mid_flight() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.spec(json!({"replicas": 2}));
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 4 -> 2
    event ScalingReplicaSet
    rs app-v2 2 -> 1
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_rollback_window_after_scale_down() {
    let mut bench = Bench::routed_with(
        json!({"steps": steps(&[40]), "scaleDownDelaySeconds": 5, "analysis": analysis("check")}),
        json!({"rollbackWindow": {"revisions": 2}}),
    );
    bench.release("v2");
    bench.seconds(40);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 weights=0/100 current=v1 stable=v2
    event TrafficWeightUpdated
    rs app-v1 0 -> 2
    event ScalingReplicaSet
    Progressing "more replicas need to be updated" step=2 weights=0/100 current=v1 stable=v2
    rs app-v1 2 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=2 weights=0/100 current=v1 stable=v2
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 100
    event TrafficWeightUpdated
    event RolloutCompleted: Rollout completed update to revision 3 (v1): Rollback within window
    Healthy "" step=2 weights=100/0 current=v1 stable=v1
    app-stable -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=2 weights=0/100 current=v1 stable=v1
    rs app-v2 deadline set
    rs app-v2 4 -> 0
    rs app-v2 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_ping_pong() {
    let pair = json!({"pingService": "app-stable", "pongService": "app-canary"});
    let nginx = json!({"nginx": {"stableIngress": "app"}});
    let mut bench = Bench::canary(hold_at(40));
    bench.spec(json!({"strategy": {"canary": {"pingPong": pair, "trafficRouting": nginx}}}));
    bench.seconds(1);
    assert_snapshot!(bench.take_trace(), @r#"
    error: spec.strategy.trafficRouting.alb: Invalid value: null: Ping-pong feature works with the ALB and Istio traffic routers only
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.trafficRouting.alb: Invalid value: null: Ping-pong feature works with the ALB and Istio traffic routers only" step=2 current=v1 stable=v1
    error: spec.strategy.trafficRouting.alb: Invalid value: null: Ping-pong feature works with the ALB and Istio traffic routers only
    "#);
}

//! Canaries behind ingress-nginx that go well.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{hold_at, steps};
use super::bench::Bench;

#[test]
fn tr_happy_steps() {
    let mut bench = Bench::routed(json!({"scaleDownDelaySeconds": 10, "steps": steps(&[20, 50, 100])}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 weights=0/100 current=v2 stable=v1
    event TrafficWeightUpdated
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    app-canary -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 20
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=20/80 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=20/80 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 weights=20/80 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    event PatchingCanaryIngress
    ingress app-app-canary 50
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 weights=50/50 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 weights=50/50 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 weights=50/50 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=4 weights=50/50 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 100
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "waiting for all steps to complete" step=5 weights=100/0 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=5 weights=100/0 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "waiting for all steps to complete" step=6 weights=100/0 current=v2 stable=v1
    event RolloutResumed
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 6 canary steps
    Healthy "" step=6 weights=100/0 current=v2 stable=v2
    app-stable -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=6 weights=0/100 current=v2 stable=v2
    rs app-v1 deadline set
    rs app-v1 4 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_no_steps() {
    let mut bench = Bench::routed(json!({}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" weights=0/100 current=v2 stable=v1
    event TrafficWeightUpdated
    rs app-v2 0 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" weights=0/100 current=v2 stable=v1
    app-canary -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 0 canary steps
    Healthy "" weights=0/100 current=v2 stable=v2
    app-stable -> v2
    event SwitchService
    event TrafficWeightUpdated
    rs app-v1 deadline set
    rs app-v1 4 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_max_traffic_weight() {
    let nginx = json!({"nginx": {"stableIngress": "app"}, "maxTrafficWeight": 1000});
    let mut bench = Bench::routed(json!({"trafficRouting": nginx, "steps": steps(&[100, 500])}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 weights=0/1000 current=v2 stable=v1
    event TrafficWeightUpdated
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    app-canary -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 100
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=100/900 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=100/900 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 weights=100/900 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    event PatchingCanaryIngress
    ingress app-app-canary 500
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 weights=500/500 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 weights=500/500 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 weights=500/500 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=4 weights=500/500 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 1000
    event TrafficWeightUpdated
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 4 canary steps
    Healthy "" step=4 weights=1000/0 current=v2 stable=v2
    app-stable -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=4 weights=0/1000 current=v2 stable=v2
    rs app-v1 deadline set
    rs app-v1 4 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_min_pods_per_replicaset() {
    let mut bench = Bench::routed(json!({"minPodsPerReplicaSet": 2, "steps": steps(&[5])}));
    bench.release("v2");
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
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
    ingress app-app-canary 5
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=5/95 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=5/95 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn tr_set_canary_scale_below_weight() {
    let steps = json!([{"setCanaryScale": {"replicas": 1}}, {"setWeight": 90}, {"pause": {"duration": 5}}, {"setCanaryScale": {"replicas": 0}}, {"pause": {"duration": 5}}]);
    let mut bench = Bench::routed(json!({"steps": steps}));
    bench.release("v2");
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" step=0 weights=0/100 current=v2 stable=v1
    event TrafficWeightUpdated
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    app-canary -> v2
    event SwitchService
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=0/100 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 90
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 weights=90/10 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=2 weights=90/10 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 weights=90/10 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 weights=0/100 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=4 weights=0/100 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=5 weights=0/100 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 0 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=5 weights=0/100 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 100
    event TrafficWeightUpdated
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 5 canary steps
    Healthy "" step=5 weights=100/0 current=v2 stable=v2
    app-stable -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=5 weights=0/100 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn tr_set_weight_down() {
    let mut bench = Bench::routed(json!({"steps": steps(&[50, 25])}));
    bench.release("v2");
    bench.seconds(12);
    assert_snapshot!(bench.take_trace(), @r#"
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
    ingress app-app-canary 50
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=50/50 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=50/50 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 weights=50/50 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 2 -> 1
    event ScalingReplicaSet
    event PatchingCanaryIngress
    ingress app-app-canary 25
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 weights=25/75 current=v2 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 weights=25/75 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 weights=25/75 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=4 weights=25/75 current=v2 stable=v1
    "#);
}

#[test]
fn tr_new_template_mid_flight() {
    let mut bench = Bench::routed(hold_at(40));
    bench.release("v2");
    bench.seconds(10);
    bench.take_trace();
    bench.release("v3");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v3 created
    event RolloutUpdated
    event NewReplicaSetCreated
    Progressing "more replicas need to be updated" step=0 weights=40/60 current=v3 stable=v1
    event RolloutResumed
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    rs app-v3 0 -> 2
    event ScalingReplicaSet
    Progressing "more replicas need to be updated" step=0 weights=0/100 current=v3 stable=v1
    app-canary -> v3
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 40
    event TrafficWeightUpdated
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=40/60 current=v3 stable=v1
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=40/60 current=v3 stable=v1
    event RolloutPaused
    "#);
}

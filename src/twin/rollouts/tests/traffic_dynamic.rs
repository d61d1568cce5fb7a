//! Canaries behind ingress-nginx whose stable revision shrinks as the new one grows.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::{folded, hold_at, steps};
use super::bench::Bench;

#[test]
fn tr_dynamic_stable_scale_happy() {
    let mut bench = Bench::routed(json!({"dynamicStableScale": true, "steps": steps(&[25, 50, 75])}));
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
    ingress app-app-canary 25
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=1 weights=25/75 current=v2 stable=v1
    rs app-v1 4 -> 3
    event ScalingReplicaSet
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=1 weights=25/75 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 weights=25/75 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 1 -> 2
    event ScalingReplicaSet
    event PatchingCanaryIngress
    ingress app-app-canary 50
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=3 weights=50/50 current=v2 stable=v1
    rs app-v1 3 -> 2
    event ScalingReplicaSet
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 weights=50/50 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=4 weights=50/50 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 2 -> 3
    event ScalingReplicaSet
    event PatchingCanaryIngress
    ingress app-app-canary 75
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=5 weights=75/25 current=v2 stable=v1
    rs app-v1 2 -> 1
    event ScalingReplicaSet
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=5 weights=75/25 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=6 weights=75/25 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 3 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=6 weights=75/25 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 100
    event TrafficWeightUpdated
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 6 canary steps
    Healthy "" step=6 weights=100/0 current=v2 stable=v2
    app-stable -> v2
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=6 weights=0/100 current=v2 stable=v2
    rs app-v1 1 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_dynamic_stable_scale_abort() {
    let steps = json!([{"setWeight": 25}, {"setWeight": 50}, {"setWeight": 75}, {"pause": {}}]);
    let mut bench = Bench::routed(json!({"dynamicStableScale": true, "steps": steps}));
    bench.release("v2");
    bench.seconds(20);
    bench.take_trace();
    bench.abort();
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=3 weights=75/25 current=v2 stable=v1
    rs app-v1 1 -> 2
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=75/25 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 50
    event TrafficWeightUpdated
    rs app-v2 3 -> 2
    event ScalingReplicaSet
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=50/50 current=v2 stable=v1
    rs app-v1 2 -> 3
    event ScalingReplicaSet
    event PatchingCanaryIngress
    ingress app-app-canary 25
    event TrafficWeightUpdated
    rs app-v2 2 -> 1
    event ScalingReplicaSet
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=25/75 current=v2 stable=v1
    rs app-v1 3 -> 4
    event ScalingReplicaSet
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    rs app-v2 1 -> 0
    event ScalingReplicaSet
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=0/100 current=v2 stable=v1
    "#);
}

#[test]
fn tr_dynamic_stable_scale_abort_with_delay() {
    let strategy =
        json!({"dynamicStableScale": true, "abortScaleDownDelaySeconds": 10, "steps": hold_at(75)["steps"]});
    let mut bench = Bench::routed(strategy);
    bench.release("v2");
    bench.seconds(20);
    bench.take_trace();
    bench.abort();
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    Paused "CanaryPauseStep" abort controllerPause pause=CanaryPauseStep step=1 weights=75/25 current=v2 stable=v1
    rs app-v1 1 -> 4
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=75/25 current=v2 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    rs app-v2 deadline set
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort step=0 weights=0/100 current=v2 stable=v1
    rs app-v2 3 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn a_dynamic_rollback_to_stable_waits_for_its_pods() {
    let strategy = json!({"dynamicStableScale": true, "steps": hold_at(75)["steps"]});
    let mut bench = Bench::routed(strategy);
    bench.release("v2");
    bench.seconds(20);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(40);
    assert_snapshot!(folded(&bench.take_trace()), @r#"
    event RolloutUpdated
    event SkipSteps
    Progressing "more replicas need to be updated" step=2 weights=75/25 current=v1 stable=v1
    event RolloutResumed
    rs app-v1 1 -> 4
    event ScalingReplicaSet
    Healthy "" step=2 weights=75/25 current=v1 stable=v1
    app-canary -> v1
    event SwitchService
    event PatchingCanaryIngress
    ingress app-app-canary 0
    event TrafficWeightUpdated
    Healthy "" step=2 weights=0/100 current=v1 stable=v1
    rs app-v2 3 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn tr_min_pods_per_replicaset_dynamic() {
    let mut bench = Bench::routed(
        json!({"dynamicStableScale": true, "minPodsPerReplicaSet": 2, "steps": steps(&[5, 90, 100])}),
    );
    bench.release("v2");
    bench.seconds(40);
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
    event RolloutStepCompleted
    Progressing "more replicas need to be updated" step=2 weights=5/95 current=v2 stable=v1
    event RolloutResumed
    rs app-v2 2 -> 4
    event ScalingReplicaSet
    Progressing "waiting for all steps to complete" step=2 weights=5/95 current=v2 stable=v1
    event PatchingCanaryIngress
    ingress app-app-canary 90
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "waiting for all steps to complete" step=3 weights=90/10 current=v2 stable=v1
    rs app-v1 4 -> 2
    event ScalingReplicaSet
    Paused "CanaryPauseStep" controllerPause pause=CanaryPauseStep step=3 weights=90/10 current=v2 stable=v1
    event RolloutPaused
    event RolloutStepCompleted
    Progressing "waiting for all steps to complete" step=4 weights=90/10 current=v2 stable=v1
    event RolloutResumed
    event PatchingCanaryIngress
    ingress app-app-canary 100
    event TrafficWeightUpdated
    event RolloutStepCompleted
    Progressing "waiting for all steps to complete" step=5 weights=100/0 current=v2 stable=v1
    rs app-v1 2 -> 0
    event ScalingReplicaSet
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
    "#);
}

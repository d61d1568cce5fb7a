//! What canaries write besides sizes and statuses: labels, runs, and what is wrong with a spec.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::acts::{analysis, hold_at, labels, steps};
use super::bench::Bench;
use crate::argo::Version;
use crate::twin::store::{Kind, Part};

/// The role that the pods of a version will be labelled with.
fn role(bench: &Bench, version: &str) -> Value {
    let rs = bench.get(Kind::ReplicaSet, &bench.replica_set(version)).expect("it is there");
    rs["spec"]["template"]["metadata"]["labels"]["role"].clone()
}

fn dressed(mut strategy: Value) -> Bench {
    strategy["canaryMetadata"] = json!({"labels": {"role": "canary"}});
    strategy["stableMetadata"] = json!({"labels": {"role": "stable"}});
    Bench::canary(strategy)
}

#[test]
fn canary_ephemeral_metadata() {
    let mut bench = dressed(json!({"steps": steps(&[40])}));
    assert_eq!(role(&bench, "v1"), "stable");
    bench.release("v2");
    bench.seconds(4);
    assert_eq!((role(&bench, "v1"), role(&bench, "v2")), (json!("stable"), json!("canary")));
    bench.seconds(30);
    assert_eq!((role(&bench, "v1"), role(&bench, "v2")), (Value::Null, json!("stable")));
}

#[test]
fn canary_ephemeral_metadata_abort() {
    let mut bench = dressed(hold_at(40));
    bench.release("v2");
    bench.seconds(4);
    bench.abort();
    bench.seconds(10);
    assert_eq!((role(&bench, "v1"), role(&bench, "v2")), (json!("stable"), json!("canary")));
}

#[test]
fn runs_say_what_they_are_for() {
    let steps = json!([{"setWeight": 20}, {"analysis": analysis("check")}]);
    let mut bench = Bench::canary(json!({"steps": steps, "analysis": analysis("other")}));
    bench.release("v2");
    bench.seconds(5);
    let runs = bench.store.list(Kind::AnalysisRun, None);
    let labels: Vec<Value> = runs.map(|(_, run)| labels(run)).collect();
    let step = json!({"app": "app", "rollout-type": "Step", "step-index": "1"});
    assert_eq!(labels, [json!({"app": "app", "rollout-type": "Background"}), step]);
}

#[test]
fn canary_two_background_templates() {
    let both = json!({"templates": [{"templateName": "check"}, {"templateName": "other"}]});
    let mut bench = Bench::canary(json!({"steps": hold_at(20)["steps"], "analysis": both}));
    bench.release("v2");
    bench.seconds(5);
    let runs: Vec<Value> =
        bench.store.list(Kind::AnalysisRun, None).map(|(_, run)| (**run).clone()).collect();
    let [run] = runs.as_slice() else { panic!("one run, not {}", runs.len()) };
    let metrics = run["spec"]["metrics"].as_array().expect("metrics");
    assert_eq!(metrics.iter().map(|metric| &metric["name"]).collect::<Vec<_>>(), ["check", "other"]);
}

#[test]
fn canary_two_background_templates_same_metric_name() {
    let mut bench = Bench::canary(hold_at(20));
    let metric = json!({"name": "check", "provider": {"prometheus": {"query": "1"}}});
    bench.merge(Kind::AnalysisTemplate, "other", Part::Main, json!({"spec": {"metrics": [metric]}}));
    let both = json!({"templates": [{"templateName": "check"}, {"templateName": "other"}]});
    bench.spec(json!({"strategy": {"canary": {"analysis": both}}}));
    assert_snapshot!(bench.take_trace(), @r#"
    error: spec.strategy.canary.analysis.templates: Invalid value: "templateNames: [check other]": two metrics have the same name 'check'
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.canary.analysis.templates: Invalid value: "templateNames: [check other]": two metrics have the same name 'check'" step=2 current=v1 stable=v1
    error: spec.strategy.canary.analysis.templates: Invalid value: "templateNames: [check other]": two metrics have the same name 'check'
    "#);
}

#[test]
fn the_events_of_a_canary_read_as_upstream_words_them() {
    let mut bench = Bench::routed(json!({"steps": [{"setWeight": 40}, {"pause": {"duration": "3s"}}]}));
    bench.verbose = true;
    bench.release("v2");
    bench.seconds(20);
    bench.release("v1");
    bench.seconds(3);
    bench.release("v2");
    bench.seconds(3);
    let trace = bench.take_trace();
    let events: Vec<&str> = trace.lines().filter_map(|line| line.strip_prefix("event ")).collect();
    assert_snapshot!(events.join("\n"), @r#"
    RolloutUpdated: Rollout updated to revision 2
    NewReplicaSetCreated: Created ReplicaSet app-v2 (revision 2)
    RolloutNotCompleted: Rollout not completed, started update to revision 2 (v2)
    TrafficWeightUpdated: Traffic weight updated 
    ScalingReplicaSet: Scaled up ReplicaSet app-v2 (revision 2) from 0 to 2
    SwitchService: Switched selector for service 'app-canary' from 'v1' to 'v2'
    PatchingCanaryIngress: Updating Ingress `app-app-canary` to desiredWeight '40'
    TrafficWeightUpdated: Traffic weight updated from 0 to 40
    RolloutStepCompleted: Rollout step 1/2 completed (setWeight: 40)
    RolloutPaused: Rollout is paused (CanaryPauseStep)
    RolloutStepCompleted: Rollout step 2/2 completed (pause: 3s)
    RolloutResumed: Rollout is resumed
    ScalingReplicaSet: Scaled up ReplicaSet app-v2 (revision 2) from 2 to 4
    PatchingCanaryIngress: Updating Ingress `app-app-canary` to desiredWeight '100'
    TrafficWeightUpdated: Traffic weight updated from 40 to 100
    RolloutCompleted: Rollout completed update to revision 2 (v2): Completed all 2 canary steps
    SwitchService: Switched selector for service 'app-stable' from 'v1' to 'v2'
    PatchingCanaryIngress: Updating Ingress `app-app-canary` to desiredWeight '0'
    TrafficWeightUpdated: Traffic weight updated from 100 to 0
    RolloutUpdated: Rollout updated to revision 3
    RolloutNotCompleted: Rollout not completed, started update to revision 3 (v1)
    SwitchService: Switched selector for service 'app-canary' from 'v2' to 'v1'
    TrafficWeightUpdated: Traffic weight updated 
    TrafficWeightUpdated: Traffic weight updated 
    ScalingReplicaSet: Scaled down ReplicaSet app-v1 (revision 3) from 4 to 2
    PatchingCanaryIngress: Updating Ingress `app-app-canary` to desiredWeight '40'
    TrafficWeightUpdated: Traffic weight updated from 0 to 40
    RolloutStepCompleted: Rollout step 1/2 completed (setWeight: 40)
    RolloutPaused: Rollout is paused (CanaryPauseStep)
    RolloutStepCompleted: Rollout step 2/2 completed (pause: 3s)
    RolloutResumed: Rollout is resumed
    ScalingReplicaSet: Scaled up ReplicaSet app-v1 (revision 3) from 2 to 4
    RolloutUpdated: Rollout updated to revision 4
    SkipSteps: Rollback to stable ReplicaSets
    SwitchService: Switched selector for service 'app-canary' from 'v1' to 'v2'
    PatchingCanaryIngress: Updating Ingress `app-app-canary` to desiredWeight '0'
    TrafficWeightUpdated: Traffic weight updated from 40 to 0
    ScalingReplicaSet: Scaled down ReplicaSet app-v1 (revision 3) from 4 to 2
    "#);
}

/// What the status says of the step's run some time after it failed.
fn run_after_abort(version: Version) -> Value {
    let mut bench = Bench::canary(json!({"steps": [{"setWeight": 20}, {"analysis": analysis("check")}]}));
    bench.version = version;
    bench.release("v2");
    bench.seconds(5);
    bench.run_ends("-2-1", "Failed");
    bench.seconds(10);
    bench.get(Kind::Rollout, "app").expect("it is there")["status"]["canary"].clone()
}

#[test]
fn the_1_9_line_goes_on_naming_the_runs_of_an_aborted_canary() {
    let run = &run_after_abort(Version::V1_9)["currentStepAnalysisRunStatus"];
    assert_eq!(run["status"], json!("Failed"));
    assert_eq!(run_after_abort(Version::V1_10), json!({}));
}

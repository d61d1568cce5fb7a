//! Rollouts read, defaulted and written back.

use super::*;

fn round_trip(object: &Value) -> Value {
    Rollout::read(object).expect("a readable Rollout").to_value()
}

#[test]
fn what_the_type_does_not_know_survives() {
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "app", "finalizers": ["x"]},
        "spec": {"future": {"a": [1]}, "strategy": {"blueGreen": {"activeService": "a", "new": 1}}},
        "status": {"alb": {"x": 1}, "canary": {"currentExperiment": "e"}, "blueGreen": {}},
    });
    assert_eq!(round_trip(&object), object);
}

#[test]
fn zero_values_vanish_and_resources_appear_as_they_do_in_go() {
    let object = json!({"spec": {
        "paused": false, "minReadySeconds": 0, "replicas": null, "strategy": {},
        "template": {"spec": {"containers": [{"name": "a"}, "garbage"]}},
    }});
    let spec = json!({"strategy": {}, "template": {"spec": {"containers": [{"name": "a", "resources": {}}, "garbage"]}}});
    assert_eq!(round_trip(&object)["spec"], spec);
}

#[test]
fn an_empty_status_keeps_its_two_structs() {
    assert_eq!(round_trip(&json!({}))["status"], json!({"canary": {}, "blueGreen": {}}));
}

#[test]
fn what_does_not_fit_is_refused_with_a_sentence() {
    let error = Rollout::read(&json!({"spec": {"replicas": "two"}})).expect_err("not a number");
    assert_eq!(error, "invalid type: string \"two\", expected i32");
}

#[test]
fn a_selector_knows_its_labels_and_how_it_is_written() {
    let selector: LabelSelector = serde_json::from_value(json!({
        "matchLabels": {"app": "a"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["y", "x"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }))
    .expect("a selector");
    assert_eq!(selector.format(), "app=a,!old,tier in (x,y)");
    assert!(selector.matches(&BTreeMap::from([("app", "a"), ("tier", "x")])));
    assert!(!selector.matches(&BTreeMap::from([("app", "a"), ("tier", "z")])));
    assert!(!selector.matches(&BTreeMap::from([("app", "a"), ("tier", "x"), ("old", "")])));
}

//! One reconcile at a time.

use serde_json::{Value, json};

use super::{concerned, reconcile};
use crate::clock::Moment;
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Change, Key, Kind, Patch, Store};

const NOW: Moment = Moment::VIRTUAL_EPOCH;

fn key() -> Key {
    Key::new(Kind::Experiment, "ns", "e")
}

fn experiment(spec: Value, status: Value) -> Value {
    let mut spec = spec;
    if spec["templates"].is_null() {
        spec["templates"] = json!([{
            "name": "a", "replicas": 2, "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{
                "name": "c", "image": "i:1", "ports": [{"containerPort": 80}],
            }]}},
        }]);
    }
    json!({"metadata": {"name": "e", "namespace": "ns"}, "spec": spec, "status": status})
}

fn run(experiment: Value) -> Reconciled {
    let mut store = Store::with_namespaces(&["ns"]);
    store.create(NOW, Kind::Experiment, experiment).expect("an Experiment");
    reconcile(&store, NOW, &key())
}

/// What is done, in short words, and the status that is written.
fn check(experiment: Value, done: &[&str], status: Value) {
    let out = run(experiment);
    let mut written = Value::Null;
    let mut words = vec![];
    for effect in &out.effects {
        match effect {
            Effect::Create { kind, object } => {
                words.push(format!(
                    "create {} {}",
                    kind.info().kind,
                    object["metadata"]["name"].as_str().expect("a name")
                ));
            }
            Effect::Event { reason, .. } => words.push((*reason).to_owned()),
            Effect::Patch { key, patch: Patch::Merge(patch), .. } if key.kind == Kind::Experiment => {
                written = patch["status"].clone();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(words, done);
    for (field, value) in status.as_object().expect("fields") {
        assert_eq!(&written[field], value, "{field}");
    }
}

#[test]
fn a_new_experiment_is_pending_and_its_templates_are_created_without_pods() {
    check(
        experiment(json!({}), json!({})),
        &["create ReplicaSet e-a", "TemplateProgressing", "ExperimentPending"],
        json!({"phase": "Pending"}),
    );
}

#[test]
fn a_missing_template_of_an_analysis_is_an_error_before_anything_runs() {
    let analyses = json!([{"name": "x", "templateName": "none"}]);
    check(
        experiment(json!({"analyses": analyses}), json!({"phase": "Pending"})),
        &["create ReplicaSet e-a", "TemplateProgressing", "AnalysisRunError", "ExperimentError"],
        json!({
            "phase": "Error",
            "message": "AnalysisTemplate verification failed for analysis 'x': analysistemplates.argoproj.io \"none\" not found",
        }),
    );
}

#[test]
fn a_template_without_a_name_is_an_invalid_spec() {
    let templates = json!([{"selector": {"matchLabels": {"a": "b"}}, "template": {}, "name": ""}]);
    let out = run(experiment(json!({"templates": templates}), json!({})));
    assert_eq!(out.effects.len(), 1);
    assert!(format!("{:?}", out.effects[0]).contains("empty template name at index 0"));
}

#[test]
fn an_experiment_that_is_over_stays_as_it_is() {
    let status = json!({"phase": "Failed", "templateStatuses": [{
        "name": "a", "status": "Failed", "replicas": 0, "updatedReplicas": 0, "readyReplicas": 0, "availableReplicas": 0,
    }]});
    let out = run(experiment(json!({"terminate": true}), status));
    assert!(out.effects.iter().all(|effect| !matches!(effect, Effect::Event { .. })));
}

#[test]
fn a_run_wakes_its_experiment_only_when_it_is_over() {
    let owner = json!([{"kind": "Experiment", "name": "e", "controller": true}]);
    let run = |phase: &str| {
        let object = json!({"metadata": {"ownerReferences": owner}, "status": {"phase": phase}});
        let key = Key::new(Kind::AnalysisRun, "ns", "r");
        concerned(&Change { version: 1, key, old: None, new: Some(std::sync::Arc::new(object)) })
    };
    assert_eq!(run("Running"), None);
    assert_eq!(run("Failed"), Some(key()));
}

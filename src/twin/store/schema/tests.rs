//! Schemas: pruning, defaults and refusals.

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::{FindingKind, check, columns, default_change, definition, load, prune};

/// What a check says, one line each.
fn said(kind: Kind, object: &Value) -> Vec<String> {
    check(kind, object).iter().map(ToString::to_string).collect()
}

fn rollout(spec: Value) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "server"}, "spec": spec})
}

/// Manifests that a real API server accepted; together they have every field and type of the recordings' manifests.
#[test]
fn recorded_manifests_have_no_findings() {
    let lines = include_str!("testdata/given.jsonl").lines();
    let manifests: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("a manifest")).collect();
    assert!(manifests.len() > 30);
    for manifest in manifests {
        let text = |field: &str| manifest[field].as_str().expect("a text").to_owned();
        let kind = Kind::of_type(&text("apiVersion"), &text("kind")).expect("a served kind");
        assert_eq!(said(kind, &manifest), Vec::<String>::new(), "{manifest}");
        let mut pruned = manifest.clone();
        prune(kind, &mut pruned);
        assert_eq!(pruned, manifest);
    }
}

#[test]
fn a_misspelt_field_is_found_with_the_one_that_was_meant() {
    let object = rollout(json!({"strategy": {"blueGreen": {"activeServce": "a"}}, "replcias": 1}));
    let mut findings = check(Kind::Rollout, &object);
    findings.sort_by_key(ToString::to_string);
    // The field it should have been is required, and missing.
    assert_eq!(findings.remove(0).to_string(), "spec.strategy.blueGreen.activeService: Required value");
    let [replicas, service] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((service.kind, replicas.kind), (FindingKind::Unknown, FindingKind::Unknown));
    assert_eq!(service.to_string(), "unknown field \"spec.strategy.blueGreen.activeServce\"");
    assert_eq!(service.suggestion.as_deref(), Some("activeService"));
    assert_eq!(replicas.path_text(), "spec.replcias");
    assert_eq!(replicas.suggestion.as_deref(), Some("replicas"));
}

#[test]
fn a_misspelt_selector_of_a_service_is_found() {
    let service =
        json!({"metadata": {"name": "a"}, "spec": {"selectr": {"app": "a"}, "ports": [{"port": 80}]}});
    let findings = check(Kind::Service, &service);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].suggestion.as_deref(), Some("selector"));
}

#[test]
fn wrong_types_are_reported_as_an_api_server_does() {
    let object = rollout(json!({"strategy": {"canary": {"steps": [{"setWeight": "20"}]}}}));
    assert_eq!(
        said(Kind::Rollout, &object),
        [
            "spec.strategy.canary.steps[0].setWeight: Invalid value: \"string\": spec.strategy.canary.steps[0].setWeight in body must be of type integer: \"string\""
        ]
    );
}

#[test]
fn required_fields_are_missed() {
    let template = json!({"metadata": {"name": "t"}, "spec": {"metrics": [{"name": "m"}]}});
    assert_eq!(said(Kind::AnalysisTemplate, &template), ["spec.metrics[0].provider: Required value"]);
}

#[test]
fn enumerations_and_patterns_are_held() {
    let datadog = json!({"provider": {"datadog": {"aggregator": "most"}}, "name": "m"});
    let template = json!({"spec": {"metrics": [datadog]}});
    let findings = said(Kind::AnalysisTemplate, &template);
    assert!(
        findings.len() == 1 && findings[0].contains("Unsupported value: \"most\": supported values: \"avg\"")
    );
    let container = json!({"name": "a", "env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "x", "divisor": "one"}}}]});
    let findings = said(Kind::Rollout, &rollout(json!({"template": {"spec": {"containers": [container]}}})));
    assert!(findings.len() == 1 && findings[0].contains("in body should match '^(\\+|-)?"), "{findings:?}");
}

#[test]
fn integers_or_strings_are_neither_objects_nor_booleans() {
    for (value, findings) in [(json!("25%"), 0), (json!(1), 0), (json!(true), 1), (json!(1.5), 1)] {
        let object = rollout(json!({"strategy": {"canary": {"maxSurge": value}}}));
        assert_eq!(said(Kind::Rollout, &object).len(), findings, "{value}");
    }
}

#[test]
fn int32_and_date_time_are_formats_with_limits() {
    assert_eq!(said(Kind::Rollout, &rollout(json!({"replicas": 3_000_000_000_i64}))).len(), 1);
    assert_eq!(said(Kind::Rollout, &rollout(json!({"replicas": 3.0}))).len(), 0);
    assert_eq!(said(Kind::Rollout, &rollout(json!({"restartAt": "yesterday"}))).len(), 1);
    assert_eq!(said(Kind::Rollout, &rollout(json!({"restartAt": "2026-01-01T00:00:00Z"}))).len(), 0);
}

#[test]
fn a_list_that_is_a_map_has_each_key_once() {
    let ports = json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]);
    let containers = json!([{"name": "a", "ports": ports}]);
    let findings = said(Kind::Rollout, &rollout(json!({"template": {"spec": {"containers": containers}}})));
    assert_eq!(
        findings,
        [
            "spec.template.spec.containers[0].ports[1]: Duplicate value: {\"containerPort\":80,\"protocol\":\"TCP\"}"
        ]
    );
}

#[test]
fn pruning_drops_what_nobody_knows_and_nulls() {
    let mut object = rollout(
        json!({"replicas": 1, "color": "red", "paused": null, "strategy": {"canary": {"trafficRouting": {
        "plugins": {"any": {"thing": 1}}, "istioo": {}}}}}),
    );
    object["surprise"] = json!(1);
    prune(Kind::Rollout, &mut object);
    let kept = json!({"replicas": 1, "strategy": {"canary": {"trafficRouting": {"plugins": {"any": {"thing": 1}}}}}});
    assert_eq!(object, rollout(kept));
}

#[test]
fn a_container_port_of_a_rollout_speaks_tcp_by_default() {
    let spec = |ports: Value| json!({"template": {"spec": {"containers": [{"name": "a", "ports": ports}]}}});
    let mut object = rollout(spec(json!([{"containerPort": 8080}])));
    default_change(Kind::Rollout, None, &mut object);
    assert_eq!(object, rollout(spec(json!([{"containerPort": 8080, "protocol": "TCP"}]))));
}

#[test]
fn every_kind_checks_its_metadata() {
    for kind in Kind::ALL {
        let object = json!({"metadata": {"labels": {"a": 1}, "naem": "x"}});
        let findings = check(*kind, &object);
        let about = |path: &str| findings.iter().any(|finding| finding.path_text() == path);
        assert!(about("metadata.labels.a") && about("metadata.naem"), "{kind:?}");
    }
}

#[test]
fn any_value_can_be_checked() {
    for value in
        [json!(null), json!(1), json!("x"), json!([]), json!([[]]), json!({"spec": [], "metadata": 1})]
    {
        for kind in Kind::ALL {
            let mut value = value.clone();
            let _ = check(*kind, &value);
            prune(*kind, &mut value);
            default_change(*kind, None, &mut value);
        }
    }
}

#[test]
fn argos_kinds_have_columns_and_definitions() {
    let names: Vec<&str> = columns(Kind::Rollout).iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["Desired", "Current", "Up-to-date", "Available", "Age"]);
    let crd = definition(Kind::ClusterAnalysisTemplate).expect("it is custom");
    assert_eq!(crd["metadata"]["name"], "clusteranalysistemplates.argoproj.io");
    assert_eq!(crd["spec"]["scope"], "Cluster");
    assert_eq!(definition(Kind::Pod), None);
}

/// The keywords that the shipped schemas use are the ones that are implemented, or known to add nothing.
#[test]
fn no_keyword_of_the_shipped_schemas_is_ignored() {
    const KNOWN: [&str; 15] = [
        "type",
        "properties",
        "additionalProperties",
        "items",
        "required",
        "enum",
        "pattern",
        "format",
        "default",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-list-map-keys",
        // Says "map" wherever there are map keys.
        "x-kubernetes-list-type",
        // Only in the idiom for int-or-string.
        "anyOf",
        // The one rule is written by hand, in `admit`.
        "x-kubernetes-validations",
    ];
    fn walk(schema: &Value) {
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            assert!(KNOWN.contains(&keyword.as_str()), "{keyword}");
            match (keyword.as_str(), value) {
                ("properties", Value::Object(fields)) => fields.values().for_each(walk),
                ("items" | "additionalProperties", nested) => walk(nested),
                ("anyOf", _) => assert_eq!(schema["x-kubernetes-int-or-string"], true),
                ("pattern", Value::String(pattern)) => drop(regex::Regex::new(pattern).expect("a pattern")),
                ("x-kubernetes-validations", rules) => {
                    assert_eq!(
                        rules,
                        &json!([{"message": ".spec.selector is immutable", "rule": "self == oldSelf"}])
                    );
                }
                _ => {}
            }
        }
    }
    for kind in Kind::ALL {
        if let Some(crd) = definition(*kind) {
            walk(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]);
        }
        let _ = load::schema(*kind);
    }
}

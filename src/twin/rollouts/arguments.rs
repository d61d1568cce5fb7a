//! Where the arguments of a run come from (`BuildArgumentsForRolloutAnalysisRun` in utils/analysis/factory.go and
//! pkg/fieldpath of Kubernetes).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::templates::Argument;
use crate::argo::rollout::{AnalysisArgument, ArgumentSource, FieldRef, Rollout};

/// The hashes an argument can ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashes<'a> {
    pub(super) latest: &'a str,
    pub(super) stable: Option<&'a str>,
}

/// The arguments with their values, and the error of the last reference that could not be followed.
///
/// Validation goes on with the values and ignores the error; a run is not created with one.
pub(super) fn build(
    args: &[AnalysisArgument],
    hashes: Hashes<'_>,
    rollout: &Rollout,
) -> (Vec<Argument>, Option<String>) {
    let (mut built, mut error) = (vec![], None);
    for arg in args {
        let value = match &arg.value_from {
            None => arg.value.clone(),
            Some(source) => match from_source(source, hashes, rollout) {
                Some(Ok(value)) => {
                    error = source.field_ref.as_ref().map_or(error, |_| None);
                    value
                }
                // An unknown downward field ends the list at once; any other wrong path leaves an empty value.
                Some(Err(wrong)) if is_metadata(source) => return (vec![], Some(wrong)),
                Some(Err(wrong)) => {
                    error = Some(wrong);
                    String::new()
                }
                None => arg.value.clone(),
            },
        };
        built.push(Argument::from_iter([("name".into(), json!(arg.name)), ("value".into(), json!(value))]));
    }
    (built, error)
}

/// The arguments of one analysis of an experiment step.
pub(super) fn of_experiment(analysis: &Value) -> Vec<AnalysisArgument> {
    serde_json::from_value(analysis["args"].clone()).unwrap_or_default()
}

/// Whether an argument asks for a `metadata` field that nobody knows.
pub(super) fn is_unknown_metadata(arg: &AnalysisArgument, rollout: &Rollout) -> bool {
    let hashes = Hashes { latest: "", stable: None };
    let source = arg.value_from.as_ref().filter(|source| is_metadata(source));
    source.and_then(|source| from_source(source, hashes, rollout)).is_some_and(|value| value.is_err())
}

fn is_metadata(source: &ArgumentSource) -> bool {
    source.field_ref.as_ref().is_some_and(|field| field.field_path.starts_with("metadata"))
}

fn from_source(
    source: &ArgumentSource,
    hashes: Hashes<'_>,
    rollout: &Rollout,
) -> Option<Result<String, String>> {
    match source.pod_template_hash_value.as_deref() {
        Some("Latest") => Some(Ok(hashes.latest.to_owned())),
        Some("Stable") => {
            let stable = hashes.stable.ok_or("there is no stable ReplicaSet whose hash could be taken");
            Some(stable.map(str::to_owned).map_err(str::to_owned))
        }
        Some(_) => None,
        None => source.field_ref.as_ref().map(|field| from_field(field, rollout)),
    }
}

fn from_field(field: &FieldRef, rollout: &Rollout) -> Result<String, String> {
    let path = &field.field_path;
    if path.starts_with("metadata") { downward(path, rollout) } else { extract(path, &rollout.to_value()) }
}

/// `ExtractFieldPathAsString`: what the downward API offers.
fn downward(path: &str, rollout: &Rollout) -> Result<String, String> {
    let meta = &rollout.metadata;
    let subscript = |field: &str| path.strip_prefix(field)?.strip_prefix("['")?.strip_suffix("']");
    let of = |map: &BTreeMap<String, String>, key: &str| map.get(key).cloned().unwrap_or_default();
    if let Some(key) = subscript("metadata.annotations") {
        return Ok(of(&meta.annotations, key));
    }
    if let Some(key) = subscript("metadata.labels") {
        return Ok(of(&meta.labels, key));
    }
    match path {
        "metadata.annotations" => Ok(format_map(&meta.annotations)),
        "metadata.labels" => Ok(format_map(&meta.labels)),
        "metadata.name" => Ok(meta.name.clone()),
        "metadata.namespace" => Ok(meta.namespace.clone()),
        "metadata.uid" => Ok(meta.uid.clone()),
        _ => Err(format!("unsupported fieldPath: {path}")),
    }
}

fn format_map(map: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    lines.join("\n")
}

/// `extractValueFromRollout`: any path, with dots and brackets, that ends in a plain value.
fn extract(path: &str, rollout: &Value) -> Result<String, String> {
    let nothing = || format!("invalid path {path} in rollout");
    let mut value = rollout;
    for section in path.split(['.', '[', ']']).filter(|section| !section.is_empty()) {
        value = match value {
            Value::Array(items) => {
                let index: usize = section.parse().map_err(|_| format!("invalid index '{section}'"))?;
                items.get(index).ok_or_else(|| format!("index {index} out of range"))?
            }
            Value::Object(map) => map.get(section).unwrap_or(&Value::Null),
            _ => return Err(nothing()),
        };
    }
    match value {
        Value::Null => Err(nothing()),
        Value::Array(_) | Value::Object(_) => {
            Err(format!("path {path} in rollout must terminate in a primitive value"))
        }
        Value::String(text) => Ok(text.clone()),
        other => Ok(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: Value, expect: Result<&str, &str>) {
        let rollout = Rollout::read(&json!({
            "metadata": {"name": "app", "labels": {"env": "staging", "team": "x"}},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "a"}]}}},
        }))
        .expect("a Rollout");
        let arg = json!({"name": "a", "value": "own", "valueFrom": source});
        let args: Vec<AnalysisArgument> = serde_json::from_value(json!([arg])).expect("arguments");
        let (built, error) = build(&args, Hashes { latest: "new", stable: Some("old") }, &rollout);
        match expect {
            Ok(value) => assert_eq!((built[0]["value"].as_str(), error), (Some(value), None)),
            Err(wrong) => assert_eq!(error.as_deref(), Some(wrong)),
        }
    }

    fn field(path: &str) -> Value {
        json!({"fieldRef": {"fieldPath": path}})
    }

    #[test]
    fn hashes_by_name() {
        check(json!({"podTemplateHashValue": "Latest"}), Ok("new"));
        check(json!({"podTemplateHashValue": "Stable"}), Ok("old"));
        check(json!({"podTemplateHashValue": "Other"}), Ok("own"));
    }

    #[test]
    fn metadata_as_the_downward_api_gives_it() {
        check(field("metadata.name"), Ok("app"));
        check(field("metadata.labels['env']"), Ok("staging"));
        check(field("metadata.labels['none']"), Ok(""));
        check(field("metadata.labels"), Ok("env=\"staging\"\nteam=\"x\""));
        check(field("metadata.finalizers"), Err("unsupported fieldPath: metadata.finalizers"));
    }

    #[test]
    fn any_other_path_ends_in_a_plain_value() {
        check(field("spec.replicas"), Ok("3"));
        check(field("spec.template.spec.containers[0].name"), Ok("a"));
        check(field("spec.none"), Err("invalid path spec.none in rollout"));
        check(field("spec.template.spec.containers[9]"), Err("index 9 out of range"));
        check(
            field("spec.template"),
            Err("path spec.template in rollout must terminate in a primitive value"),
        );
    }

    #[test]
    fn an_argument_without_a_source_keeps_its_value() {
        check(Value::Null, Ok("own"));
    }
}

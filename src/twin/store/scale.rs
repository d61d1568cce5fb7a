//! The `/scale` subresource: an object seen as a number of replicas.

use serde_json::{Value, json};

use super::error::ApiError;
use super::kind::Kind;
use super::selector::LabelSelector;

/// The `Scale` of an object, or `None` for a kind that has none.
///
/// A Rollout's paths are those of its CRD: `.spec.replicas`, `.status.HPAReplicas`, `.status.selector`.
#[must_use]
pub fn scale_of(kind: Kind, object: &Value) -> Option<Value> {
    if !kind.info().scale_subresource {
        return None;
    }
    let status = &object["status"];
    let (replicas, selector) = match kind {
        Kind::Rollout => (&status["HPAReplicas"], status["selector"].as_str().map(str::to_owned)),
        _ => (
            &status["replicas"],
            LabelSelector::of_object(&object["spec"]["selector"]).map(|s| s.to_string()),
        ),
    };
    let mut meta = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        meta[field] = object["metadata"][field].clone();
    }
    Some(json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta,
        "spec": {"replicas": object["spec"]["replicas"].as_i64().unwrap_or(0)},
        "status": {"replicas": replicas.as_i64().unwrap_or(0), "selector": selector.unwrap_or_default()},
    }))
}

/// The object with the replicas of a `Scale`.
pub(super) fn scaled(object: &Value, scale: &Value) -> Result<Value, ApiError> {
    let replicas = match &scale["spec"]["replicas"] {
        Value::Null => 0,
        value => value.as_i64().filter(|n| i32::try_from(*n).is_ok()).ok_or_else(|| {
            ApiError::bad_request(format!(
                "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas: {value} is no int32"
            ))
        })?,
    };
    if replicas < 0 {
        let message = format!(
            "Scale.autoscaling is invalid: spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
        );
        return Err(ApiError::invalid(message));
    }
    let mut object = object.clone();
    object["spec"]["replicas"] = json!(replicas);
    Ok(object)
}

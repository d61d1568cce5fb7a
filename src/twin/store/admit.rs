//! What a new version of an object must pass: shape, defaults, rules, and what may not change.
//!
//! Messages are those of an API server, because people search for them.

use std::sync::Arc;

use serde_json::Value;

use super::defaults;
use super::error::ApiError;
use super::kind::Kind;
use super::object::{Key, text_at};
use super::schema::{self, Finding, FindingKind};
use super::selector::{is_label_value, is_qualified_name};

/// Shapes a new or changed object and refuses what an API server refuses.
pub(super) fn admit(
    key: &Key,
    old: Option<&Arc<Value>>,
    new: &mut Value,
    serial: u64,
) -> Result<(), ApiError> {
    let known = old.map(|old| &**old);
    decodes(key.kind, known, new)?;
    schema::prune_change(key.kind, known, new);
    if key.kind.is_custom() {
        schema::default_change(key.kind, known, new);
    } else {
        if let Some(old) = old {
            keep_allocated(key.kind, old, new);
        }
        defaults::apply(key.kind, new, serial);
    }
    let findings = schema::check_change(key.kind, known, new);
    let mut causes: Vec<String> = findings.iter().map(Finding::to_string).collect();
    if known.is_none_or(|known| known["metadata"] != new["metadata"]) {
        causes.extend(metadata_rules(new));
    }
    causes.extend(kind_rules(key.kind, new));
    if let Some(old) = old {
        causes.extend(immutable(key.kind, old, new));
    }
    if causes.is_empty() { Ok(()) } else { Err(invalid(key, &causes)) }
}

/// 422 with every cause, as API servers put it.
pub(super) fn invalid(key: &Key, causes: &[String]) -> ApiError {
    let info = key.kind.info();
    let kind =
        if info.group.is_empty() { info.kind.to_owned() } else { format!("{}.{}", info.kind, info.group) };
    let causes = match causes {
        [cause] => cause.clone(),
        causes => format!("[{}]", causes.join(", ")),
    };
    ApiError::invalid(format!("{kind} {:?} is invalid: {causes}", &*key.name))
}

/// A built-in kind is a Go struct, and metadata is one for every kind: a wrong type there does not even decode.
fn decodes(kind: Kind, old: Option<&Value>, object: &Value) -> Result<(), ApiError> {
    let findings = schema::check_change(kind, old, object);
    let is_meta = |finding: &Finding| finding.path_text().starts_with("metadata");
    let mut wrong = findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::WrongType && (!kind.is_custom() || is_meta(finding)));
    wrong.next().map_or(Ok(()), |finding| {
        let info = kind.info();
        Err(ApiError::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {finding}",
            info.kind, info.version, info.kind
        )))
    })
}

/// An update that leaves out what the server allocated keeps it.
fn keep_allocated(kind: Kind, old: &Value, new: &mut Value) {
    if kind != Kind::Service || new["spec"]["type"] == "ExternalName" || !new["spec"].is_object() {
        return;
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        let given = new["spec"].get(field).is_some_and(|value| !value.is_null() && value != "");
        if let (false, Some(value)) = (given, old["spec"].get(field)) {
            new["spec"][field] = value.clone();
        }
    }
}

fn metadata_rules(object: &Value) -> Vec<String> {
    let mut causes = vec![];
    let entries = |field: &str| object["metadata"][field].as_object().into_iter().flatten();
    for (key, value) in entries("labels") {
        if !is_qualified_name(key) {
            causes.push(format!("metadata.labels: Invalid value: {key:?}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
        if !value.as_str().is_some_and(is_label_value) {
            causes.push(format!("metadata.labels: Invalid value: {value}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, at most 63 of them"));
        }
    }
    for (key, _) in entries("annotations").filter(|(key, _)| !is_qualified_name(key)) {
        causes.push(format!("metadata.annotations: Invalid value: {key:?}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
    }
    causes
}

/// The name rules of a kind, applied on creation.
pub(super) fn name_rules(key: &Key) -> Result<(), ApiError> {
    let label = |text: &str| {
        let bytes = text.as_bytes();
        let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
    };
    let name = &*key.name;
    let (fits, rule) = match key.kind {
        Kind::Service => (
            name.len() <= 63 && label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()),
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        ),
        Kind::Namespace => (
            name.len() <= 63 && label(name),
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        ),
        _ => (
            name.len() <= 253 && name.split('.').all(label),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        ),
    };
    if fits {
        Ok(())
    } else {
        Err(invalid(key, &[format!("metadata.name: Invalid value: {name:?}: {rule}")]))
    }
}

fn kind_rules(kind: Kind, object: &Value) -> Vec<String> {
    let mut causes = vec![];
    let spec = &object["spec"];
    if kind == Kind::Service && spec["type"] != "ExternalName" && spec["clusterIP"] != "None" {
        let ports = spec["ports"].as_array().map_or(&[][..], Vec::as_slice);
        if ports.is_empty() {
            causes.push("spec.ports: Required value".into());
        }
        for (index, port) in ports.iter().enumerate() {
            if ports.len() > 1 && text_at(port, "/name").is_empty() {
                causes.push(format!("spec.ports[{index}].name: Required value"));
            }
            if !port["port"].as_i64().is_some_and(|port| (1..=65535).contains(&port)) {
                causes.push(format!(
                    "spec.ports[{index}].port: Invalid value: {}: must be between 1 and 65535, inclusive",
                    port["port"]
                ));
            }
        }
    }
    if kind.info().scale_subresource
        && !kind.is_custom()
        && spec["replicas"].as_f64().is_some_and(|n| n < 0.0)
    {
        causes.push(format!(
            "spec.replicas: Invalid value: {}: must be greater than or equal to 0",
            spec["replicas"]
        ));
    }
    if matches!(kind, Kind::ReplicaSet | Kind::Deployment) {
        causes.extend(selector_rules(spec));
    }
    causes
}

/// A selector that does not select its own pods would create pods for ever.
fn selector_rules(spec: &Value) -> Option<String> {
    let selector = super::LabelSelector::of_object(&spec["selector"])?;
    let labels = &spec["template"]["metadata"]["labels"];
    let pairs = labels.as_object().into_iter().flatten();
    let labels_map = pairs.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect();
    (spec["selector"].is_object() && spec["template"].is_object() && !selector.matches(&labels_map))
        .then(|| format!("spec.template.metadata.labels: Invalid value: {labels}: `selector` does not match template `labels`"))
}

fn immutable(kind: Kind, old: &Value, new: &Value) -> Vec<String> {
    let changed = |pointer: &str| old.pointer(pointer) != new.pointer(pointer);
    let mut causes = vec![];
    match kind {
        // The one CEL rule of the shipped CRDs: self == oldSelf.
        Kind::Rollout if changed("/spec/selector") && !old["spec"]["selector"].is_null() => {
            causes.push("spec.selector: Invalid value: .spec.selector is immutable".into());
        }
        Kind::ReplicaSet | Kind::Deployment if changed("/spec/selector") => {
            let selector = &new["spec"]["selector"];
            causes.push(format!("spec.selector: Invalid value: {selector}: field is immutable"));
        }
        Kind::Service if changed("/spec/clusterIP") && keeps_its_address(old, new) => {
            let address = &new["spec"]["clusterIP"];
            causes.push(format!("spec.clusterIPs[0]: Invalid value: [{address}]: may not change once set"));
        }
        Kind::Secret | Kind::ConfigMap
            if old["immutable"] == true && (changed("/data") || changed("/immutable")) =>
        {
            causes.push("data: Forbidden: field is immutable when `immutable` is set".into());
        }
        Kind::Pod if pod_changed(old, new) => {
            causes.push("spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)".into());
        }
        _ => {}
    }
    if kind == Kind::Secret && changed("/type") {
        causes.push(format!("type: Invalid value: {}: field is immutable", new["type"]));
    }
    causes
}

/// ExternalName services have no address: moving to or from that type changes it.
fn keeps_its_address(old: &Value, new: &Value) -> bool {
    let external = |service: &Value| service["spec"]["type"] == "ExternalName";
    !external(old) && !external(new) && !text_at(old, "/spec/clusterIP").is_empty()
}

/// Whether anything but the few mutable fields of a pod differs. Scheduling is the kubelet's business here, so
/// `nodeName` may be set once.
fn pod_changed(old: &Value, new: &Value) -> bool {
    let fixed = |pod: &Value| {
        let mut spec = pod["spec"].clone();
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                container.as_object_mut().map(|container| container.remove("image"));
            }
        }
        if let Some(spec) = spec.as_object_mut() {
            spec.retain(|field, _| {
                !["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"]
                    .contains(&field.as_str())
            });
            if text_at(old, "/spec/nodeName").is_empty() {
                spec.remove("nodeName");
            }
        }
        spec
    };
    old["spec"] != new["spec"] && fixed(old) != fixed(new)
}

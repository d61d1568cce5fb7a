//! Which schema belongs to which kind, parsed when it is first asked for.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::kind::Kind;
use super::{Schema, builtin};

/// A column that a custom resource adds to `kubectl get`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// Where its value is: `.status.phase`.
    pub json_path: String,
    /// `string`, `integer`, `date`, …
    pub r#type: String,
}

#[derive(Deserialize)]
struct Crd {
    columns: Vec<Column>,
    schema: Schema,
}

fn source(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Rollout => Some(include_str!("../crds/rollout.json")),
        Kind::Experiment => Some(include_str!("../crds/experiment.json")),
        Kind::AnalysisRun => Some(include_str!("../crds/analysis-run.json")),
        Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate => {
            Some(include_str!("../crds/analysis-template.json"))
        }
        _ => None,
    }
}

fn crd(kind: Kind) -> Option<&'static Crd> {
    static LOADED: [OnceLock<Crd>; 4] = [const { OnceLock::new() }; 4];
    let slot = match kind {
        Kind::Rollout => 0,
        Kind::Experiment => 1,
        Kind::AnalysisRun => 2,
        Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate => 3,
        _ => return None,
    };
    let text = source(kind)?;
    Some(LOADED[slot].get_or_init(|| {
        let mut crd: Crd = serde_json::from_str(text).expect("the embedded schemas are read by a test");
        crd.schema.properties.insert("metadata".into(), builtin::metadata());
        crd
    }))
}

/// The schema of a kind.
pub(super) fn schema(kind: Kind) -> &'static Schema {
    crd(kind).map_or_else(|| builtin::schema(kind), |crd| &crd.schema)
}

/// The schema of a pod template: the one inside a Rollout's, which is generated from the same Go types.
pub(super) fn pod_template() -> Schema {
    let spec = schema(Kind::Rollout).properties.get("spec");
    spec.and_then(|spec| spec.properties.get("template")).cloned().unwrap_or_default()
}

/// The printer columns of a custom resource; none for other kinds.
#[must_use]
pub fn columns(kind: Kind) -> &'static [Column] {
    crd(kind).map_or(&[], |crd| &crd.columns)
}

/// The `CustomResourceDefinition` object of one of Argo's kinds, as an installation would create it, established.
#[must_use]
pub fn definition(kind: Kind) -> Option<Value> {
    let crd: Value = serde_json::from_str(source(kind)?).ok()?;
    let info = kind.info();
    let names = json!({
        "kind": info.kind, "listKind": format!("{}List", info.kind), "plural": info.plural,
        "singular": info.kind.to_lowercase(), "shortNames": info.short_names,
    });
    Some(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": info.resource(), "labels": {"app.kubernetes.io/part-of": "argo-rollouts"}},
        "spec": {
            "group": info.group, "names": names, "conversion": {"strategy": "None"},
            "scope": if info.namespaced { "Namespaced" } else { "Cluster" },
            "versions": [{
                "name": info.version, "served": true, "storage": true,
                "additionalPrinterColumns": crd["columns"], "subresources": crd["subresources"],
                "schema": {"openAPIV3Schema": crd["schema"]},
            }],
        },
        "status": {
            "acceptedNames": names, "storedVersions": [info.version],
            "conditions": [
                {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
                {"type": "Established", "status": "True", "reason": "InitialNamesAccepted",
                 "message": "the initial names have been accepted"},
            ],
        },
    }))
}

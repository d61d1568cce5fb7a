//! What templates and conditions see: `rollout` and `analysisRuns`.
//!
//! Upstream: `NewAPIFactorySettings`, `toObjectMap` and `getAnalysisRunsFilterWithLabels` in `utils/record/record.go`.

use serde_json::{Value, json};

use crate::twin::store::{Kind, Store, labels_of, text_at};

const HASH: &str = "rollouts-pod-template-hash";
const REVISION: &str = "/metadata/annotations/rollout.argoproj.io~1revision";

/// The environment for one object. For an AnalysisRun `rollout` is the AnalysisRun.
#[must_use]
pub fn variables(store: &Store, object: &Value, kind: Kind) -> Value {
    let mut rollout = object.clone();
    // A Go struct always writes its status, so `.rollout.status.phase` is never an error.
    if !rollout["status"].is_object() {
        rollout["status"] = json!({});
    }
    if kind == Kind::Rollout {
        for part in ["blueGreen", "canary"] {
            if rollout["status"][part].is_null() {
                rollout["status"][part] = json!({});
            }
        }
    }
    let runs = analysis_runs(store, object);
    json!({ "rollout": rollout, "analysisRuns": runs })
}

/// The AnalysisRuns of the current hash and revision, newest first; none at all is `null`.
fn analysis_runs(store: &Store, object: &Value) -> Value {
    let hash = text_at(object, "/status/currentPodHash");
    let namespace = text_at(object, "/metadata/namespace");
    let same_hash = store
        .list(Kind::AnalysisRun, Some(namespace))
        .filter(|(_, run)| labels_of(run).get(HASH).is_some_and(|label| *label == hash));
    let runs: Vec<&Value> = same_hash.map(|(_, run)| &**run).collect();
    if runs.is_empty() {
        return Value::Null;
    }
    let mut runs: Vec<&Value> = runs.into_iter().filter(|run| revision(run) == revision(object)).collect();
    runs.sort_by(|a, b| created(b).cmp(created(a)));
    json!(runs)
}

fn revision(object: &Value) -> i64 {
    text_at(object, REVISION).parse().unwrap_or(0)
}

fn created(object: &Value) -> &str {
    text_at(object, "/metadata/creationTimestamp")
}

//! A run's lease: that it is there, since when, and what it has put outside of its own namespace.
//!
//! It is the first thing a run creates and the last it deletes. The runner renews it; when nobody has for a minute, the
//! run is dead, and what it left may be cleared away. The agent's objects belong to it and go with it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::marks;
use crate::clock::Moment;
use crate::cluster::Trouble;

/// How often a lease is renewed.
const EVERY: Duration = Duration::from_secs(10);
/// How long one lasts without.
const LASTS: Duration = Duration::from_secs(60);
/// Where the name of the scenario stands.
const SCENARIO: &str = "firedrill.dev/scenario";
/// Where it stands what lies outside of the run's namespace.
const OUTSIDE: &str = "firedrill.dev/outside";

/// An object, by what it takes to delete it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Its API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace, empty when it has none.
    #[serde(default)]
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Reference {
    /// Of a manifest.
    #[must_use]
    pub fn of(object: &Value) -> Reference {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Reference {
            api_version: text("/apiVersion"),
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
        }
    }
}

/// A lease that is renewed as long as this lives.
pub(super) struct Held {
    pub(super) owner: OwnerReference,
    keeper: JoinHandle<()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// What a lease says about a run.
pub(super) struct Told {
    pub(super) scenario: String,
    pub(super) outside: Vec<Reference>,
    pub(super) alive: bool,
}

pub(super) fn api(client: &kube::Client) -> Api<Lease> {
    Api::namespaced(client.clone(), marks::HOME)
}

/// Takes the lease of a run.
pub(super) async fn take(
    client: &kube::Client,
    run: &str,
    scenario: &str,
    outside: &[Reference],
) -> Result<Held, Trouble> {
    let outside = serde_json::to_string(outside).expect("references are plain data");
    let lease = json!({
        "metadata": {
            "name": run,
            "labels": { marks::RUN: run, "app.kubernetes.io/managed-by": "firedrill" },
            "annotations": { SCENARIO: scenario, OUTSIDE: outside },
        },
        "spec": {
            "holderIdentity": format!("firedrill {run}"),
            "leaseDurationSeconds": LASTS.as_secs(),
            "renewTime": Moment::wall().rfc3339_micros(),
        },
    });
    let what = "take a lease for the run";
    let lease: Lease =
        serde_json::from_value(lease).map_err(kube::Error::SerdeError).map_err(Trouble::api(what))?;
    let taken = api(client).create(&PostParams::default(), &lease).await.map_err(Trouble::api(what))?;
    let owner = OwnerReference {
        api_version: "coordination.k8s.io/v1".to_owned(),
        kind: "Lease".to_owned(),
        name: run.to_owned(),
        uid: taken.metadata.uid.unwrap_or_default(),
        ..OwnerReference::default()
    };
    Ok(Held { owner, keeper: tokio::spawn(keep(api(client), run.to_owned())) })
}

/// Renews it again and again. An API server that is away for a while is no reason to stop.
async fn keep(leases: Api<Lease>, run: String) {
    loop {
        tokio::time::sleep(EVERY).await;
        let renewed = json!({ "spec": { "renewTime": Moment::wall().rfc3339_micros() } });
        if let Err(error) = leases.patch(&run, &PatchParams::default(), &Patch::Merge(renewed)).await {
            tracing::warn!(%run, %error, "the lease was not renewed");
        }
    }
}

/// Reads a lease.
pub(super) fn read(lease: &Lease, now: Moment) -> Told {
    let annotation = |name: &str| lease.metadata.annotations.as_ref().and_then(|all| all.get(name));
    let outside = annotation(OUTSIDE).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let renewed = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref());
    let renewed = renewed.and_then(|time| Moment::parse_rfc3339(&time.0.to_string()));
    Told {
        scenario: annotation(SCENARIO).cloned().unwrap_or_default(),
        outside,
        alive: renewed.is_some_and(|renewed| now.since(renewed) < LASTS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(renewed: &str, outside: &str) -> Lease {
        serde_json::from_value(json!({
            "metadata": { "name": "abcdef", "annotations": { SCENARIO: "s", OUTSIDE: outside } },
            "spec": { "renewTime": renewed },
        }))
        .unwrap()
    }

    #[test]
    fn a_lease_nobody_renews_is_a_dead_runs() {
        let now = Moment::parse_rfc3339("2026-01-01T00:01:00Z").unwrap();
        assert!(read(&lease("2026-01-01T00:00:01.000000Z", "[]"), now).alive);
        assert!(!read(&lease("2026-01-01T00:00:00.000000Z", "[]"), now).alive);
    }

    #[test]
    fn what_lies_outside_can_be_read_again() {
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ClusterAnalysisTemplate", "metadata": {"name": "x"}});
        let written = serde_json::to_string(&[Reference::of(&object)]).unwrap();
        let told = read(&lease("2026-01-01T00:00:00.000000Z", &written), Moment::VIRTUAL_EPOCH);
        assert_eq!((told.scenario.as_str(), told.outside), ("s", vec![Reference::of(&object)]));
        assert_eq!(read(&lease("2026-01-01T00:00:00.000000Z", "?"), Moment::VIRTUAL_EPOCH).outside, []);
    }
}

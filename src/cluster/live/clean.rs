//! Clearing away what a run left, by its labels and its lease. A run uses this at its own end; `firedrill clean` uses it
//! for runs that had none.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{Api, DeleteParams, DynamicObject, GroupVersionKind, ListParams};
use kube::discovery::{Scope, pinned_kind};
use tokio::time::{Instant, sleep};

use super::lease::Reference;
use super::{agent, lease, marks, notifications};
use crate::clock::Moment;
use crate::cluster::Trouble;

/// How long what was deleted may take to be gone: pods end, and finalizers finish.
const LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(500);

/// A run that has something in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its name.
    pub run: String,
    /// What it drilled, where its lease tells.
    pub scenario: String,
    /// Whether somebody still renews its lease.
    pub alive: bool,
}

/// All runs that have something in the cluster.
///
/// # Errors
/// When the API server does not tell.
pub async fn leftovers(client: &kube::Client) -> Result<Vec<Leftover>, Trouble> {
    let marked = ListParams::default().labels(marks::RUN);
    let what = "look for runs";
    let leases = lease::api(client).list(&marked).await.map_err(Trouble::api(what))?;
    let namespaces = Api::<Namespace>::all(client.clone()).list(&marked).await.map_err(Trouble::api(what))?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), marks::HOME);
    let pods = pods.list(&marked).await.map_err(Trouble::api(what))?;
    let kept: Api<ConfigMap> = Api::namespaced(client.clone(), marks::HOME);
    let kept = kept.list(&marked).await.map_err(Trouble::api(what))?;
    let metadata = namespaces.iter().map(|namespace| &namespace.metadata);
    let metadata =
        metadata.chain(pods.iter().map(|pod| &pod.metadata)).chain(kept.iter().map(|kept| &kept.metadata));
    let metadata = metadata.chain(leases.iter().map(|lease| &lease.metadata));
    let runs = metadata.filter_map(|metadata| metadata.labels.as_ref()?.get(marks::RUN).cloned());
    let runs: BTreeSet<String> = runs.collect();
    let now = Moment::wall();
    let leftover = |run: String| {
        let told = leases.iter().find(|lease| lease.metadata.name.as_ref() == Some(&run));
        let told = told.map(|lease| lease::read(lease, now));
        let (scenario, alive) = told.map(|told| (told.scenario, told.alive)).unwrap_or_default();
        Leftover { run, scenario, alive }
    };
    Ok(runs.into_iter().map(leftover).collect())
}

/// Clears away everything of a run and looks whether it is gone. Its lease goes last: as long as anything is left, the
/// run can be found.
///
/// # Errors
/// When something stays.
pub async fn clear(client: &kube::Client, run: &str) -> Result<(), Trouble> {
    let what = "read the lease of the run";
    let held = lease::api(client).get_opt(run).await.map_err(Trouble::api(what))?;
    let outside = held.as_ref().map(|held| lease::read(held, Moment::wall()).outside).unwrap_or_default();
    let spaces = delete_namespaces(client, run).await?;
    for reference in &outside {
        delete(client, run, reference).await?;
    }
    notifications::put_back(client, run).await?;
    agent::delete(client, run).await?;
    await_end(client, run, &spaces).await?;
    match lease::api(client).delete(run, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other.map(drop).map_err(Trouble::api("delete the lease of the run")),
    }
}

async fn delete_namespaces(client: &kube::Client, run: &str) -> Result<Vec<String>, Trouble> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let own = ListParams::default().labels(&format!("{}={run}", marks::RUN));
    let own = namespaces.list(&own).await.map_err(Trouble::api("look for the run's namespace"))?;
    let names: Vec<String> = own.into_iter().filter_map(|namespace| namespace.metadata.name).collect();
    for name in &names {
        match namespaces.delete(name, &DeleteParams::background()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_not_found() || status.code == 409 => {}
            Err(error) => {
                return Err(Trouble::Api { what: format!("delete namespace {name}"), source: error });
            }
        }
    }
    Ok(names)
}

/// Deletes what lies outside of the run's namespace, if it is this run's.
async fn delete(client: &kube::Client, run: &str, reference: &Reference) -> Result<(), Trouble> {
    let Reference { api_version, kind, namespace, name } = reference;
    let what = format!("delete {kind} {name}");
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let found = pinned_kind(client, &GroupVersionKind::gvk(group, version, kind)).await;
    let Ok((resource, capabilities)) = found else { return Ok(()) };
    let api: Api<DynamicObject> = match capabilities.scope {
        Scope::Namespaced => Api::namespaced_with(client.clone(), namespace, &resource),
        Scope::Cluster => Api::all_with(client.clone(), &resource),
    };
    let there = api.get_opt(name).await.map_err(Trouble::api(what.clone()))?;
    let ours = there.is_some_and(|there| {
        there.metadata.labels.is_some_and(|labels| labels.get(marks::RUN).is_some_and(|of| of == run))
    });
    if !ours {
        return Ok(());
    }
    match api.delete(name, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other.map(drop).map_err(Trouble::api(what)),
    }
}

/// Waits until the namespaces and the agent's pod are gone.
async fn await_end(client: &kube::Client, run: &str, spaces: &[String]) -> Result<(), Trouble> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let pods: Api<Pod> = Api::namespaced(client.clone(), marks::HOME);
    let began = Instant::now();
    loop {
        let mut left = vec![];
        for name in spaces {
            let there =
                namespaces.get_opt(name).await.map_err(Trouble::api(format!("look for namespace {name}")))?;
            left.extend(there.map(|_| format!("namespace {name}")));
        }
        let name = marks::agent(run);
        let pod = pods.get_opt(&name).await.map_err(Trouble::api("look for the agent's pod"))?;
        left.extend(pod.map(|_| format!("pod {name}")));
        if left.is_empty() {
            return Ok(());
        }
        if began.elapsed() > LIMIT {
            let missing = format!("the end of {}", left.join(" and "));
            let help = format!(
                "deleted {} s ago and still there: look at its finalizers, then firedrill clean",
                LIMIT.as_secs()
            );
            return Err(Trouble::Missing { missing, help });
        }
        sleep(PAUSE).await;
    }
}

//! Clearing away what a run left, by its labels and its lease. A run uses this at its own end; `firedrill clean` uses it
//! for runs that had none.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
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
/// A lease is the first thing of a run and the last, so leases are read after everything else: what a run that begins
/// meanwhile has made is never seen without one. A run that has ended meanwhile has none any more, and nothing else
/// either: a second look tells it from one that has lost its lease.
///
/// # Errors
/// When the API server does not tell.
pub async fn leftovers(client: &kube::Client) -> Result<Vec<Leftover>, Trouble> {
    let mut runs = marked(client).await?;
    let leases = ListParams::default().labels(marks::RUN);
    let leases = lease::api(client).list(&leases).await.map_err(Trouble::api(LOOK))?;
    let of = |lease: &Lease| lease.metadata.name.clone().unwrap_or_default();
    let leased: BTreeSet<String> = leases.iter().map(of).collect();
    if !runs.is_subset(&leased) {
        let again = marked(client).await?;
        runs.retain(|run| leased.contains(run) || again.contains(run));
    }
    // The lease of the notification services is no run's, but says which run it is kept for.
    let labelled = leases.iter().filter_map(|lease| run_of(&lease.metadata));
    runs.extend(labelled);
    let now = Moment::wall();
    let leftover = |run: String| {
        let told = leases.iter().find(|lease| lease.metadata.name.as_ref() == Some(&run));
        let told = told.map(|lease| lease::read(lease, now));
        let (scenario, alive) = told.map(|told| (told.scenario, told.alive)).unwrap_or_default();
        Leftover { run, scenario, alive }
    };
    Ok(runs.into_iter().map(leftover).collect())
}

const LOOK: &str = "look for runs";

/// The runs that have something in the cluster beside a lease.
async fn marked(client: &kube::Client) -> Result<BTreeSet<String>, Trouble> {
    let marked = ListParams::default().labels(marks::RUN);
    let namespaces = Api::<Namespace>::all(client.clone()).list(&marked).await.map_err(Trouble::api(LOOK))?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), marks::HOME);
    let pods = pods.list(&marked).await.map_err(Trouble::api(LOOK))?;
    let kept: Api<ConfigMap> = Api::namespaced(client.clone(), marks::HOME);
    let kept = kept.list(&marked).await.map_err(Trouble::api(LOOK))?;
    let metadata = namespaces.iter().map(|namespace| &namespace.metadata);
    let metadata =
        metadata.chain(pods.iter().map(|pod| &pod.metadata)).chain(kept.iter().map(|kept| &kept.metadata));
    Ok(metadata.filter_map(run_of).collect())
}

fn run_of(metadata: &ObjectMeta) -> Option<String> {
    metadata.labels.as_ref()?.get(marks::RUN).cloned()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/firedrill/leases";
    const PODS: &str = "/api/v1/namespaces/firedrill/pods";
    const CONFIG_MAPS: &str = "/api/v1/namespaces/firedrill/configmaps";
    const NAMESPACES: &str = "/api/v1/namespaces";
    /// No look asks more often.
    const REQUESTS: usize = 8;

    /// An object of a run: its list, its name, and before and after which requests it is there.
    #[derive(Clone, Copy)]
    struct Thing {
        list: &'static str,
        name: &'static str,
        there: (usize, usize),
    }

    /// What a run makes, in the order it is made; it is deleted the other way round.
    const MADE: [(&str, &str); 5] = [
        (LEASES, "r1"),
        (PODS, "firedrill-agent-r1"),
        (LEASES, "firedrill-notifications"),
        (CONFIG_MAPS, "firedrill-notifications"),
        (NAMESPACES, "firedrill-r1"),
    ];

    /// What is listed when these things come and go.
    async fn listed(things: Vec<Thing>) -> Vec<Leftover> {
        let requests = Arc::new(AtomicUsize::new(0));
        let answers = tower::service_fn(move |request: Request<Body>| {
            let now = requests.fetch_add(1, Ordering::Relaxed);
            assert!(now < REQUESTS, "a request that no time was given to: {}", request.uri());
            let there = |thing: &&Thing| {
                thing.list == request.uri().path() && (thing.there.0..thing.there.1).contains(&now)
            };
            let items: Vec<Value> = things.iter().filter(there).map(object).collect();
            let answer = json!({ "metadata": {}, "items": items }).to_string();
            async move { Ok::<_, std::io::Error>(Response::new(Body::from(answer.into_bytes()))) }
        });
        leftovers(&kube::Client::new(answers, "default")).await.unwrap()
    }

    fn object(thing: &Thing) -> Value {
        let mut object = json!({ "metadata": { "name": thing.name, "labels": { marks::RUN: "r1" } } });
        if (thing.list, thing.name) == MADE[0] {
            object["spec"] = json!({ "renewTime": Moment::wall().rfc3339_micros() });
        }
        object
    }

    /// All ways in which the things of a run can fall between the requests of a look, each not before the one before it.
    fn orders(things: usize) -> Vec<Vec<usize>> {
        let later = |order: Vec<usize>| {
            let from = order.last().copied().unwrap_or(0);
            (from..=REQUESTS).map(move |next| order.iter().copied().chain([next]).collect())
        };
        (0..things).fold(vec![vec![]], |orders, _| orders.into_iter().flat_map(later).collect())
    }

    #[tokio::test]
    async fn a_run_that_begins_meanwhile_is_not_dead() {
        for order in orders(MADE.len()) {
            let made = MADE.iter().zip(&order);
            let things =
                made.map(|(&(list, name), &from)| Thing { list, name, there: (from, REQUESTS) }).collect();
            let listed = listed(things).await;
            assert!(listed.iter().all(|run| run.alive), "made before requests {order:?}: {listed:?}");
        }
    }

    #[tokio::test]
    async fn a_run_that_ends_meanwhile_is_not_dead() {
        for order in orders(MADE.len()) {
            let gone = MADE.iter().rev().zip(&order);
            let things = gone.map(|(&(list, name), &to)| Thing { list, name, there: (0, to) }).collect();
            let listed = listed(things).await;
            assert!(listed.iter().all(|run| run.alive), "gone before requests {order:?}: {listed:?}");
        }
    }

    #[tokio::test]
    async fn whatever_is_left_without_a_lease_is_a_dead_run_s() {
        for (list, name) in &MADE[1..] {
            let there = Thing { list, name, there: (0, REQUESTS) };
            let dead = Leftover { run: "r1".to_owned(), scenario: String::new(), alive: false };
            assert_eq!(listed(vec![there]).await, [dead], "{name}");
        }
    }
}

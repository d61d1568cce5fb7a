//! A run on the twin: a world of its own for the control and one for the release, under a paused clock.

use std::time::Duration;

use fake_app::profile::Profile;

use super::prepare::{CONTROLLER_NAMESPACE, Prepared};
use super::{Finished, control};
use crate::argo::Version;
use crate::clock::{Moment, Seed};
use crate::cluster::Trouble;
use crate::cluster::open_twin;
use crate::engine::{self, Run};
use crate::plan::{Criteria, Plan};
use crate::scenario::Receiver;
use crate::timeline::Entry;
use crate::twin::Settings;
use crate::twin::pods::{Exports, PodSettings};
use crate::twin::prometheus::{Role, Scraping};
use crate::twin::receivers::Manner;
use crate::verdict::{ControlOutcome, Judge, judge};

/// How the twin's Prometheus keeps samples at least.
const RETENTION: Duration = Duration::from_secs(2 * 3600);
/// What a scenario means where it says nothing (`scenario/defaults.yaml`).
const POD_START: Duration = Duration::from_secs(3);
/// The same.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);

/// Runs a prepared scenario on the twin, its control first.
///
/// # Errors
/// When the runtime itself cannot be built, which is the machine's trouble.
pub fn on_twin(
    prepared: &Prepared,
    seed: u64,
    see: &mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
) -> std::io::Result<Finished> {
    let criteria = prepared.plan.criteria();
    let control = match control::plan(&prepared.plan) {
        Err(reason) => ControlOutcome::Skipped(reason),
        Ok(plan) => {
            let criteria = plan.criteria();
            let run = one_run(
                prepared,
                &plan,
                &criteria,
                seed,
                &|judge: &Judge<'_>| control::decided(judge),
                &mut |_, _| {},
            )?;
            match run.trouble {
                Some(trouble) => ControlOutcome::Failed(trouble.sentence()),
                None => control::outcome(&criteria, &run.timeline),
            }
        }
    };
    let run = one_run(prepared, &prepared.plan, &criteria, seed, &|judge: &Judge<'_>| judge.decided(), see)?;
    let trouble = run.trouble.as_ref().map(Trouble::sentence);
    let verdict = judge(&criteria, &run.timeline, control, trouble.as_deref());
    let plan = prepared.plan.clone();
    Ok(Finished { plan, criteria, timeline: run.timeline, verdict, interrupted: run.interrupted })
}

/// A world, a plan, a run.
fn one_run(
    prepared: &Prepared,
    plan: &Plan,
    criteria: &Criteria,
    seed: u64,
    decided: &(dyn Fn(&Judge<'_>) -> bool + Sync),
    see: &mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
) -> std::io::Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(async {
        let world = open_twin(settings(prepared, plan, seed));
        let stop = std::future::pending::<()>();
        engine::run(world.cluster(), plan, criteria, seed, decided, stop, see).await
    }))
}

pub(super) fn settings(prepared: &Prepared, plan: &Plan, seed: u64) -> Settings {
    let mut identity = fake_app::metrics::Labels::new();
    identity.insert("service".to_owned(), plan.traffic.service.clone());
    identity.insert("namespace".to_owned(), plan.namespace.clone());
    identity.insert("workload".to_owned(), plan.rollout.clone());
    identity.insert("app".to_owned(), plan.rollout.clone());
    let receivers = plan.twin.receivers.iter().map(|(name, receiver)| (name.clone(), manner(*receiver)));
    Settings {
        seed: Seed::new(seed),
        epoch: Moment::VIRTUAL_EPOCH,
        version: plan.argo,
        pods: PodSettings {
            start: plan.twin.pod_start.0,
            healthy: fake_app::fault::Latency::healthy(),
            exports: Exports { profiles: plan.profiles.clone(), identity },
        },
        scraping: Scraping {
            interval: plan.twin.scrape_interval.0,
            role: if prepared.asks_by_service { Role::Endpoints } else { Role::Pods },
            retention: RETENTION.max(prepared.longest_range * 2),
        },
        receivers: receivers.collect(),
        controller_namespace: prepared.controller_namespace.clone(),
        argo: true,
    }
}

/// A world without a scenario: every default, and servers that count their requests as most do.
#[must_use]
pub fn empty(seed: u64, epoch: Moment) -> Settings {
    Settings {
        seed: Seed::new(seed),
        epoch,
        version: Version::default(),
        pods: PodSettings {
            start: POD_START,
            healthy: fake_app::fault::Latency::healthy(),
            exports: Exports { profiles: vec![Profile::Micrometer, Profile::Http], ..Exports::default() },
        },
        scraping: Scraping { interval: SCRAPE_INTERVAL, role: Role::Pods, retention: RETENTION },
        receivers: vec![],
        controller_namespace: CONTROLLER_NAMESPACE.to_owned(),
        argo: true,
    }
}

/// A receiver that is well answers like a small server on the same network.
fn manner(receiver: Receiver) -> Manner {
    match receiver {
        Receiver::Ok => Manner::Answers(200, Duration::from_millis(5)),
        Receiver::Down => Manner::Refuses,
        Receiver::Slow(slow) => Manner::Answers(200, slow.0),
        Receiver::Status(status) => Manner::Answers(status, Duration::from_millis(5)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Method, Request};
    use kube::client::Body;
    use tower::service_fn;

    use super::*;
    use crate::cluster::Cluster;
    use crate::cluster::agent::Agent;
    use crate::timeline::{Event, Instant, Timeline};

    /// A run on a twin behind a wire that keeps the answers to some requests for so long.
    fn run(slow: impl Fn(&Request<Body>) -> Duration + Clone + Send + Sync + 'static) -> Timeline {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/errors-roll-back.yaml");
        let prepared = crate::drill::prepare(&path, true).unwrap();
        let (plan, criteria) = (&prepared.plan, prepared.plan.criteria());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let run = runtime.block_on(async {
            let world = open_twin(settings(&prepared, plan, 1));
            let client = world.cluster().client.clone();
            let wire = service_fn(move |request: Request<Body>| {
                let (client, late) = (client.clone(), slow(&request));
                async move {
                    let answer = client.send(request).await;
                    tokio::time::sleep(late).await;
                    answer
                }
            });
            let client = kube::Client::new(wire, "default");
            let cluster = Cluster { agent: Agent::new(client.clone()), client, ..world.cluster().clone() };
            let decided = |judge: &Judge<'_>| judge.decided();
            let never = std::future::pending();
            engine::run(&cluster, plan, &criteria, 1, &decided, never, &mut |_, _| {}).await
        });
        run.timeline
    }

    /// When Services were switched, with an agent whose answers are so late once the release is made.
    fn switches(late: Duration) -> Vec<(Instant, Event)> {
        let asked = std::sync::Arc::new(AtomicUsize::new(0));
        let timeline = run(move |request| {
            let is_late = request.uri().path().ends_with("/observed")
                // The release is made before that.
                && asked.fetch_add(1, Ordering::Relaxed) >= 60;
            if is_late { late } else { Duration::ZERO }
        });
        let switched = timeline.entries().iter().filter(|entry| matches!(entry.event, Event::Switched(_)));
        switched.map(|entry| (entry.at, entry.event.clone())).collect()
    }

    #[test]
    fn what_happens_while_the_agent_is_late_is_seen_in_time() {
        let prompt = switches(Duration::ZERO);
        assert!(prompt.len() >= 3, "onto the preview, to the new revision, and back: {prompt:?}");
        assert_eq!(switches(Duration::from_secs(3)), prompt);
    }

    #[test]
    fn who_waits_for_a_step_is_blind_meanwhile() {
        let blind = |late: Duration| {
            let timeline = run(move |request| {
                let is_step =
                    request.method() == Method::PATCH && request.uri().path().ends_with("/rollouts/server");
                if is_step { late } else { Duration::ZERO }
            });
            let blind = timeline.entries().iter().filter_map(|entry| match entry.event {
                Event::Blind { seconds } => Some(seconds),
                _ => None,
            });
            blind.collect::<Vec<f64>>()
        };
        assert_eq!(blind(Duration::from_millis(900)), [] as [f64; 0]);
        assert_eq!(blind(Duration::from_secs(3)), [3.0]);
    }
}

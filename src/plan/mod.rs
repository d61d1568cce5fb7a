//! What will be done when, and what would count as an answer: a scenario and the policy it names, made into one [`Plan`].
//!
//! Planning is a pure function. The plan is complete (nobody looks into the scenario again), serialisable and diffable: the objects
//! to install with a stand-in server in place of the user's image ([`rewire`]), where the traffic goes ([`traffic`]), the steps
//! ([`timeline`]) and the expectations ([`answer`]). What cannot be planned is a diagnostic, and all of them are told. Whether a
//! policy is any good is not asked here: that is for `lint` to warn of and for the run to find out.

pub mod answer;
pub mod criteria;
mod metrics;
mod objects;
mod rewire;
mod rollout;
mod router;
mod services;
pub mod timeline;
pub mod traffic;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

pub use answer::{Ending, Expectation, Harm};
pub use criteria::Criteria;
pub use metrics::metric_names;
pub use objects::Manifest;
pub use rewire::{IMAGE, RECEIVER};
pub use router::Router;
pub use timeline::{Action, Step, When};
pub use traffic::Traffic;

use crate::argo::Version;
use crate::diag::{Diagnostic, Source, Span};
use crate::scenario::{self, Duration, Profile, Receiver, Scenario};

/// Everything a run needs to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// What it is about, for the reader of the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The requirements it is evidence for.
    pub covers: Vec<String>,
    /// The controller version to imitate.
    pub argo: Version,
    /// The namespace of the Rollout.
    pub namespace: String,
    /// The Rollout under test.
    pub rollout: String,
    /// The object whose pod template the Rollout borrows: what a release changes instead of the Rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// How it replaces one revision by the next.
    pub strategy: Strategy,
    /// The Service that users reach in a blue-green rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_service: Option<String>,
    /// Whether a canary gets its share by the number of its pods, because no router sets weights.
    pub shared_by_pods: bool,
    /// Whether the strategy has an analysis.
    pub analysed: bool,
    /// Whether the strategy waits for a person to promote.
    pub leaves_promotion_to_a_person: bool,
    /// The container that serves, and the ports of every stand-in.
    pub container: String,
    /// The objects to install, in this order. The first release of the Rollout in them is healthy.
    pub objects: Vec<Value>,
    /// What was changed in them beside the image, for the report.
    pub changes: Vec<String>,
    /// The names under which the stand-in counts requests.
    pub profiles: Vec<Profile>,
    /// Names that the policy's queries ask for and nobody exports.
    pub unknown_metrics: Vec<String>,
    /// The Prometheus addresses the policy asks, as written.
    pub prometheus: Vec<String>,
    /// The notification services that were pointed at the receiver, by the name triggers use.
    pub receivers: Vec<String>,
    /// What the users do.
    pub traffic: Traffic,
    /// So long traffic is clean before the first release.
    pub baseline: Duration,
    /// What is done, in the order written; the first is the release.
    pub steps: Vec<Step>,
    /// What has to happen.
    pub expectations: Vec<Expectation>,
    /// How long traffic must stay clean before it counts as restored.
    pub hold: Duration,
    /// When to stop waiting, counted from the first release.
    pub give_up_after: Duration,
    /// How the run has to end.
    pub ending: Ending,
    /// What the control run does.
    pub control: Control,
    /// How many runs.
    pub repeat: u32,
    /// What only the twin needs.
    pub twin: Twin,
}

/// The object that `spec.workloadRef` names, in the Rollout's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Workload {
    /// `Deployment`, `ReplicaSet` or `PodTemplate`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The two strategies of a Rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Two Services, one switch.
    BlueGreen,
    /// A growing share.
    Canary,
}

/// The same policy with a healthy release.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// It runs, with this one step in place of all others.
    Run(Step),
    /// It does not, for this reason.
    Skip(String),
}

/// What only the twin needs to be told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Twin {
    /// From scheduled to listening.
    pub pod_start: Duration,
    /// Between two scrapes.
    pub scrape_interval: Duration,
    /// How receivers behave, by the name of their notification service; well, unless they are named here.
    pub receivers: BTreeMap<String, Receiver>,
}

/// Plans a scenario over the objects of its policy, or says everything that stands against it.
pub fn plan(
    scenario: &Scenario,
    source: &Arc<Source>,
    manifests: &[Manifest],
) -> Result<Plan, Vec<Diagnostic>> {
    let mut desk = Desk { scenario, source, manifests, found: Vec::new() };
    match desk.plan() {
        Some(plan) if desk.found.is_empty() => Ok(plan),
        _ => Err(desk.found),
    }
}

/// What lies on the planner's desk. A step that fails leaves its reason in `found` and returns nothing.
struct Desk<'a> {
    scenario: &'a Scenario,
    source: &'a Arc<Source>,
    manifests: &'a [Manifest],
    found: Vec<Diagnostic>,
}

impl Desk<'_> {
    fn plan(&mut self) -> Option<Plan> {
        let rollout = self.rollout()?;
        let receivers = services::names(self.manifests);
        let expectations = self.expectations(&receivers);
        let service = self.service(&rollout);
        let serving = service.as_ref().and_then(|service| self.serving(&rollout, service));
        let router = self.router(&rollout);
        self.reachable(&rollout);
        let (service, container, router) = (service?, serving?, router?);
        let (profiles, unknown_metrics) = self.profiles();
        let rewired = rewire::policy(self, &rollout, &container, &profiles);
        let scenario = self.scenario;
        Some(Plan {
            name: scenario.name.value.clone(),
            about: scenario.about.as_ref().map(|about| about.value.clone()),
            covers: scenario.covers.iter().map(|id| id.value.clone()).collect(),
            argo: *scenario.policy.argo,
            namespace: self.namespace(&rollout),
            rollout: rollout.name.clone(),
            workload: rollout
                .lender
                .map(|lender| Workload { kind: lender.kind().to_owned(), name: lender.name().to_owned() }),
            strategy: rollout.strategy,
            active_service: rollout.active_service(),
            shared_by_pods: rollout.strategy == Strategy::Canary && !rollout.has_router(),
            analysed: rollout.is_analysed(),
            leaves_promotion_to_a_person: rollout.leaves_promotion_to_a_person(),
            objects: rewired.objects,
            changes: rewired.changes,
            profiles,
            unknown_metrics,
            prometheus: metrics::addresses(self.manifests),
            receivers,
            traffic: traffic::traffic(&scenario.traffic, &service, router),
            baseline: *scenario.baseline.hold,
            steps: timeline::steps(&scenario.release, &container, rollout.template_pointer(), &rollout.name),
            expectations,
            hold: *scenario.hold,
            give_up_after: *scenario.give_up_after,
            ending: answer::ending(scenario),
            control: match &*self.scenario.control {
                scenario::Control::Run => {
                    Control::Run(timeline::control(&container, rollout.template_pointer()))
                }
                scenario::Control::Skip(reason) => Control::Skip(reason.clone()),
            },
            repeat: *scenario.repeat,
            twin: Twin {
                pod_start: *scenario.twin.pod_start,
                scrape_interval: *scenario.twin.scrape_interval,
                receivers: scenario.twin.receivers.iter().map(|(k, v)| (k.clone(), v.value)).collect(),
            },
            container: container.name,
        })
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    fn span(&self, place: crate::scenario::Place) -> Span {
        crate::scenario::span(self.source, place)
    }

    fn profiles(&self) -> (Vec<Profile>, Vec<String>) {
        let names = metrics::asked(self.manifests);
        if let Some(profile) = &self.scenario.metrics {
            let exported = exported(&profile.value);
            let unknown = names.into_iter().filter(|name| !exported.contains(name)).collect();
            return (vec![profile.value.clone()], unknown);
        }
        let choice = fake_app::profile::choose(names.iter().map(String::as_str), None);
        (choice.profiles, choice.unknown)
    }
}

fn exported(profile: &Profile) -> Vec<String> {
    profile.families().iter().flat_map(fake_app::profile::Family::sample_names).collect()
}

#[cfg(test)]
mod tests;

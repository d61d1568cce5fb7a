//! One reconcile from its beginning (`syncHandler` and `newRolloutContext` in rollout/controller.go v1.9.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::claim;
use super::conditions::{self, kinds};
use super::context::{Context, CurrentRuns, Outcome, Stop};
use super::newrs;
use super::pause::PauseContext;
use super::unsupported;
use super::views::{AnalysisRun, Experiment, Service};
use super::{references, service, validation, workload};
use crate::argo::Version;
use crate::argo::rollout::{ConditionStatus, Rollout, RolloutStatus};
use crate::clock::Moment;
use crate::twin::effect::Reconciled;
use crate::twin::store::{Key, Kind, Part, Store};

/// Compares a Rollout with the world and decides what to do next.
///
/// An error means that the key comes back after its back-off; the effects before it still count. An invalid spec is
/// such an error too, with a condition that says why.
#[must_use]
pub fn reconcile(store: &Store, now: Moment, key: &Key, version: Version) -> Reconciled {
    let Some(object) = store.get(key) else { return Reconciled::nothing() };
    let mut rollout = match Rollout::read(object) {
        Ok(rollout) => rollout,
        Err(error) => {
            return refused(format!("the Rollout {}/{} cannot be read: {error}", key.namespace, key.name));
        }
    };
    if rollout.metadata.deletion_timestamp.is_some() {
        return Reconciled::nothing();
    }
    if let Some((pointer, sentence)) = unsupported::of(&rollout).into_iter().next() {
        return refused(format!(
            "the Rollout {}/{} is not imitated: {pointer}: {sentence}",
            key.namespace, key.name
        ));
    }
    let resolved = workload::resolve(store, key, &mut rollout);
    let mut context = Context::new(store, now, key, version, rollout);
    if let Err(error) = resolved {
        context.report_unresolved(&error);
        return context.out;
    }
    let outcome = context.run();
    context.out.error = outcome.err().map(|Stop(error)| error);
    context.out
}

fn refused(error: String) -> Reconciled {
    Reconciled { error: Some(error), ..Reconciled::default() }
}

impl<'a> Context<'a> {
    fn new(store: &'a Store, now: Moment, key: &Key, version: Version, rollout: Rollout) -> Context<'a> {
        let (all, effects) = claim::replica_sets(store, &rollout, key);
        let new = newrs::find_new(&rollout, &all);
        let stable = newrs::find_stable(&rollout, new.as_ref(), &all);
        let other = newrs::others(&all, new.as_ref(), stable.as_ref());
        let older = newrs::others(&all, new.as_ref(), None);
        let (current_runs, other_runs) = sort_runs(&rollout, claim::analysis_runs(store, &rollout, key));
        let named = |one: &Experiment| one.name() == rollout.status.canary.current_experiment;
        let (experiment, other_experiments): (Vec<_>, Vec<_>) =
            claim::experiments(store, &rollout, key).into_iter().partition(named);
        let mut fresh = RolloutStatus {
            restarted_at: rollout.status.restarted_at.clone(),
            rest: rollout.status.rest.clone(),
            ..RolloutStatus::default()
        };
        fresh.canary.weights.clone_from(&rollout.status.canary.weights);
        let services = services(store, &rollout, key);
        let out = Reconciled { effects, ..Reconciled::default() };
        let (key, pause) = (key.clone(), PauseContext::default());
        Context {
            store,
            now,
            version,
            key,
            rollout,
            all,
            new,
            stable,
            older,
            other,
            services,
            routes: BTreeMap::new(),
            current_runs,
            other_runs,
            experiment: experiment.into_iter().next(),
            other_experiments,
            pause,
            fresh,
            out,
        }
    }

    fn run(&mut self) -> Outcome {
        if let Err(error) = self.validate() {
            self.report_invalid_spec(&error);
            return Err(Stop(error));
        }
        let fully_promoted = self.rollout.is_fully_promoted();
        let as_read = self.rollout.metadata.resource_version.clone();
        if self.new.is_none() && self.create_new_replica_set()? && self.version == Version::V1_10 {
            return Ok(());
        }
        if fully_promoted && self.is_aborted() {
            self.pause.remove_abort();
        }
        if self.rollout.spec.replicas.is_none() {
            // A HorizontalPodAutoscaler cannot work with an absent number. Upstream writes the copy it read, which is
            // stale when this very reconcile has set the revision: a conflict, and another round.
            self.rollout.spec.replicas = Some(1);
            self.rollout.metadata.resource_version = as_read;
            self.put_rollout(Part::Main);
            return Ok(());
        }
        if self.check_paused_conditions() && self.version == Version::V1_10 {
            return Ok(());
        }
        if self.is_scaling_event()? {
            return self.sync_replicas_only();
        }
        if self.rollout.spec.strategy.blue_green.is_some() {
            return self.rollout_blue_green();
        }
        self.rollout_canary()
    }

    /// `getRolloutValidationErrors`: only the first error is ever told.
    fn validate(&self) -> Result<(), String> {
        validation::validate(&self.rollout)?;
        references::validate(self)
    }

    /// `createInvalidRolloutCondition`: written once per message and generation.
    pub(super) fn report_invalid_spec(&mut self, error: &str) {
        let message = format!("The Rollout \"{}\" is invalid: {error}", self.rollout.metadata.name);
        let status = &self.rollout.status;
        let told =
            status.condition(kinds::INVALID_SPEC).is_some_and(|condition| condition.message == message);
        if told && status.observed_generation == self.rollout.metadata.generation.to_string() {
            return;
        }
        let mut status = status.clone();
        if !told {
            conditions::remove(&mut status, kinds::INVALID_SPEC);
        }
        let condition =
            conditions::new(kinds::INVALID_SPEC, ConditionStatus::True, "InvalidSpec", &message, self.now);
        self.patch_conditions(status, vec![condition]);
    }
}

/// `FilterCurrentRolloutAnalysisRuns` in utils/analysis/filter.go v1.9.1.
fn sort_runs(rollout: &Rollout, runs: Vec<AnalysisRun>) -> (CurrentRuns, Vec<AnalysisRun>) {
    let (status, canary) = (&rollout.status.blue_green, &rollout.status.canary);
    let named = |run: &AnalysisRun, status: &Option<crate::argo::rollout::AnalysisRunRef>| {
        status.as_ref().is_some_and(|one| one.name == run.name())
    };
    let (mut current, mut other) = (CurrentRuns::default(), vec![]);
    for run in runs {
        if named(&run, &canary.current_step_analysis_run_status) {
            current.step = Some(run);
        } else if named(&run, &canary.current_background_analysis_run_status) {
            current.background = Some(run);
        } else if named(&run, &status.pre_promotion_analysis_run_status) {
            current.pre = Some(run);
        } else if named(&run, &status.post_promotion_analysis_run_status) {
            current.post = Some(run);
        } else {
            other.push(run);
        }
    }
    (current, other)
}

fn services(store: &Store, rollout: &Rollout, key: &Key) -> BTreeMap<String, Service> {
    let found = service::named(rollout).into_iter().filter_map(|(_, name)| {
        let object = store.get(&key.sibling(Kind::Service, name))?;
        Some((name.to_owned(), Service::of(Arc::clone(object))))
    });
    found.collect()
}

//! The moments of a run (design §3), found by folding over its timeline.
//!
//! A fold and nothing else: the engine feeds it as facts arrive, to know what to wait for; the judge feeds it a whole
//! saved timeline. It takes no notice of Kubernetes Events, which are told and not evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::harm::Harm;
use crate::scenario::Anchor;
use crate::timeline::{AnalysisSeen, Entry, Event, Instant, PodSeen, RolloutSeen, Second};

/// What the fold has to know of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cast {
    /// The revision that was there before the drill.
    pub healthy: String,
    /// The Service that users reach in a blue-green rollout.
    pub active_service: Option<String>,
    /// Whether a canary gets its share by the number of its pods, because no router sets weights.
    #[serde(default)]
    pub shared_by_pods: bool,
    /// How long traffic has to stay clean to count as restored.
    pub hold: Duration,
}

/// The moments found so far, and what was seen on the way to them.
#[derive(Debug, Clone)]
pub struct Moments {
    cast: Cast,
    /// Released revisions, in order of release.
    released: Vec<String>,
    applied: Option<Instant>,
    onset: Option<Instant>,
    detected: Vec<Instant>,
    aborted: Vec<Instant>,
    switched_back: Vec<Instant>,
    promoted: Vec<Instant>,
    paused: Vec<Instant>,
    scaled_down: Option<Instant>,
    pods_back: Vec<Instant>,
    /// Whether pods of the stable revision have yet to come back after an abort.
    pods_missing: bool,
    /// How many ready pods the healthy revision had when the release was written.
    pods_before: usize,
    /// When the release first got to each step or past it.
    steps: Vec<Instant>,
    notified: Vec<Instant>,
    /// By revision and name, whether it is ready.
    pods: BTreeMap<String, BTreeMap<String, bool>>,
    rollout: RolloutSeen,
    /// What the Rollout called current when a release was written, until it names another: a status from before the
    /// release says nothing about it.
    stale: Option<String>,
    /// When something was last done to the rollout.
    acted: Option<Instant>,
    /// Of when the last fact is.
    latest: Option<Instant>,
    analysing: BTreeSet<String>,
    exposed: bool,
    harm: Harm,
}

/// How long a controller may take to answer: its queue holds a key back for ten seconds after a row of errors.
const ANSWERS_WITHIN: Duration = Duration::from_secs(12);

/// More steps than anybody writes: a step index is a number from outside.
const MANY_STEPS: usize = 10_000;

impl Moments {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(cast: Cast) -> Moments {
        Moments {
            cast,
            released: vec![],
            applied: None,
            onset: None,
            detected: vec![],
            aborted: vec![],
            switched_back: vec![],
            promoted: vec![],
            paused: vec![],
            scaled_down: None,
            pods_back: vec![],
            pods_missing: false,
            pods_before: 0,
            steps: vec![],
            notified: vec![],
            pods: BTreeMap::new(),
            rollout: RolloutSeen::default(),
            stale: None,
            acted: None,
            latest: None,
            analysing: BTreeSet::new(),
            exposed: false,
            harm: Harm::default(),
        }
    }

    /// Takes in one more fact.
    pub fn observe(&mut self, entry: &Entry) {
        let at = entry.at;
        self.latest = Some(at);
        match &entry.event {
            Event::Analysis(run) => self.analysis(run),
            Event::Acted { .. } => self.acted = Some(at),
            _ => {}
        }
        match &entry.event {
            Event::Acted { revision: Some(revision), .. } => {
                if self.applied.is_none() {
                    self.applied = Some(at);
                    self.pods_before = self.ready(|revision| revision == self.cast.healthy);
                }
                if *revision != self.cast.healthy && !self.released.contains(revision) {
                    self.released.push(revision.clone());
                }
                self.stale = Some(self.rollout.current.clone());
            }
            Event::Traffic(second) => self.traffic(at, second),
            Event::Pod(pod) => self.pod(at, pod),
            // What it was before the release is where every change is counted from.
            Event::Rollout(seen) if self.applied.is_none() => self.rollout = seen.clone(),
            _ if self.applied.is_none() => {}
            Event::Analysis(run)
                if self.is_new(&run.revision) && matches!(&*run.phase, "Failed" | "Error") =>
            {
                self.detected.push(at);
            }
            Event::Rollout(seen) => self.rollout(at, seen),
            Event::Switched(switched) if Some(&switched.service) == self.cast.active_service.as_ref() => {
                if self.is_new(&switched.to) {
                    self.exposed = true;
                } else if self.exposed && !switched.to.is_empty() {
                    self.exposed = false;
                    self.switched_back.push(at);
                }
            }
            // After a promotion the weight goes back as well, to a stable Service that has moved.
            Event::Weight { from, to: 0 } if *from > 0 && self.is_undone() => self.switched_back.push(at),
            Event::Delivered(delivered) if !delivered.knock && (200..300).contains(&delivered.status) => {
                self.notified.push(at);
            }
            _ => {}
        }
    }

    /// Every time this moment came, oldest first. For [`Anchor::Restored`]: the last harmed response, once it is
    /// confirmed.
    #[must_use]
    pub fn all(&self, moment: Anchor) -> Vec<Instant> {
        match moment {
            Anchor::Applied => self.applied.into_iter().collect(),
            Anchor::Onset => self.onset.into_iter().collect(),
            Anchor::Detected => self.detected.clone(),
            Anchor::Aborted => self.aborted.clone(),
            Anchor::SwitchedBack => self.switched_back.clone(),
            Anchor::Restored => self.restored().into_iter().collect(),
            Anchor::Promoted => self.promoted.clone(),
            Anchor::Paused => self.paused.clone(),
            Anchor::ScaledDown => self.scaled_down.into_iter().collect(),
            Anchor::PodsBack => self.pods_back.clone(),
            Anchor::Notified => self.notified.clone(),
        }
    }

    /// The first time this moment came.
    #[must_use]
    pub fn first(&self, moment: Anchor) -> Option<Instant> {
        self.all(moment).first().copied()
    }

    /// When the release first got to a step of its canary, or past it.
    #[must_use]
    pub fn reached(&self, step: u32) -> Option<Instant> {
        self.steps.get(usize::try_from(step).ok()?).copied()
    }

    /// The furthest step the release got to.
    #[must_use]
    pub fn furthest_step(&self) -> Option<usize> {
        self.steps.len().checked_sub(1)
    }

    /// The last harmed response, once a hold of clean traffic followed in which no new revision answered: a quiet
    /// spell of a release that still fails every hundredth request is not a restored service.
    #[must_use]
    pub fn restored(&self) -> Option<Instant> {
        self.onset?;
        let last = self.harm.last?;
        let quiet_from = self.harm.new_answered_until.map_or(last, |answered| answered.max(last));
        self.is_clean_since(quiet_from).then_some(last)
    }

    /// Whether a hold of clean traffic followed this instant. Silence is not clean: somebody has to have been served.
    fn is_clean_since(&self, from: Instant) -> bool {
        let told = self.harm.told_until.is_some_and(|until| until >= from + self.cast.hold);
        told && self.harm.served_until.is_some_and(|served| served > from)
    }

    /// Whether the Rollout has come to rest after everything that was done to it: nothing is counting down or being
    /// analysed, so that what has not happened will not happen by itself. `by_a_person` is whether its pauses wait for one.
    #[must_use]
    pub fn is_at_rest(&self, by_a_person: bool) -> bool {
        if self.applied.is_none() || self.stale.is_some() || self.may_not_have_heard() {
            return false;
        }
        match &*self.rollout.phase {
            "Healthy" | "Degraded" => true,
            // A canary may wait for a person at one step and for the clock at another.
            "Paused" if self.rollout.counting_down => false,
            "Paused" => {
                by_a_person || self.rollout.pauses.iter().any(|reason| reason.starts_with("Inconclusive"))
            }
            _ => false,
        }
    }

    /// Whether no more harm is to be expected: none was done, it is over, or the new revision is the stable one and
    /// the harm it does goes on for good.
    #[must_use]
    pub fn harm_has_settled(&self) -> bool {
        let promoted = self.is_new(&self.rollout.stable);
        match self.harm.last {
            None => true,
            Some(_) if promoted => true,
            Some(_) if self.onset.is_some() => self.restored().is_some(),
            Some(last) => self.is_clean_since(last),
        }
    }

    /// Revisions released by the drill, in order.
    #[must_use]
    pub fn released(&self) -> &[String] {
        &self.released
    }

    /// What the client suffered.
    #[must_use]
    pub fn harm(&self) -> &Harm {
        &self.harm
    }

    /// The Rollout as last seen.
    #[must_use]
    pub fn rollout_now(&self) -> &RolloutSeen {
        &self.rollout
    }

    /// Whether an analysis is still under way.
    #[must_use]
    pub fn is_analysing(&self) -> bool {
        !self.analysing.is_empty()
    }

    fn analysis(&mut self, run: &AnalysisSeen) {
        if matches!(&*run.phase, "" | "Pending" | "Running") {
            self.analysing.insert(run.name.clone());
        } else {
            self.analysing.remove(&run.name);
        }
    }

    /// Whether the controller may not have answered yet to what was done last: a Rollout at rest looks the same before.
    fn may_not_have_heard(&self) -> bool {
        self.acted.zip(self.latest).is_some_and(|(acted, latest)| latest < acted + ANSWERS_WITHIN)
    }

    fn is_new(&self, revision: &str) -> bool {
        self.released.iter().any(|released| released == revision)
    }

    /// Whether the release was given up, by the controller or by a person, and is not the stable revision all the same.
    fn is_undone(&self) -> bool {
        let replaced = self.stale.is_none() && self.rollout.current == self.cast.healthy;
        (!self.aborted.is_empty() || replaced) && !self.is_new(&self.rollout.stable)
    }

    /// How many pods of such revisions are ready.
    fn ready(&self, of: impl Fn(&str) -> bool) -> usize {
        let pods = self.pods.iter().filter(|(revision, _)| of(revision));
        pods.flat_map(|(_, pods)| pods.values()).filter(|ready| **ready).count()
    }

    /// What follows from how many pods of which revision are ready.
    fn count_pods(&mut self, at: Instant) {
        if self.applied.is_none() {
            return;
        }
        let stable = self.ready(|revision| revision == self.cast.healthy);
        if self.pods_missing && stable >= self.pods_before {
            self.pods_missing = false;
            self.pods_back.push(at);
        }
        if !self.cast.shared_by_pods {
            return;
        }
        let reachable = self.ready(|revision| self.is_new(revision)) > 0;
        if reachable {
            self.exposed = true;
        } else if self.exposed && self.is_undone() {
            self.exposed = false;
            self.switched_back.push(at);
        }
    }

    fn step(&mut self, at: Instant, seen: &RolloutSeen) {
        let Some(step) = seen.step.filter(|_| self.is_new(&seen.current)) else { return };
        let reached = usize::try_from(step).unwrap_or(usize::MAX).saturating_add(1).min(MANY_STEPS);
        if reached > self.steps.len() {
            self.steps.resize(reached, at);
        }
    }

    fn rollout(&mut self, at: Instant, seen: &RolloutSeen) {
        let aborted = |seen: &RolloutSeen| seen.abort && seen.progressing == "RolloutAborted";
        if aborted(seen) && !aborted(&self.rollout) {
            self.aborted.push(at);
            self.pods_missing = true;
        }
        if self.is_new(&seen.stable) && seen.stable != self.rollout.stable {
            self.promoted.push(at);
        }
        if !seen.pauses.is_empty() && self.rollout.pauses.is_empty() {
            self.paused.push(at);
        }
        self.stale.take_if(|stale| *stale != seen.current);
        self.rollout = seen.clone();
        if self.stale.is_none() {
            self.step(at, seen);
        }
        self.count_pods(at);
    }

    fn pod(&mut self, at: Instant, pod: &PodSeen) {
        let pods = self.pods.entry(pod.revision.clone()).or_default();
        if pod.going {
            let was_there = pods.remove(&pod.name).is_some();
            let last = was_there && pods.is_empty();
            if last && self.is_new(&pod.revision) && !self.aborted.is_empty() {
                self.scaled_down.get_or_insert(at);
            }
        } else {
            pods.insert(pod.name.clone(), pod.ready);
        }
        self.count_pods(at);
    }

    fn traffic(&mut self, at: Instant, second: &Second) {
        let Some(applied) = self.applied else { return };
        // A second that began before the release may hold requests of before; its harm cannot be told apart, so
        // the blast radius counts whole seconds after it. The new revision cannot have answered in it anyway.
        if second.from < applied {
            return;
        }
        if let Some(first) = self.harm.observe(at, second, &self.released) {
            self.onset = Some(self.onset.map_or(first, |onset| onset.min(first)));
        }
    }
}

//! The vacuity guards: what makes a PASS worthless.
//!
//! A drill that saw no traffic, no measurement, no fault or no receiver has proved nothing. Each guard is on by
//! default, looks at the evidence and objects with one sentence; an objection turns a would-be PASS into
//! INCONCLUSIVE.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fake_app::fault::{Fault, Prepared, Request};
use serde::{Deserialize, Serialize};

use super::Reason;
use super::fault::{Expected, probability_between};
use super::judge::seconds;
use super::moments::Moments;
use crate::plan::criteria::{Criteria, Release, What};
use crate::scenario::Anchor;
use crate::timeline::{Entry, Event, Gap, Instant, PodSeen, Second, Stage};

/// How the control went: the same policy with a healthy release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlOutcome {
    /// It was promoted, without an abort and without an alarm.
    Promoted,
    /// It reached the pause where the policy leaves promotion to a person.
    LeftToAPerson,
    /// It did not get through.
    Failed(String),
    /// It was not run, for this reason.
    Skipped(String),
}

/// What the guards look at.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    releases: Vec<(Release, Option<Prepared>)>,
    request: (String, Vec<(String, String)>),
    stage: Option<Stage>,
    baseline_sent: u64,
    baseline_harmed: u64,
    expected: BTreeMap<String, Expected>,
    errors: BTreeMap<String, u64>,
    running: BTreeMap<String, BTreeMap<String, Instant>>,
    suffered: BTreeSet<String>,
    /// By revision and process; nothing once it has been ready.
    unready_since: BTreeMap<(String, String), Option<Instant>>,
    slowest_start: BTreeMap<String, Duration>,
    healthy: String,
    now: Instant,
    measured: u64,
    measured_badly: u64,
    last_measure_error: String,
    knocks: BTreeMap<String, u16>,
    gaps: Vec<Gap>,
    /// When the API server came into sight again, and after how long.
    blind: Vec<(Instant, Duration)>,
    skew: Duration,
    ended: String,
}

impl Evidence {
    /// No evidence yet.
    #[must_use]
    pub(crate) fn new(criteria: &Criteria) -> Evidence {
        let releases = criteria.releases.iter().map(|release| {
            let prepared = release.fault.prepare(&criteria.healthy_latency).ok();
            (release.clone(), prepared)
        });
        Evidence {
            releases: releases.collect(),
            request: (criteria.path.clone(), criteria.headers.clone()),
            stage: None,
            baseline_sent: 0,
            baseline_harmed: 0,
            expected: BTreeMap::new(),
            errors: BTreeMap::new(),
            running: BTreeMap::new(),
            suffered: BTreeSet::new(),
            unready_since: BTreeMap::new(),
            slowest_start: BTreeMap::new(),
            healthy: criteria.cast.healthy.clone(),
            now: Instant::default(),
            measured: 0,
            measured_badly: 0,
            last_measure_error: String::new(),
            knocks: BTreeMap::new(),
            gaps: vec![],
            blind: vec![],
            skew: Duration::ZERO,
            ended: String::new(),
        }
    }

    /// Takes in one more fact.
    pub(crate) fn observe(&mut self, entry: &Entry, moments: &Moments) {
        self.now = self.now.max(entry.at);
        match &entry.event {
            Event::Stage(stage) => self.stage = Some(*stage),
            Event::Traffic(second) => self.traffic(second, moments.first(Anchor::Applied)),
            Event::Pod(pod) => self.pod(entry.at, pod),
            Event::Measured(measured)
                if moments.released().contains(&measured.revision) && !measured.dry_run =>
            {
                if measured.phase == "Error" {
                    self.measured_badly += 1;
                    self.last_measure_error.clone_from(&measured.message);
                } else {
                    self.measured += 1;
                }
            }
            Event::Delivered(delivered) if delivered.knock => {
                self.knocks.insert(delivered.by.clone(), delivered.status);
            }
            Event::Gap(gap) => self.gaps.push(gap.clone()),
            Event::Blind { seconds } => {
                self.blind.push((entry.at, Duration::try_from_secs_f64(*seconds).unwrap_or(Duration::MAX)));
            }
            Event::Clock { skew } => self.skew = Duration::try_from_secs_f64(*skew).unwrap_or(Duration::MAX),
            Event::Ended { why } => self.ended.clone_from(why),
            _ => {}
        }
    }

    /// Whether something about the release may have been missed, or seen too late: then nobody can be blamed.
    pub(super) fn lost_sight(&self, moments: &Moments) -> bool {
        self.gaps.iter().any(|gap| gap.of != TRAFFIC) || self.blindness(moments).next().is_some()
    }

    /// The times of blindness that reached into the time after the release.
    fn blindness(&self, moments: &Moments) -> impl Iterator<Item = (Instant, Duration)> {
        let applied = moments.first(Anchor::Applied);
        self.blind.iter().copied().filter(move |(until, _)| applied.is_some_and(|applied| *until > applied))
    }

    fn traffic(&mut self, second: &Second, applied: Option<Instant>) {
        match applied {
            None if self.stage == Some(Stage::Baseline) => {
                self.baseline_sent += second.sent();
                self.baseline_harmed += second.harmed();
            }
            Some(applied) if second.from >= applied => self.compare(second),
            _ => {}
        }
    }

    /// Adds a second to what was asked of each new revision, and to what it served.
    fn compare(&mut self, second: &Second) {
        let request = Request { path: &self.request.0, headers: &self.request.1 };
        for (revision, tally) in &second.by {
            let release = self.releases.iter().find(|(release, _)| release.revision == *revision);
            let Some((_, Some(fault))) = release else { continue };
            let Some((youngest, oldest)) = self.ages(revision, second.from) else { continue };
            let (least, most) = probability_between(fault, &request, youngest, oldest);
            // A request that timed out never told its status.
            let answered = tally.sent - tally.refused.min(tally.sent) - tally.timed_out.min(tally.sent);
            self.expected.entry(revision.clone()).or_default().add(answered, least, most);
            *self.errors.entry(revision.clone()).or_default() += tally.errors.values().sum::<u64>();
        }
    }

    /// The least and greatest age that a process of this revision can have had around that second.
    fn ages(&self, revision: &str, from: Instant) -> Option<(Duration, Duration)> {
        let starts = self.running.get(revision)?;
        let youngest = starts.values().max()?;
        let oldest = starts.values().min()?;
        // A process is seen a moment after it began, and its fault may count from the fraction before.
        Some((from.since(*youngest), from.since(*oldest) + Duration::from_secs(3)))
    }

    fn pod(&mut self, at: Instant, pod: &PodSeen) {
        let starts = self.running.entry(pod.revision.clone()).or_default();
        if pod.running {
            starts.entry(format!("{}#{}", pod.name, pod.restarts)).or_insert(at);
        }
        if pod.restarts > 0 {
            self.suffered.insert(pod.revision.clone());
        }
        self.readiness(at, pod);
    }

    /// Every pod is unready until its first probe, so being unready is no fault yet. It is one to lose readiness, and
    /// to be unready for longer than the healthy revision ever needed.
    fn readiness(&mut self, at: Instant, pod: &PodSeen) {
        let id = (pod.revision.clone(), format!("{}#{}", pod.name, pod.restarts));
        if pod.running && !pod.ready && !pod.going {
            if self.unready_since.entry(id).or_insert(Some(at)).is_none() {
                self.suffered.insert(pod.revision.clone());
            }
        } else if (pod.ready || pod.going)
            && let Some(since) = self.unready_since.insert(id, None).flatten()
        {
            let slowest = self.slowest_start.entry(pod.revision.clone()).or_default();
            *slowest = at.since(since).max(*slowest);
        }
    }

    /// Whether a revision was harmed in its life: it was restarted, lost its readiness, or waited for it too long.
    fn has_suffered(&self, revision: &str) -> bool {
        let usual = self.slowest_start.get(&self.healthy).copied().unwrap_or_default();
        let waiting = self.unready_since.iter().filter(|((of, _), _)| of == revision);
        let waiting = waiting.filter_map(|(_, since)| Some(self.now.since((*since)?)));
        let slowest = waiting.chain(self.slowest_start.get(revision).copied()).max().unwrap_or_default();
        self.suffered.contains(revision) || slowest > usual + PROBE
    }
}

/// What a gap is of when requests were not sent: it hides harm, and excuses none.
const TRAFFIC: &str = "traffic";
/// How much the time to readiness of like pods may differ: probes are a period apart, and not all at once.
const PROBE: Duration = Duration::from_secs(15);

/// Everything that speaks against believing this run, most important first.
pub(super) fn objections(
    criteria: &Criteria,
    moments: &Moments,
    evidence: &Evidence,
    control: &ControlOutcome,
) -> Vec<Reason> {
    let mut objections = vec![];
    let mut object = |code: &str, sentence: String| {
        objections.push(Reason { code: code.to_owned(), sentence });
    };
    let released = moments.first(Anchor::Applied).is_some();
    if evidence.baseline_harmed > 0 {
        let (harmed, sent) = (evidence.baseline_harmed, evidence.baseline_sent);
        object("dirty-baseline", format!("{harmed} of {sent} requests were harmed before the release"));
    } else if evidence.baseline_sent == 0 && (released || evidence.stage >= Some(Stage::Baseline)) {
        object(
            "dirty-baseline",
            "no traffic was served before the release, so a change proves nothing".to_owned(),
        );
    }
    if !released {
        object("nothing-released", format!("the release was never written: {}", evidence.ended));
        return objections;
    }
    for (release, _) in &evidence.releases {
        if !moments.released().contains(&release.revision) {
            continue;
        }
        if let Some((code, sentence)) = unproven(release, moments, evidence) {
            object(code, sentence);
        }
    }
    if let Some(sentence) = unmeasured(criteria, evidence) {
        object("no-measurement", sentence);
    }
    for service in expected_receivers(criteria) {
        match evidence.knocks.get(service) {
            Some(200..300) => {}
            Some(status) => object(
                "silent-receiver",
                format!("receiver `{service}` answered a test message with {status}"),
            ),
            None => object("silent-receiver", format!("receiver `{service}` never proved reachable")),
        }
    }
    for gap in &evidence.gaps {
        object("watch-gap", format!("lost sight of {}: {}", gap.of, gap.why));
    }
    for (until, long) in evidence.blindness(moments) {
        let (until, long) = (seconds(until.since_start()), seconds(long));
        let sentence = format!("the API server was out of sight for {long}, until {until}");
        objections.push(Reason { code: "blind".to_owned(), sentence });
    }
    objections.extend(clock_skew(criteria, evidence.skew));
    objections.extend(stayed(criteria, moments));
    if let ControlOutcome::Failed(why) = control {
        let sentence = format!("a healthy release did not get through: {why}");
        objections.push(Reason { code: "control-failed".to_owned(), sentence });
    }
    objections
}

/// Why a release proves nothing, if it does not.
fn unproven(release: &Release, moments: &Moments, evidence: &Evidence) -> Option<(&'static str, String)> {
    let revision = &release.revision;
    let sent = moments.harm().by.get(revision).map_or(0, |count| count.sent);
    let fault = &release.fault;
    if harms_life(fault) && evidence.has_suffered(revision) {
        return None;
    }
    if harms_life(fault) {
        let sentence = format!(
            "no pod of {revision} lost its readiness, was late with it or was restarted: its fault was not suffered"
        );
        return Some(("fault-not-served", sentence));
    }
    if sent == 0 {
        return Some(("no-traffic-on-new-revision", format!("no request was answered by {revision}")));
    }
    let expected = evidence.expected.get(revision).copied().unwrap_or_default();
    if expected.sent == 0 {
        return Some(("fault-not-served", format!("no answer of {revision} can be compared with its fault")));
    }
    let errors = evidence.errors.get(revision).copied().unwrap_or(0);
    if !expected.allows(errors) {
        let (least, most) = expected.interval();
        let answered = expected.sent;
        let sentence = format!(
            "{revision} failed {errors} of {answered} requests; its fault asks for {least:.0} to {most:.0}"
        );
        return Some(("fault-not-served", sentence));
    }
    if fault.errors.is_some() && errors == 0 {
        return Some((
            "fault-not-served",
            format!("{revision} answered {} requests and failed none", expected.sent),
        ));
    }
    if fault.latency.is_some()
        && fault.errors.is_none()
        && moments.harm().by.get(revision).is_none_or(|count| !count.was_late())
    {
        return Some((
            "fault-not-served",
            format!("{revision} answered {sent} requests and none was slower than the SLO"),
        ));
    }
    None
}

/// Whether a bad release became stable in a run that is about a rollback: with several releases the moments of one
/// must not speak for another that got through.
fn stayed(criteria: &Criteria, moments: &Moments) -> Option<Reason> {
    let expects = |wanted: &[Anchor]| {
        let about = |what: &What| matches!(what, What::Moment { moment, .. } if wanted.contains(moment));
        criteria.expectations.iter().any(|criterion| about(&criterion.what))
    };
    if !expects(&[Anchor::Aborted, Anchor::SwitchedBack, Anchor::Restored]) || expects(&[Anchor::Promoted]) {
        return None;
    }
    let stable = &moments.rollout_now().stable;
    let bad = |release: &&Release| release.revision == *stable && release.fault != Fault::default();
    criteria.releases.iter().find(bad).map(|release| Reason {
        code: "bad-release-stayed".to_owned(),
        sentence: format!("{} is faulty, and it is the stable version at the end", release.revision),
    })
}

/// A fault of the process rather than of its answers.
fn harms_life(fault: &Fault) -> bool {
    (fault.readiness.is_some() || fault.liveness.is_some() || fault.crash.is_some())
        && fault.errors.is_none()
        && fault.latency.is_none()
}

fn unmeasured(criteria: &Criteria, evidence: &Evidence) -> Option<String> {
    let by_life = criteria.releases.iter().all(|release| harms_life(&release.fault));
    if !criteria.analysed || by_life || evidence.measured > 0 {
        return None;
    }
    if evidence.measured_badly > 0 {
        let error = &evidence.last_measure_error;
        return Some(format!(
            "all {} measurements ended in Error, the last with: {error}",
            evidence.measured_badly
        ));
    }
    Some("no measurement was taken of the new revision".to_owned())
}

fn expected_receivers(criteria: &Criteria) -> BTreeSet<&str> {
    let notified = criteria.expectations.iter().filter_map(|criterion| match &criterion.what {
        What::Notified { what, .. } => Some(what.by.as_str()),
        _ => None,
    });
    notified.collect()
}

/// Objections to the evidence itself. A documented defect that is shown by such evidence is not shown; the others may
/// be part of the defect.
pub(super) const DAMAGING: [&str; 8] = [
    "dirty-baseline",
    "nothing-released",
    "fault-not-served",
    "watch-gap",
    "blind",
    "clock-skew",
    "control-failed",
    "cut-short",
];

/// How far clocks may differ before a window means nothing: a tenth of the shortest one.
fn clock_skew(criteria: &Criteria, skew: Duration) -> Option<Reason> {
    let shortest = criteria.expectations.iter().filter_map(|criterion| criterion.what.within()).min()?;
    (skew > shortest / 10).then(|| Reason {
        code: "clock-skew".to_owned(),
        sentence: format!(
            "the clocks differ by {}, more than a tenth of {}",
            seconds(skew),
            seconds(shortest)
        ),
    })
}

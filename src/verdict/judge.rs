//! Judges expectations against the moments of a run.
//!
//! The same fold serves two readers: the engine asks [`Judge::decided`] to know when it may stop watching, and
//! [`judge`] reads a whole timeline. What they conclude can only differ while facts are still arriving.

use std::time::Duration;

use super::guards::{self, ControlOutcome, Evidence};
use super::moments::Moments;
use super::{Blast, BlastOf, Documented, Judged, MomentSeen, Outcome, Reason, State, Verdict};
use crate::plan::criteria::{Criteria, Criterion, NotifiedWhat, Times, What, Within};
use crate::scenario::Anchor;
use crate::timeline::{Delivered, Entry, Event, Instant, Timeline};

/// Folds over a timeline and knows at any time what is decided.
#[derive(Debug, Clone)]
pub struct Judge<'a> {
    criteria: &'a Criteria,
    moments: Moments,
    evidence: Evidence,
    deliveries: Vec<(Instant, Delivered)>,
    began: Option<crate::timeline::RunStarted>,
    ended: Option<String>,
    now: Instant,
}

/// Judges a whole timeline. `trouble` is what broke the world or the harness, if anything did.
#[must_use]
pub fn judge(
    criteria: &Criteria,
    timeline: &Timeline,
    control: ControlOutcome,
    trouble: Option<&str>,
) -> Verdict {
    let mut judge = Judge::new(criteria);
    for entry in timeline.entries() {
        judge.observe(entry);
    }
    judge.verdict(control, trouble)
}

impl<'a> Judge<'a> {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(criteria: &'a Criteria) -> Judge<'a> {
        Judge {
            criteria,
            moments: Moments::new(criteria.cast.clone()),
            evidence: Evidence::new(criteria),
            deliveries: vec![],
            began: None,
            ended: None,
            now: Instant::default(),
        }
    }

    /// Takes in one more fact.
    pub fn observe(&mut self, entry: &Entry) {
        self.now = self.now.max(entry.at);
        match &entry.event {
            Event::Started(started) => self.began = Some(started.clone()),
            Event::Ended { why } => self.ended = Some(why.clone()),
            Event::Delivered(delivered)
                if !delivered.knock && self.moments.first(Anchor::Applied).is_some() =>
            {
                self.deliveries.push((entry.at, delivered.clone()));
            }
            _ => {}
        }
        self.moments.observe(entry);
        self.evidence.observe(entry, &self.moments);
    }

    /// Time goes on although nothing happens.
    pub fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// What it judges by.
    #[must_use]
    pub fn criteria(&self) -> &Criteria {
        self.criteria
    }

    /// The moments so far.
    #[must_use]
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Whether there is nothing left to wait for. An expectation that is broken ends the matter once the others have
    /// their answer; a run that goes well is watched until the rollout has come to rest and the harm is over, because
    /// only then is it known what never happened, how often, and how much harm there was in all.
    #[must_use]
    pub fn decided(&self) -> bool {
        let states: Vec<State> = self.leading().map(|criterion| self.state(criterion, false).0).collect();
        if states.is_empty() || states.contains(&State::Undecided) {
            return false;
        }
        states.contains(&State::Broken) || self.has_settled()
    }

    fn leading(&self) -> impl Iterator<Item = &Criterion> {
        self.criteria.expectations.iter().filter(|criterion| !criterion.what.is_trailing())
    }

    /// Whether what has not happened by now will not happen by itself.
    fn has_settled(&self) -> bool {
        let moments = &self.moments;
        // Somebody's pause does not stop an analysis, which may yet abort.
        let paused = moments.rollout_now().phase == "Paused" && moments.is_analysing();
        moments.is_at_rest(self.criteria.leaves_promotion_to_a_person)
            && !paused
            && moments.harm_has_settled()
    }

    /// The expectations that are still open, for a person who waits, each with the time it has left where that is known.
    #[must_use]
    pub fn open(&self) -> Vec<(&str, Option<Duration>)> {
        let open = self.leading().filter(|criterion| self.state(criterion, false).0 == State::Undecided);
        open.map(|criterion| (criterion.id.as_str(), self.left(criterion))).collect()
    }

    fn left(&self, criterion: &Criterion) -> Option<Duration> {
        let window = criterion.what.window()?;
        let anchor = self.moments.first(window.after)?;
        Some((anchor + window.within?).since(self.now))
    }

    /// The verdict on everything observed.
    #[must_use]
    pub fn verdict(&self, control: ControlOutcome, trouble: Option<&str>) -> Verdict {
        let expectations: Vec<Judged> =
            self.criteria.expectations.iter().map(|criterion| self.judged(criterion)).collect();
        let mut reasons = vec![];
        let outcome = self.outcome(&expectations, &control, trouble, &mut reasons);
        let harm = self.moments.harm();
        let started = self.began.clone();
        let mut verdict = Verdict {
            scenario: self.criteria.scenario.clone(),
            about: self.criteria.about.clone(),
            covers: self.criteria.covers.clone(),
            world: started.as_ref().map_or_else(String::new, |started| started.world.clone()),
            seed: started.map_or(0, |started| started.seed),
            outcome,
            reasons,
            expectations,
            moments: self.moments_seen(),
            blast: Blast {
                sent: harm.all.sent,
                harmed: harm.all.harmed,
                share: share(harm.all.harmed, harm.all.sent),
                longest_run: harm.longest_run,
                exposed: harm.exposed,
                by: harm
                    .by
                    .iter()
                    .map(|(name, count)| BlastOf {
                        revision: name.clone(),
                        sent: count.sent,
                        harmed: count.harmed,
                    })
                    .collect(),
            },
            control,
            documented: None,
            lasted: self.now,
        };
        verdict.documented = self.documented(&verdict);
        verdict
    }

    fn outcome(
        &self,
        judged: &[Judged],
        control: &ControlOutcome,
        trouble: Option<&str>,
        reasons: &mut Vec<Reason>,
    ) -> Outcome {
        if let Some(trouble) = trouble {
            reasons.push(Reason { code: "world-broke".to_owned(), sentence: trouble.to_owned() });
            return Outcome::Error;
        }
        let broken = judged.iter().filter(|judged| judged.state == State::Broken);
        for judged in broken {
            let sentence = format!("{}: {}", judged.expected, judged.seen);
            reasons.push(Reason { code: "broken".to_owned(), sentence });
        }
        let failed = !reasons.is_empty();
        // Guards turn a would-be PASS around; beside a FAIL they are still worth telling.
        reasons.extend(guards::objections(self.criteria, &self.moments, &self.evidence, control));
        let undecided = self.criteria.expectations.iter().zip(judged);
        let undecided = undecided.filter(|(_, judged)| judged.state == State::Undecided);
        let (in_doubt, open): (Vec<_>, Vec<_>) =
            undecided.partition(|(criterion, _)| self.is_in_doubt(criterion));
        for (_, judged) in in_doubt {
            let sentence = format!("{}: {}", judged.id, judged.seen);
            reasons.push(Reason { code: "starved-agent".to_owned(), sentence });
        }
        if !open.is_empty() {
            let names: Vec<&str> = open.iter().map(|(_, judged)| judged.id.as_str()).collect();
            let sentence = format!("the run ended before this could be decided: {}", names.join(", "));
            reasons.push(Reason { code: "gave-up".to_owned(), sentence });
        }
        if self.ended.is_none() {
            let sentence = "the timeline stops before the run ended".to_owned();
            reasons.push(Reason { code: "cut-short".to_owned(), sentence });
        }
        match (failed, reasons.is_empty()) {
            (true, _) if self.evidence.lost_sight(&self.moments) => Outcome::Inconclusive,
            (true, _) => Outcome::Fail,
            (false, false) => Outcome::Inconclusive,
            (false, true) => Outcome::Pass,
        }
    }

    fn is_in_doubt(&self, criterion: &Criterion) -> bool {
        matches!(&criterion.what, What::Harmed(limits) if self.moments.harm().is_in_doubt(limits))
    }

    fn judged(&self, criterion: &Criterion) -> Judged {
        let (state, seen) = self.state(criterion, true);
        Judged { id: criterion.id.clone(), expected: criterion.text.clone(), state, seen }
    }

    fn state(&self, criterion: &Criterion, at_end: bool) -> (State, String) {
        match &criterion.what {
            What::Moment { moment, within } => self.moment(*moment, within, at_end),
            What::Notified { what, within } => self.notified(what, within, at_end),
            What::Never(moment) => match self.moments.first(*moment) {
                Some(at) => {
                    (State::Broken, format!("it came {} after the release", seconds(self.since_applied(at))))
                }
                None if self.moments.first(Anchor::Applied).is_none() => {
                    (State::Undecided, "nothing was released".to_owned())
                }
                // What is still on its way has not stayed away.
                None if !self.moments.is_at_rest(self.criteria.leaves_promotion_to_a_person) => {
                    let phase = &self.moments.rollout_now().phase;
                    (State::Undecided, format!("not yet, and the rollout is still {phase}"))
                }
                None if at_end => {
                    let watched = seconds(self.since_applied(self.now));
                    (State::Held, format!("not once in the {watched} after the release"))
                }
                None => (State::Undecided, "not yet".to_owned()),
            },
            What::AtLeast { step, within } => {
                let came: Vec<Instant> = self.moments.reached(*step).into_iter().collect();
                let early = Duration::MAX; // A step that is reached stays reached.
                let (state, seen) =
                    self.timed(&came, within, &Slack { confirm: Duration::ZERO, early, at_end });
                (state, format!("{seen}; {}", self.furthest()))
            }
            What::AtMost(step) => self.at_most(usize::try_from(*step).unwrap_or(usize::MAX), at_end),
            What::Harmed(limits) => {
                self.moments.harm().judged(limits, self.moments.harm_has_settled(), at_end)
            }
        }
    }

    fn at_most(&self, step: usize, at_end: bool) -> (State, String) {
        let seen = self.furthest();
        match self.moments.furthest_step() {
            Some(furthest) if furthest > step => (State::Broken, seen),
            Some(_) if at_end && self.moments.is_at_rest(self.criteria.leaves_promotion_to_a_person) => {
                (State::Held, seen)
            }
            _ => (State::Undecided, seen),
        }
    }

    /// How far the canary got, in words.
    fn furthest(&self) -> String {
        match self.moments.furthest_step() {
            Some(step) => format!("it got to step {step}"),
            None => "it was at no step".to_owned(),
        }
    }

    fn since_applied(&self, at: Instant) -> Duration {
        at.since(self.moments.first(Anchor::Applied).unwrap_or_default())
    }

    fn moment(&self, moment: Anchor, within: &Within, at_end: bool) -> (State, String) {
        let came = self.moments.all(moment);
        // The last harmed response only counts once a hold of clean traffic confirms it, so it is told late.
        let confirm = if moment == Anchor::Restored {
            self.criteria.cast.hold + Duration::from_secs(2)
        } else {
            Duration::ZERO
        };
        // Restored is a state that lasts and may have begun before its anchor was seen; all others are instants.
        let early = if moment == Anchor::Restored { Duration::MAX } else { GRACE };
        self.timed(&came, within, &Slack { confirm, early, at_end })
    }

    fn notified(&self, what: &NotifiedWhat, within: &Within, at_end: bool) -> (State, String) {
        let matching = self.deliveries.iter().filter(|(_, delivered)| matches(what, delivered));
        let (good, bad): (Vec<_>, Vec<_>) =
            matching.partition(|(_, delivered)| (200..300).contains(&delivered.status));
        let came: Vec<Instant> = good.iter().map(|(at, _)| *at).collect();
        // Argo sends before it writes the status, so the news of an abort may be out seconds before the abort is
        // visible. With its trigger it is known for what it is; without, anything that came before is about something else.
        let early = if what.trigger.is_some() { EARLY_NEWS } else { GRACE };
        let slack = Slack { confirm: Duration::ZERO, early, at_end };
        let (state, mut seen) = self.timed(&came, within, &slack);
        if came.is_empty()
            && let Some((_, refused)) = bad.first()
        {
            let answer = if refused.status == 0 {
                "no answer".to_owned()
            } else {
                format!("status {}", refused.status)
            };
            seen = format!("{seen}; {} attempts met {answer}", bad.len());
        }
        (state, seen)
    }

    /// A thing that happened at these moments, against its window.
    fn timed(&self, came: &[Instant], within: &Within, slack: &Slack) -> (State, String) {
        let Some(anchor) = self.moments.first(within.after) else {
            return (State::Undecided, format!("`{}` never came", within.after.name()));
        };
        let waited = self.now.since(anchor);
        let over = within.within.is_some_and(|limit| waited > limit + slack.confirm);
        if let Some(times) = within.times
            && let Some(answer) = counted(came, times, over || (within.within.is_none() && slack.at_end))
        {
            return answer;
        }
        let Some(first) = came.iter().copied().find(|at| anchor.since(*at) <= slack.early) else {
            return match within.within {
                Some(limit) if over => (State::Broken, format!("not within {}", seconds(limit))),
                _ => {
                    (State::Undecided, format!("not yet, {} after {}", seconds(waited), within.after.name()))
                }
            };
        };
        let took = first.since(anchor);
        let told = format!("{} after {}", seconds(took), within.after.name());
        if within.within.is_some_and(|limit| took > limit) {
            return (State::Broken, format!("{told}, too late"));
        }
        if within.not_before.is_some_and(|earliest| took < earliest) {
            return (State::Broken, format!("{told}, too early"));
        }
        let told = if came.len() > 1 { format!("{told}, {} times", came.len()) } else { told };
        // How often at most is only known when the window is over, or the run.
        let bounded = within.times.is_some_and(|times| times.most < u64::MAX);
        let early = bounded && !over && (within.within.is_some() || !slack.at_end);
        (if early { State::Undecided } else { State::Held }, told)
    }

    fn moments_seen(&self) -> Vec<MomentSeen> {
        let mut seen: Vec<MomentSeen> = Anchor::ALL
            .iter()
            .filter_map(|moment| {
                Some(MomentSeen { name: moment.name().to_owned(), at: self.moments.first(*moment)? })
            })
            .collect();
        seen.sort_by_key(|moment| moment.at);
        seen
    }

    /// Compares the verdict with what the scenario says it documents.
    fn documented(&self, verdict: &Verdict) -> Option<Documented> {
        let documented = self.criteria.documented.as_ref()?;
        let mut differs = vec![];
        if verdict.outcome != documented.outcome {
            differs.push(format!("it ended {}, not {}", verdict.outcome.name(), documented.outcome.name()));
        }
        let broken: Vec<&str> = verdict
            .expectations
            .iter()
            .filter(|judged| judged.state == State::Broken)
            .map(|judged| judged.id.as_str())
            .collect();
        for id in broken
            .iter()
            .filter(|id| documented.outcome == Outcome::Fail && !documented.broken.iter().any(|d| d == *id))
        {
            differs.push(format!("`{id}` is broken, which is not documented"));
        }
        for id in documented.broken.iter().filter(|id| !broken.contains(&id.as_str())) {
            differs.push(format!("`{id}` should be broken, and is not"));
        }
        if let Some(guard) = &documented.guard
            && !verdict.reasons.iter().any(|reason| reason.code == *guard)
        {
            differs.push(format!("`{guard}` should object, and does not"));
        }
        let damaging = verdict.reasons.iter().filter(|reason| guards::DAMAGING.contains(&&*reason.code));
        for reason in damaging.filter(|reason| documented.guard.as_ref() != Some(&reason.code)) {
            differs.push(format!("`{}` objects, which is not documented: {}", reason.code, reason.sentence));
        }
        let because = documented.because.clone();
        Some(Documented { outcome: documented.outcome, because, differs })
    }
}

/// Watches of different objects may tell what happened together in either order.
const GRACE: Duration = Duration::from_secs(1);
/// A receiver that does not answer holds the controller up for so long, all retries together, before it writes a status.
const EARLY_NEWS: Duration = Duration::from_secs(30);

/// What the judge grants to how things become known.
struct Slack {
    /// How much later than it happened a thing may be told.
    confirm: Duration,
    /// How much earlier than its anchor it may be seen.
    early: Duration,
    /// Whether nothing more will be told.
    at_end: bool,
}

fn counted(came: &[Instant], times: Times, over: bool) -> Option<(State, String)> {
    let count = u64::try_from(came.len()).unwrap_or(u64::MAX);
    if count > times.most {
        return Some((State::Broken, format!("{count} times")));
    }
    if times.most == 0 {
        let state = if over { State::Held } else { State::Undecided };
        return Some((state, "not once".to_owned()));
    }
    (over && count < times.least).then(|| (State::Broken, format!("{count} times only")))
}

fn matches(what: &NotifiedWhat, delivered: &Delivered) -> bool {
    let trigger = match (&what.trigger, &delivered.trigger) {
        (Some(wanted), Some(seen)) => wanted == seen,
        // A world that cannot tell the trigger must not hold the expectation by guess.
        (Some(_), None) => false,
        (None, _) => true,
    };
    trigger && delivered.by == what.by && what.to.as_ref().is_none_or(|to| *to == delivered.to)
}

pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let share = part as f64 / whole as f64;
    share
}

/// A share as people write it.
#[must_use]
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A duration as people read it: milliseconds below a second, tenths below a minute, then minutes.
#[must_use]
pub(crate) fn seconds(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{}m{:02}s", millis / 60_000, (millis % 60_000) / 1_000),
    }
}

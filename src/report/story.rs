//! A run as a story: one clock, one line per thing that mattered, one verdict per expectation.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::timeline::{Entry, Event, Instant, Stage, Switched, Timeline};
use crate::verdict::{ControlOutcome, Outcome, State, Verdict};

/// A line of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, counted from the release.
    pub at: String,
    /// One word: what kind of thing happened.
    pub word: &'static str,
    /// What happened.
    pub text: String,
    /// How it should feel.
    pub mood: Mood,
}

/// How a line should feel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It goes its way.
    Plain,
    /// Users are harmed, or something failed.
    Bad,
    /// Something was put right.
    Good,
    /// The harness speaks of itself.
    Dim,
}

/// The story of a run, in lines. Times count from the first release; what came before has a minus.
#[must_use]
pub fn lines(timeline: &Timeline, verdict: &Verdict) -> Vec<Line> {
    let entries = timeline.entries();
    let zero = entries.iter().find(|entry| matches!(entry.event, Event::Acted { revision: Some(_), .. }));
    let zero = zero.map_or(Instant::default(), |entry| entry.at);
    let service = entries.iter().find_map(|entry| match &entry.event {
        Event::Started(started) => Some(started.service.clone()),
        _ => None,
    });
    let service = service.unwrap_or_default();
    let mut teller = Teller { zero, service, onset: moment(verdict, "onset"), ..Teller::default() };
    for entry in entries {
        if teller.onset.is_some_and(|onset| entry.at > onset) {
            teller.onset(verdict);
        }
        teller.tell(entry);
    }
    teller.ending(verdict);
    teller.lines.sort_by_key(|(at, _)| *at);
    teller.lines.into_iter().map(|(_, line)| line).collect()
}

fn moment(verdict: &Verdict, name: &str) -> Option<Instant> {
    verdict.moments.iter().find(|moment| moment.name == name).map(|moment| moment.at)
}

#[derive(Default)]
struct Teller {
    zero: Instant,
    onset: Option<Instant>,
    lines: Vec<(Instant, Line)>,
    phase: String,
    aborted: bool,
    stable: String,
    ready: std::collections::BTreeMap<String, std::collections::BTreeSet<String>>,
    empty: bool,
    service: String,
    flips: std::collections::BTreeMap<String, Flip>,
}

/// The last switch of a Service, how many followed each other closely, and the line that told the last of them.
#[derive(Default)]
struct Flip {
    at: Instant,
    to: String,
    count: usize,
    line: usize,
}

/// Switches that follow each other faster than a person could are one to and fro.
const FLIP: Duration = Duration::from_millis(250);

impl Teller {
    fn say(&mut self, at: Instant, word: &'static str, mood: Mood, text: impl Into<String>) {
        let line = Line { at: clock(self.zero, at), word, text: text.into(), mood };
        self.lines.push((at, line));
    }

    /// A Service changes sides. During an abort delay Argo turns the canary Service to and fro, dozens of times a second;
    /// from the third time on that is one line.
    fn switched(&mut self, at: Instant, switched: &Switched) {
        let Switched { service, from, to } = switched;
        let flip = self.flips.entry(service.clone()).or_default();
        let back = flip.to == *from && at.since(flip.at) < FLIP;
        *flip = Flip { at, to: to.clone(), count: if back { flip.count + 1 } else { 0 }, line: flip.line };
        let (count, line) = (flip.count, flip.line);
        match count {
            0..3 => {
                let name = |revision: &str| match revision {
                    "" => "every version".to_owned(),
                    revision => revision.to_owned(),
                };
                let text = format!("Service {service} selects {}, no longer {}", name(to), name(from));
                self.say(at, "switch", Mood::Plain, text);
                let last = self.lines.len() - 1;
                self.flips.entry(service.clone()).and_modify(|flip| flip.line = last);
            }
            more => {
                if let Some((_, line)) = self.lines.get_mut(line) {
                    line.text =
                        format!("Service {service} goes to and fro, {} times more, now {to}", more - 1);
                }
            }
        }
    }

    fn onset(&mut self, verdict: &Verdict) {
        if let Some(at) = self.onset.take() {
            let harmful = verdict.blast.by.iter().filter(|part| part.harmed > 0 && !part.revision.is_empty());
            let who = harmful.map(|part| part.revision.clone()).collect::<Vec<_>>().join(", ");
            self.say(at, "onset", Mood::Bad, format!("first harmed response, from {who}"));
        }
    }

    fn tell(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Stage(Stage::Baseline) => {
                self.say(at, "baseline", Mood::Dim, "clean traffic on the healthy version")
            }
            Event::Acted { what, revision, .. } => {
                let word = if revision.is_some() { "release" } else { "act" };
                self.say(at, word, Mood::Plain, what.clone());
            }
            _ if at < self.zero => self.before(entry),
            Event::Rollout(seen) => self.rollout(at, seen),
            Event::Switched(switched) => self.switched(at, switched),
            Event::Weight { from, to } => {
                self.say(at, "weight", Mood::Plain, format!("new version {from} % → {to} %"))
            }
            Event::Analysis(run) => self.analysis(at, run),
            Event::Measured(measured) => {
                let mood =
                    if matches!(&*measured.phase, "Failed" | "Error") { Mood::Bad } else { Mood::Plain };
                let value = if measured.value.is_empty() { &measured.message } else { &measured.value };
                let dry = if measured.dry_run { " (dry run)" } else { "" };
                self.say(
                    at,
                    "measure",
                    mood,
                    format!("{}{dry} {}: {}", measured.metric, short(value), measured.phase),
                );
            }
            Event::Pod(pod) => self.pod(at, pod),
            Event::Endpoints { service, ready } if *service == self.service => {
                self.endpoints(at, service, *ready)
            }
            Event::Scaled { revision, from, to } if *to == 0 && *from > 0 => {
                self.say(at, "scale", Mood::Plain, format!("{revision} is scaled from {from} to 0"));
            }
            Event::Delivered(delivered) => self.delivered(at, delivered),
            Event::Gap(gap) => {
                self.say(at, "gap", Mood::Bad, format!("lost sight of {}: {}", gap.of, gap.why))
            }
            _ => {}
        }
    }

    /// What came before the release is only kept in mind.
    fn before(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Rollout(seen) => {
                self.phase.clone_from(&seen.phase);
                self.stable.clone_from(&seen.stable);
            }
            Event::Pod(pod) if pod.ready => {
                self.ready.entry(pod.revision.clone()).or_default().insert(pod.name.clone());
            }
            _ => {}
        }
    }

    fn rollout(&mut self, at: Instant, seen: &crate::timeline::RolloutSeen) {
        if seen.abort && !self.aborted {
            self.aborted = true;
            self.say(at, "aborted", Mood::Good, seen.message.clone());
        } else if !seen.abort && self.aborted {
            self.aborted = false;
            self.say(at, "retry", Mood::Plain, format!("the abort is taken back: {}", seen.phase));
        }
        if seen.stable != self.stable && !seen.stable.is_empty() {
            self.say(
                at,
                "promoted",
                Mood::Plain,
                format!("{} is stable now, no longer {}", seen.stable, self.stable),
            );
            self.stable.clone_from(&seen.stable);
        }
        if seen.phase != self.phase {
            if matches!(&*seen.phase, "Paused" | "Healthy") || (seen.phase == "Degraded" && !seen.abort) {
                let message =
                    if seen.message.is_empty() { String::new() } else { format!(": {}", seen.message) };
                self.say(at, "phase", Mood::Plain, format!("{}{message}", seen.phase));
            }
            self.phase.clone_from(&seen.phase);
        }
    }

    fn analysis(&mut self, at: Instant, run: &crate::timeline::AnalysisSeen) {
        let kind = if run.kind.is_empty() { "Analysis" } else { &run.kind };
        match &*run.phase {
            "Running" => {
                self.say(at, "analysis", Mood::Plain, format!("{kind} analysis of {} runs", run.revision))
            }
            "Failed" | "Error" => self.say(at, "detected", Mood::Good, run.message.clone()),
            "Successful" | "Inconclusive" => {
                let message =
                    if run.message.is_empty() { String::new() } else { format!(": {}", run.message) };
                self.say(
                    at,
                    "analysis",
                    Mood::Plain,
                    format!("{kind} analysis of {} {}{message}", run.revision, run.phase.to_lowercase()),
                );
            }
            _ => {}
        }
    }

    fn pod(&mut self, at: Instant, pod: &crate::timeline::PodSeen) {
        let ready = self.ready.entry(pod.revision.clone()).or_default();
        if pod.ready && !pod.going {
            ready.insert(pod.name.clone());
        } else if ready.remove(&pod.name) && !pod.going {
            let why = if pod.waiting.is_empty() { String::new() } else { format!(" ({})", pod.waiting) };
            let text = format!("a pod of {} is no longer ready{why}", pod.revision);
            self.say(at, "unready", Mood::Bad, text);
        }
    }

    fn endpoints(&mut self, at: Instant, service: &str, ready: u32) {
        if ready == 0 && !self.empty {
            self.empty = true;
            self.say(at, "outage", Mood::Bad, format!("Service {service} has no ready pod"));
        } else if ready > 0 && self.empty {
            self.empty = false;
            self.say(at, "back", Mood::Good, format!("Service {service} has {ready} ready pods again"));
        }
    }

    fn delivered(&mut self, at: Instant, delivered: &crate::timeline::Delivered) {
        if delivered.knock {
            return;
        }
        let trigger = delivered.trigger.as_deref().map_or_else(String::new, |trigger| format!(" {trigger}"));
        let (mood, answer) = match delivered.status {
            200..300 => (Mood::Plain, String::new()),
            0 => (Mood::Bad, ", no answer".to_owned()),
            status => (Mood::Bad, format!(", answered {status}")),
        };
        self.say(at, "notified", mood, format!("{} {}{trigger}{answer}", delivered.by, delivered.to));
    }

    fn ending(&mut self, verdict: &Verdict) {
        self.onset(verdict);
        if let Some(at) = moment(verdict, "restored") {
            let blast = &verdict.blast;
            self.say(
                at,
                "restored",
                Mood::Good,
                format!("last harmed response: {} of {} requests in all", blast.harmed, blast.sent),
            );
        }
    }
}

/// Numbers with no more digits than a reader takes in; the evidence has all of them.
fn short(value: &str) -> String {
    let mut text = String::new();
    let mut decimals = None;
    for c in value.chars() {
        decimals = match (decimals, c) {
            (None, '.') => Some((0, false)),
            // Leading zeros after the point do not count: 0.000123 keeps what it says.
            (Some((n, false)), '0') => Some((n, false)),
            (Some((n, _)), '0'..='9') => Some((n + 1, true)),
            _ => None,
        };
        if decimals.is_none_or(|(n, _)| n <= 4) {
            text.push(c);
        }
    }
    text
}

/// Minutes and seconds from the release.
fn clock(zero: Instant, at: Instant) -> String {
    let (sign, span) = if at >= zero { (' ', at.since(zero)) } else { ('-', zero.since(at)) };
    let tenths = (span + Duration::from_millis(50)).as_millis() / 100;
    format!("{sign}{:02}:{:02}.{}", tenths / 600, (tenths / 10) % 60, tenths % 10)
}

/// The whole story as text with ANSI styles; whoever prints it strips them where they are not wanted.
#[must_use]
pub fn tell(timeline: &Timeline, verdict: &Verdict, took: Option<Duration>) -> String {
    let mut text = heading(verdict, took);
    for line in lines(timeline, verdict) {
        let style = mood_style(line.mood);
        let _ = writeln!(text, "  {} {style}{:<9}{style:#} {}", line.at, line.word, line.text);
    }
    text.push_str(&conclusion(verdict));
    text
}

fn heading(verdict: &Verdict, took: Option<Duration>) -> String {
    let bold = Style::new().bold();
    let dim = Style::new().dimmed();
    let lasted = crate::verdict::seconds(verdict.lasted.since_start());
    let took = took.map_or_else(String::new, |took| format!(" in {}", crate::verdict::seconds(took)));
    let mut text = format!(
        "{bold}{}{bold:#}  {dim}seed {} · {} · {lasted}{took}{dim:#}\n",
        verdict.scenario, verdict.seed, verdict.world
    );
    for line in verdict.about.lines() {
        let _ = writeln!(text, "  {dim}{line}{dim:#}");
    }
    text
}

/// What is left when the story is over: expectations, harm, verdict.
#[must_use]
pub fn conclusion(verdict: &Verdict) -> String {
    let mut text = String::new();
    let widths = verdict.expectations.iter().map(|judged| judged.expected.chars().count());
    let width = widths.max().unwrap_or(0).min(WIDEST);
    for judged in &verdict.expectations {
        let style = state_style(judged.state);
        let (state, expected, seen) = (judged.state.name(), &judged.expected, &judged.seen);
        let _ = writeln!(text, "  {style}{state:<9}{style:#} {expected:<width$}  {seen}");
    }
    let control = match &verdict.control {
        ControlOutcome::Promoted => "a healthy release was promoted without an alarm".to_owned(),
        ControlOutcome::LeftToAPerson => {
            "a healthy release reached the pause that waits for a person".to_owned()
        }
        ControlOutcome::Failed(why) => format!("a healthy release did not get through: {why}"),
        ControlOutcome::Skipped(why) => format!("not run: {why}"),
    };
    let _ = writeln!(text, "  {:<9} {control}", "control");
    let style = outcome_style(verdict.outcome);
    let bold = style.bold();
    let _ = write!(text, "{bold}{}{bold:#}", verdict.outcome.name());
    if let Some(documented) = &verdict.documented {
        let because = documented.because.trim();
        let _ = if documented.differs.is_empty() {
            write!(text, ", as documented: {because}")
        } else {
            write!(text, ", not as documented: {}", documented.differs.join("; "))
        };
    }
    text.push('\n');
    for reason in &verdict.reasons {
        let _ = writeln!(text, "  {}: {}", reason.code, reason.sentence);
    }
    text
}

/// Expectations longer than this push what was seen to the right.
const WIDEST: usize = 80;

fn mood_style(mood: Mood) -> Style {
    match mood {
        Mood::Plain => Style::new(),
        Mood::Bad => AnsiColor::Red.on_default(),
        Mood::Good => AnsiColor::Green.on_default(),
        Mood::Dim => Style::new().dimmed(),
    }
}

fn state_style(state: State) -> Style {
    match state {
        State::Held => AnsiColor::Green.on_default(),
        State::Broken => AnsiColor::Red.on_default(),
        State::Undecided => AnsiColor::Yellow.on_default(),
    }
}

fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Pass => AnsiColor::Green.on_default(),
        Outcome::Fail | Outcome::Error => AnsiColor::Red.on_default(),
        Outcome::Inconclusive => AnsiColor::Yellow.on_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_they_say() {
        assert_eq!(short("[0.07721339281127139]"), "[0.07721]");
        assert_eq!(short("[0.000012345678,NaN,+Inf]"), "[0.00001234,NaN,+Inf]");
        assert_eq!(short("[1,2.5]"), "[1,2.5]");
        assert_eq!(short("failed: 1.25"), "failed: 1.25");
    }

    #[test]
    fn time_counts_from_the_release() {
        let at = |seconds| Instant::after_start(Duration::from_secs_f64(seconds));
        assert_eq!(clock(at(40.0), at(41.26)), " 00:01.3");
        assert_eq!(clock(at(40.0), at(10.0)), "-00:30.0");
        assert_eq!(clock(at(40.0), at(40.0 + 754.0)), " 12:34.0");
    }
}

//! What was not seen is nobody's fault: runs that were blind for a while, judged.

use firedrill::drill;
use firedrill::timeline::{Entry, Event, Gap, Instant, Second, Timeline};
use firedrill::verdict::{ControlOutcome, Outcome, Verdict, judge};

use crate::support::root;

/// A scenario's run on the twin, judged again after its timeline was changed.
fn judged(scenario: &str, change: impl FnOnce(Vec<Entry>) -> Vec<Entry>) -> Verdict {
    let path = root().join("scenarios").join(format!("{scenario}.yaml"));
    let prepared = drill::prepare(&path, true).unwrap();
    let finished = drill::on_twin(&prepared, 1, &mut |_, _| {}).unwrap();
    let mut timeline = Timeline::new();
    for entry in change(finished.timeline.entries().to_vec()) {
        timeline.push(entry);
    }
    judge(&finished.criteria, &timeline, ControlOutcome::Skipped("a test".to_owned()), None)
}

/// One more fact in the middle of what happened after the release.
fn with(fact: Option<Event>) -> impl FnOnce(Vec<Entry>) -> Vec<Entry> {
    |mut entries| {
        let at = Instant::after_start(entries.last().unwrap().at.since_start() * 2 / 3);
        let behind = entries.iter().position(|entry| entry.at > at).unwrap();
        entries.splice(behind..behind, fact.map(|event| Entry { at, event }));
        entries
    }
}

/// Every second of traffic, changed.
fn seconds(change: impl Fn(&mut Second)) -> impl FnOnce(Vec<Entry>) -> Vec<Entry> {
    move |mut entries| {
        for entry in &mut entries {
            if let Event::Traffic(second) = &mut entry.event {
                change(second);
            }
        }
        entries
    }
}

fn check(
    scenario: &str,
    change: impl FnOnce(Vec<Entry>) -> Vec<Entry>,
    outcome: Outcome,
    code: Option<&str>,
) {
    let verdict = judged(scenario, change);
    assert_eq!(verdict.outcome, outcome, "{:?}", verdict.reasons);
    let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert!(code.is_none_or(|code| codes.contains(&code)), "{codes:?}");
}

const FAILS: &str = "museum/retry-promotes-what-failed";
const PASSES: &str = "errors-roll-back";
const SLOW: &str = "latency-rolls-back";

#[test]
fn without_blindness_they_are_what_they_are() {
    check(FAILS, with(None), Outcome::Fail, Some("broken"));
    check(PASSES, with(None), Outcome::Pass, None);
}

#[test]
fn an_api_server_out_of_sight_makes_neither_a_fail_nor_a_pass() {
    check(FAILS, with(Some(Event::Blind { seconds: 30.0 })), Outcome::Inconclusive, Some("blind"));
    check(PASSES, with(Some(Event::Blind { seconds: 30.0 })), Outcome::Inconclusive, Some("blind"));
}

#[test]
fn a_watch_that_lost_events_makes_neither_a_fail_nor_a_pass() {
    let gap = || Some(Event::Gap(Gap { of: "Rollout".to_owned(), why: "a test".to_owned() }));
    check(FAILS, with(gap()), Outcome::Inconclusive, Some("watch-gap"));
    check(PASSES, with(gap()), Outcome::Inconclusive, Some("watch-gap"));
}

#[test]
fn requests_that_were_never_sent_excuse_no_harm() {
    let gap = || Some(Event::Gap(Gap { of: "traffic".to_owned(), why: "a test".to_owned() }));
    check(FAILS, with(gap()), Outcome::Fail, Some("watch-gap"));
    check(PASSES, with(gap()), Outcome::Inconclusive, Some("watch-gap"));
}

#[test]
fn an_agent_that_is_late_itself_proves_no_latency() {
    let late = || {
        seconds(|second| {
            second.latest = 0.7;
            for tally in second.by.values_mut() {
                tally.slow += std::mem::take(&mut tally.timed_out);
            }
        })
    };
    check(SLOW, with(None), Outcome::Pass, None);
    check(SLOW, late(), Outcome::Inconclusive, Some("fault-not-served"));
    // Errors are errors, whoever is late.
    check(PASSES, late(), Outcome::Pass, None);
    check(FAILS, late(), Outcome::Fail, Some("broken"));
}

#[test]
fn what_nobody_answered_proves_no_latency() {
    let refused = seconds(|second| {
        for tally in second.by.values_mut() {
            tally.refused += std::mem::take(&mut tally.slow) + std::mem::take(&mut tally.timed_out);
        }
    });
    check(SLOW, refused, Outcome::Inconclusive, Some("fault-not-served"));
    let given_up = seconds(|second| {
        for tally in second.by.values_mut() {
            tally.timed_out += std::mem::take(&mut tally.slow);
        }
    });
    check(SLOW, given_up, Outcome::Pass, None);
}

//! What was not seen is nobody's fault: runs that were blind for a while, judged.

use firedrill::drill;
use firedrill::timeline::{Entry, Event, Gap, Instant, Timeline};
use firedrill::verdict::{ControlOutcome, Outcome, Verdict, judge};

use crate::support::root;

/// The verdict on a scenario that FAILs, with one more fact in the middle of what happened after the release.
fn judged(scenario: &str, fact: Option<Event>) -> Verdict {
    let path = root().join("scenarios").join(format!("{scenario}.yaml"));
    let prepared = drill::prepare(&path, true).unwrap();
    let finished = drill::on_twin(&prepared, 1, &mut |_, _| {}).unwrap();
    let lasted = finished.verdict.lasted.since_start();
    let at = Instant::after_start(lasted * 2 / 3);
    let mut timeline = Timeline::new();
    let mut fact = fact.map(|event| Entry { at, event });
    for entry in finished.timeline.entries() {
        if entry.at > at
            && let Some(fact) = fact.take()
        {
            timeline.push(fact);
        }
        timeline.push(entry.clone());
    }
    assert!(fact.is_none(), "it is in there");
    judge(&finished.criteria, &timeline, ControlOutcome::Skipped("a test".to_owned()), None)
}

fn check(scenario: &str, fact: Option<Event>, outcome: Outcome, code: Option<&str>) {
    let verdict = judged(scenario, fact);
    assert_eq!(verdict.outcome, outcome, "{:?}", verdict.reasons);
    let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert!(code.is_none_or(|code| codes.contains(&code)), "{codes:?}");
}

const FAILS: &str = "museum/retry-promotes-what-failed";
const PASSES: &str = "errors-roll-back";

#[test]
fn without_blindness_they_are_what_they_are() {
    check(FAILS, None, Outcome::Fail, Some("broken"));
    check(PASSES, None, Outcome::Pass, None);
}

#[test]
fn an_api_server_out_of_sight_makes_neither_a_fail_nor_a_pass() {
    check(FAILS, Some(Event::Blind { seconds: 30.0 }), Outcome::Inconclusive, Some("blind"));
    check(PASSES, Some(Event::Blind { seconds: 30.0 }), Outcome::Inconclusive, Some("blind"));
}

#[test]
fn a_watch_that_lost_events_makes_neither_a_fail_nor_a_pass() {
    let gap = || Some(Event::Gap(Gap { of: "Rollout".to_owned(), why: "a test".to_owned() }));
    check(FAILS, gap(), Outcome::Inconclusive, Some("watch-gap"));
    check(PASSES, gap(), Outcome::Inconclusive, Some("watch-gap"));
}

#[test]
fn requests_that_were_never_sent_excuse_no_harm() {
    let gap = || Some(Event::Gap(Gap { of: "traffic".to_owned(), why: "a test".to_owned() }));
    check(FAILS, gap(), Outcome::Fail, Some("watch-gap"));
    check(PASSES, gap(), Outcome::Inconclusive, Some("watch-gap"));
}

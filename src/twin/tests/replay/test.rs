//! The tests that play every recording, one a category.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::compare;
use super::script::Script;
use super::sight::Tracks;
use super::stage;
use crate::twin::DIFFERENCES;
use crate::twin::recordings::{Recording, recordings};

/// How often a recording is tried. Which of two writes a few milliseconds apart came first was chance when it was made;
/// it must be among the first throws of the twin's own.
const THROWS: u64 = 14;

/// What came of one recording.
struct Outcome {
    name: String,
    /// The throw that was like the recording, if one was.
    throw: Option<u64>,
}

#[test]
fn blue_green() {
    hold("bg-");
}

#[test]
fn analysis() {
    hold("ar-");
}

#[test]
fn notifications() {
    hold("notif-");
}

#[test]
fn a_controller_that_dies() {
    hold("ctl-");
}

#[test]
fn canaries() {
    hold("canary-");
}

#[test]
fn strategies_that_are_switched() {
    hold("strategy-");
}

#[test]
fn traffic_routing() {
    hold("tr-");
}

#[test]
fn istio() {
    hold("istio-");
}

#[test]
fn experiments() {
    hold("experiment-");
}

#[test]
fn long_stories() {
    hold("x-");
}

/// Plays the recordings of a category: all of them are repeated, but for those that are known to differ.
#[allow(clippy::print_stderr, reason = "the tally is the point of the test")]
fn hold(category: &str) {
    let known: BTreeMap<&str, &str> = DIFFERENCES.lines().filter_map(|line| line.split_once('\t')).collect();
    // What is known to differ is not tried for long.
    let throws = |recording: &Recording| if known.contains_key(recording.name.as_str()) { 2 } else { THROWS };
    let all = recordings(|name| name.starts_with(category));
    let outcomes: Vec<Outcome> = all.iter().map(|recording| replay(recording, throws(recording))).collect();
    let mut surprises = vec![];
    for (Outcome { name, throw }, recording) in outcomes.iter().zip(&all) {
        match (throw, known.get(name.as_str())) {
            (None, Some(reason)) => eprintln!("differs knowingly: {name}: {reason}"),
            (None, None) => {
                eprintln!("## {name}\n{}\n", differences(recording).join("\n"));
                surprises.push(format!("{name} differs"));
            }
            (Some(_), Some(_)) => surprises.push(format!("{name} is listed and does not differ")),
            (Some(0), None) => {}
            (Some(throw), None) => eprintln!("{name}: at throw {} of {THROWS}", throw + 1),
        }
    }
    let passed = outcomes.iter().filter(|outcome| outcome.throw.is_some()).count();
    eprintln!("recordings {category}*: {passed} of {}", outcomes.len());
    if outcomes.is_empty() {
        eprintln!("SKIPPED: there are no recordings {category}*");
    }
    assert_eq!(surprises, Vec::<String>::new());
}

fn replay(recording: &Recording, throws: u64) -> Outcome {
    let script = script(recording);
    let strayed = |seen: &Tracks| compare::has_strayed(&script.seen, seen, script.end);
    let throw = (0..throws).find(|throw| throw_once(&script, *throw, strayed).is_empty());
    Outcome { name: recording.name.clone(), throw }
}

/// The differences of the first throw, for people.
fn differences(recording: &Recording) -> Vec<String> {
    throw_once(&script(recording), 0, |_| false)
}

fn script(recording: &Recording) -> Script {
    let mut observed = recording.observed();
    in_true_order(&mut observed);
    Script::read(recording, &observed)
}

/// One throw: the differences to the recording. What the stage cannot play is a difference of this recording, not the
/// end of all others.
fn throw_once(script: &Script, throw: u64, is_hopeless: impl Fn(&Tracks) -> bool) -> Vec<String> {
    let play = || compare::differences(&script.seen, &stage::play(script, throw, is_hopeless), script.end);
    catch_unwind(AssertUnwindSafe(play))
        .unwrap_or_else(|panic| vec![format!("cannot be played: {}", said(&*panic))])
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}

/// Lines as the API server wrote them, whatever order they arrived in; what has no revision keeps its neighbour.
fn in_true_order(observed: &mut [Value]) {
    let mut last = 0;
    observed.sort_by_cached_key(|line| {
        last = line["rv"].as_u64().unwrap_or(last);
        last
    });
}

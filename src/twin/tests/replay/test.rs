//! The tests that play every recording, one a category.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::compare;
use super::script::Script;
use super::stage;
use crate::twin::DIFFERENCES;
use crate::twin::recordings::{Recording, recordings};

/// How often a recording is tried. Which of two writes a few milliseconds apart came first was chance when it was made;
/// it must be among the first throws of the twin's own.
const THROWS: u64 = 18;

/// What came of one recording.
struct Outcome {
    name: String,
    /// The throw that was like the recording, or the differences of the first.
    result: Result<u64, Vec<String>>,
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
    for Outcome { name, result } in &outcomes {
        match (result, known.get(name.as_str())) {
            (Err(_), Some(reason)) => eprintln!("differs knowingly: {name}: {reason}"),
            (Err(differences), None) => {
                eprintln!("## {name}\n{}\n", differences.join("\n"));
                surprises.push(format!("{name} differs"));
            }
            (Ok(_), Some(_)) => surprises.push(format!("{name} is listed and does not differ")),
            (Ok(0), None) => {}
            (Ok(throw), None) => eprintln!("{name}: at throw {} of {THROWS}", throw + 1),
        }
    }
    let passed = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
    eprintln!("recordings {category}*: {passed} of {}", outcomes.len());
    if outcomes.is_empty() {
        eprintln!("SKIPPED: there are no recordings {category}*");
    }
    assert_eq!(surprises, Vec::<String>::new());
}

fn replay(recording: &Recording, throws: u64) -> Outcome {
    let name = recording.name.clone();
    let mut observed = recording.observed();
    in_true_order(&mut observed);
    let script = Script::read(recording, &observed);
    let mut first = None;
    for throw in 0..throws {
        // What the stage cannot play is a difference of this recording, not the end of all others.
        let differences = catch_unwind(AssertUnwindSafe(|| throw_once(&script, throw)))
            .unwrap_or_else(|panic| vec![format!("cannot be played: {}", said(&*panic))]);
        if differences.is_empty() {
            return Outcome { name, result: Ok(throw) };
        }
        first.get_or_insert(differences);
    }
    Outcome { name, result: Err(first.unwrap_or_default()) }
}

/// One throw: the differences to the recording.
fn throw_once(script: &Script, throw: u64) -> Vec<String> {
    compare::differences(&script.seen, &stage::play(script, throw), script.end)
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

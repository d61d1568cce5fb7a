//! The test that plays every recording.

use serde_json::Value;

use super::compare;
use super::sight::Sight;
use super::stage;
use crate::twin::recordings::{Recording, recordings};

/// The categories that are held to the real controller.
const CATEGORIES: &[&str] = &["bg-", "ar-", "notif-", "ctl-"];

/// How often a recording is tried. Which of two writes a few milliseconds apart came first was chance when it was made;
/// it must be among the first throws of the twin's own.
const THROWS: u64 = 6;

/// What came of one recording.
struct Outcome {
    name: String,
    /// The throw that was like the recording.
    passed: Option<u64>,
    /// The differences of the first throw.
    differences: Vec<String>,
}

#[test]
fn the_twin_does_what_the_real_controller_did() {
    let all = recordings(|name| CATEGORIES.iter().any(|category| name.starts_with(category)));
    let outcomes: Vec<Outcome> = all.iter().map(replay).collect();
    for outcome in outcomes.iter().filter(|outcome| outcome.passed.is_none()) {
        println!("## {}\n{}\n", outcome.name, outcome.differences.join("\n"));
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.passed.is_some_and(|throw| throw > 0)) {
        println!("{} at throw {}", outcome.name, outcome.passed.unwrap_or(0));
    }
    let passed = outcomes.iter().filter(|outcome| outcome.passed.is_some()).count();
    println!("{passed} of {}", outcomes.len());
}

fn replay(recording: &Recording) -> Outcome {
    let mut observed = recording.observed();
    in_true_order(&mut observed);
    let end = recording.actions().last().and_then(|action| action["t"].as_f64()).expect("an end");
    let recorded = Sight::of(&observed);
    let mut first = vec![];
    for throw in 0..THROWS {
        let twin = stage::play(recording, &observed, throw);
        let differences = compare::differences(&recorded, &Sight::of(&twin), end);
        if differences.is_empty() {
            return Outcome { name: recording.name.clone(), passed: Some(throw), differences };
        }
        if throw == 0 {
            first = differences;
        }
    }
    Outcome { name: recording.name.clone(), passed: None, differences: first }
}

/// Lines as the API server wrote them, whatever order they arrived in; what has no revision keeps its neighbour.
fn in_true_order(observed: &mut [Value]) {
    let mut last = 0;
    observed.sort_by_cached_key(|line| {
        last = line["rv"].as_u64().unwrap_or(last);
        last
    });
}

//! The twin beside the cluster: the same scenarios, the same moments.

use std::path::{Path, PathBuf};

use crate::ground::{Folder, alone, drill, firedrill, is_whole, root, say};

/// One of the repository's own, and an exhibit.
const SCENARIOS: [&str; 2] =
    ["scenarios/errors-roll-back.yaml", "scenarios/museum/retry-promotes-what-failed.yaml"];
/// The others, in the whole lane: five drills at once want more than two processors.
const MORE: [&str; 3] = [
    "scenarios/latency-rolls-back.yaml",
    "scenarios/healthy-is-promoted.yaml",
    "scenarios/never-ready-takes-no-traffic.yaml",
];
/// How far moments may lie apart: readiness is asked for every ten seconds, and a pod that starts a moment later on a busy
/// machine is a whole period late.
const WITHIN: &str = "10s";

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn the_scenarios_of_the_repository_go_as_on_the_twin() {
    let _ground = alone();
    let folder = Folder::new("agreement");
    let twin = folder.0.join("twin");
    let more = if is_whole() { &MORE[..] } else { &[] };
    let scenarios: Vec<PathBuf> = SCENARIOS.iter().chain(more).map(|path| root().join(path)).collect();
    let mut on_twin = firedrill(&["run", "--quiet", "--out"]);
    on_twin.arg(&twin).args(&scenarios);
    say(on_twin).expect(0);
    let differing = differing(&folder, &twin, &scenarios, "together");
    // Drills at once share two processors: what a hiccup has spoiled gets a second chance by itself, and no third.
    let again: Vec<PathBuf> = differing
        .iter()
        .flat_map(|scenario| self::differing(&folder, &twin, std::slice::from_ref(scenario), "alone"))
        .collect();
    assert!(again.is_empty(), "they differ: {again:?}");
}

/// Runs scenarios on the ground, tells how they compare with the twin, and answers those that differ.
fn differing(folder: &Folder, twin: &Path, scenarios: &[PathBuf], attempt: &str) -> Vec<PathBuf> {
    let out = folder.0.join(attempt);
    let jobs = scenarios.len().to_string();
    println!(
        "{} {attempt}:\n{}",
        scenarios.len(),
        say(drill(&out, scenarios, &["--jobs", &jobs, "--quiet"])).out
    );
    let differs = |scenario: &&PathBuf| {
        let name = scenario.file_stem().expect("a scenario has a name");
        let mut compare = firedrill(&["compare", "--within", WITHIN]);
        compare.arg(twin.join(name)).arg(out.join(name));
        let compared = say(compare);
        println!("{}{}", compared.out, compared.talk);
        compared.code != Some(0)
    };
    scenarios.iter().filter(differs).cloned().collect()
}

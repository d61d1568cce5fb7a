//! The twin beside the cluster: the same scenarios, the same moments.

use std::path::{Path, PathBuf};

use crate::ground::{Folder, alone, drill, firedrill, root, say};

/// The repository's own, the longest first, and an exhibit.
const SCENARIOS: [&str; 5] = [
    "scenarios/healthy-is-promoted.yaml",
    "scenarios/never-ready-takes-no-traffic.yaml",
    "scenarios/errors-roll-back.yaml",
    "scenarios/latency-rolls-back.yaml",
    "scenarios/museum/retry-promotes-what-failed.yaml",
];
/// How far moments may lie apart.
const WITHIN: &str = "5s";
/// So many at once get along on two processors.
const AT_ONCE: usize = 5;
/// What differs and is known to: scenario, moments, why.
const EXPLAINED: &str = include_str!("differences.tsv");

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn the_scenarios_of_the_repository_go_as_on_the_twin() {
    let _ground = alone();
    check("agreement", &SCENARIOS.map(|path| root().join(path)));
}

/// Runs scenarios in both worlds. They have to go alike, or to differ as explained.
pub(crate) fn check(name: &str, scenarios: &[PathBuf]) {
    let folder = Folder::new(name);
    let twin = folder.0.join("twin");
    let mut on_twin = firedrill(&["run", "--quiet", "--out"]);
    on_twin.arg(&twin).args(scenarios);
    say(on_twin).expect(0);
    let mut differing = differing(&folder, &twin, scenarios, "first");
    // Drills at once share two processors: what a hiccup has spoiled gets a second chance, and no third.
    if !differing.is_empty() {
        differing = self::differing(&folder, &twin, &differing, "second");
    }
    assert!(differing.is_empty(), "they differ: {differing:?}");
}

/// Runs scenarios on the ground, tells how they compare with the twin, and answers those that differ.
fn differing(folder: &Folder, twin: &Path, scenarios: &[PathBuf], attempt: &str) -> Vec<PathBuf> {
    let out = folder.0.join(attempt);
    let jobs = scenarios.len().min(AT_ONCE).to_string();
    let said = say(drill(&out, scenarios, &["--jobs", &jobs, "--quiet"]));
    println!("{attempt} attempt:\n{}", said.out);
    let differs = |scenario: &&PathBuf| {
        let name = scenario.file_stem().and_then(|name| name.to_str()).expect("a scenario has a name");
        let mut compare = firedrill(&["compare", "--within", WITHIN]);
        compare.arg(twin.join(name)).arg(out.join(name));
        let compared = say(compare);
        println!("{}{}", compared.out, compared.talk);
        let differences: Vec<&str> =
            compared.out.lines().filter_map(|line| line.strip_prefix("they differ: ")).collect();
        assert_eq!(compared.code == Some(1), !differences.is_empty(), "{name}: {}", compared.talk);
        compared.code != Some(0) && !differences.iter().all(|difference| is_explained(name, difference))
    };
    scenarios.iter().filter(differs).cloned().collect()
}

fn is_explained(scenario: &str, difference: &str) -> bool {
    let rows = EXPLAINED.lines().filter(|line| !line.starts_with('#'));
    let mut rows = rows.map(|line| line.split('\t').collect::<Vec<_>>());
    let row = rows.find(|row| row[0] == scenario);
    let why = row.and_then(|row| {
        let moment = row[1].split(' ').find(|moment| difference.starts_with(&format!("`{moment}` lies")))?;
        Some((moment.to_owned(), row[2].to_owned()))
    });
    if let Some((moment, why)) = &why {
        println!("{scenario}, {moment}, as explained: {why}");
    }
    why.is_some()
}

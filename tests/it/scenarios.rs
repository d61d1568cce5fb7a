//! Every scenario of the repository ends as its author wanted, tells the same story, and tells it twice the same way.

use std::path::{Path, PathBuf};

use firedrill::cli::files;
use firedrill::drill::{self, Finished, Prepared};
use firedrill::report::story;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn all() -> Vec<PathBuf> {
    let (scenarios, found) = files::scenarios(&[root().join("scenarios")]);
    assert_eq!(found, [], "scenarios must be readable");
    scenarios
}

/// All the stories, and every fifth exhibit of the museum: the main job looks at every one of them twice.
fn some() -> Vec<PathBuf> {
    let is_exhibit = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with("museum"));
    let (exhibits, stories): (Vec<PathBuf>, Vec<PathBuf>) = all().into_iter().partition(is_exhibit);
    stories.into_iter().chain(exhibits.into_iter().step_by(5)).collect()
}

fn prepared(path: &Path) -> Prepared {
    drill::prepare(path).unwrap_or_else(|errors| panic!("{}: {errors:#?}", path.display()))
}

fn run(prepared: &Prepared, seed: u64) -> Finished {
    drill::on_twin(prepared, seed, &mut |_, _| {}).expect("a runtime starts")
}

fn told(finished: &Finished) -> String {
    anstream::adapter::strip_str(&story::tell(&finished.timeline, &finished.verdict, None)).to_string()
}

#[test]
fn every_scenario_ends_as_wanted_and_tells_its_story() {
    let paths = all();
    assert!(paths.len() >= 46, "only {} scenarios were found", paths.len());
    for path in paths {
        let prepared = prepared(&path);
        let finished = run(&prepared, 1);
        let story = told(&finished);
        assert!(finished.verdict.as_wanted(), "{story}");
        insta::assert_snapshot!(prepared.plan.name.as_str(), story);
    }
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    for path in some() {
        let prepared = prepared(&path);
        let files = || drill::files(&prepared, &run(&prepared, 7)).expect("reports render");
        assert!(files() == files(), "{}", path.display());
    }
}

#[test]
fn a_saved_run_judges_again_to_the_same_verdict() {
    for path in some() {
        let prepared = prepared(&path);
        let finished = run(&prepared, 3);
        let saved = firedrill::timeline::Timeline::from_jsonl(&finished.timeline.to_jsonl())
            .expect("it was just written");
        assert_eq!(saved, finished.timeline, "{}", path.display());
        let criteria = serde_json::to_string(&finished.criteria).expect("criteria are plain data");
        let criteria: firedrill::plan::Criteria = serde_json::from_str(&criteria).expect("and read again");
        let control = finished.verdict.control.clone();
        let verdict = firedrill::verdict::judge(&criteria, &saved, control, None);
        assert_eq!(verdict, finished.verdict, "{}", path.display());
    }
}

#[test]
fn the_story_in_the_readme_is_the_real_one() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
    let shown = readme
        .split("<!-- story: errors-roll-back -->\n```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let finished = run(&prepared(&root().join("scenarios/errors-roll-back.yaml")), 1);
    assert_eq!(shown.expect("the README shows a story"), told(&finished));
}

/// The exhibits of the museum, by name.
fn museum() -> Vec<(String, Prepared)> {
    let (paths, _) = files::scenarios(&[root().join("scenarios/museum")]);
    let named = |path: &PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), prepared(path));
    paths.iter().map(named).collect()
}

#[test]
fn the_readme_lists_the_whole_museum() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
    let museum = readme.split("## The museum").nth(1).and_then(|rest| rest.split("\n## ").next());
    let museum = museum.expect("the README has a section on the museum");
    for (name, _) in self::museum() {
        assert!(museum.contains(&format!("`{name}`")), "the README does not list {name}");
    }
    let rows = museum.lines().filter(|line| line.starts_with("| `")).flat_map(|row| row.split('|'));
    for name in rows.filter_map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`')) {
        assert!(root().join(format!("scenarios/museum/{name}.yaml")).exists(), "there is no {name}");
    }
}

/// Words such as `bg-empty-templates-list` or `one-condition`.
fn references(because: &str) -> impl Iterator<Item = &str> {
    let words = because.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let families = ["bg-", "ar-", "notif-", "canary-", "strategy-", "ctl-", "tr-", "istio-"];
    words.filter(move |word| families.iter().any(|family| word.starts_with(family)))
}

#[test]
fn an_exhibit_names_recordings_exhibits_and_rules_that_exist() {
    let museum = museum();
    for (name, prepared) in &museum {
        assert_eq!(name, &prepared.plan.name, "the file is called as the scenario");
        let firedrill::plan::Ending::Fail { because, .. } = &prepared.plan.ending else { continue };
        for word in references(because) {
            let recorded = root().join("tests/data/recordings").join(word).is_dir();
            let shown = museum.iter().any(|(name, _)| name == word);
            assert!(recorded || shown, "{name}: nothing is called {word}");
        }
        for word in because.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.starts_with("FD"))
        {
            assert!(firedrill::lint::rules().iter().any(|rule| rule.code == word), "{name}: no rule {word}");
        }
    }
}

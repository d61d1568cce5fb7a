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
    assert!(paths.len() >= 9, "only {} scenarios were found", paths.len());
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
    for path in all() {
        let prepared = prepared(&path);
        let files = || drill::files(&prepared, &run(&prepared, 7)).expect("reports render");
        assert!(files() == files(), "{}", path.display());
    }
}

#[test]
fn a_saved_run_judges_again_to_the_same_verdict() {
    for path in all() {
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

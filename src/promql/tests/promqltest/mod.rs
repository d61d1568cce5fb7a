//! Runs Prometheus' own test files (`promql/promqltest/testdata/*.test`), which are read where they lie and are no part
//! of this project. The folder is `FIREDRILL_PROMQL_CASES`, or `../shared/conformance/promqltest` beside the
//! repository; without it the test says that it was skipped.
//!
//! Left out, counted and shown: cases whose query would come across a native histogram, or whose answer is one.
//! What this runner cannot read counts as not passed.

mod compare;
mod file;
mod native;
mod run;
mod series;

use std::path::{Path, PathBuf};

use self::run::Tally;
pub(super) use self::run::{World, world};

fn folder() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/promqltest");
    std::env::var_os("FIREDRILL_PROMQL_CASES").map_or(beside, PathBuf::from)
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "test")).collect();
    files.sort();
    files
}

/// The queries of all files, for the tests that only parse.
pub(super) fn queries() -> Vec<String> {
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a readable case file");
    let commands = cases(&folder()).iter().flat_map(|path| file::parse(&read(path))).collect::<Vec<_>>();
    commands.into_iter().filter_map(|command| command.query()).collect()
}

#[test]
#[allow(clippy::print_stderr, reason = "the tally is the point of the test")]
fn answers_are_those_of_prometheus() {
    let folder = folder();
    let files = cases(&folder);
    if files.is_empty() {
        eprintln!("SKIPPED: no Prometheus test files in {}", folder.display());
        return;
    }
    let mut total = Tally::default();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a readable case file");
        let tally = run::file(&text);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        tally.differences.iter().for_each(|difference| eprintln!("{name}:{difference}"));
        eprintln!("{name}: {tally}");
        total.add(tally);
    }
    eprintln!("all files: {total}");
    assert!(total.differences.is_empty(), "{total}");
}

/// Runs cases written in a test and demands that all of them pass.
#[track_caller]
pub(super) fn check(cases: usize, text: &str) {
    let tally = run::file(text);
    assert!(tally.differences.is_empty(), "{}", tally.differences.join("\n"));
    assert_eq!(tally.passed, cases, "{tally}");
}

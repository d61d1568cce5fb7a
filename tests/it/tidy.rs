//! What is true of the code itself: who may know whom (the list in the style guide), who may touch the world, and that
//! everything a verdict or a lint can say is explained.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::root;

/// A source file, by its path from the root.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The lines that are code: no comments, and nothing from the first test module on.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take_while(|line| line.trim() != "#[cfg(test)]").enumerate();
        lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(nth, line)| (nth + 1, line))
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }

    /// Whether it is that module or lies in it.
    fn is_in(&self, module: &str) -> bool {
        self.path == format!("src/{module}.rs") || self.path.starts_with(&format!("src/{module}/"))
    }
}

fn collect(folder: &Path, files: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            files.push(File { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn files(folder: &str) -> Vec<File> {
    let mut files = vec![];
    collect(&root().join(folder), &mut files);
    assert!(files.len() > 3, "there is code in {folder}");
    files
}

/// Every line of code outside tests in which one of these words stands by itself.
fn naming<'a>(files: impl Iterator<Item = &'a File>, words: &[&str]) -> Vec<String> {
    let mut found = vec![];
    for file in files.filter(|file| !file.is_test()) {
        for (nth, line) in file.code() {
            found.extend(
                words
                    .iter()
                    .filter(|word| names(line, word))
                    .map(|word| format!("{}:{nth} names {word}: {}", file.path, line.trim())),
            );
        }
    }
    found
}

/// Whether a word stands in a line, and not as a part of a longer one.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let goes_on = word.ends_with(part) && after.starts_with(part);
        !before.ends_with(part) && !goes_on
    })
}

fn nothing(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

const PURE: [&str; 17] = [
    "scenario",
    "plan",
    "timeline",
    "verdict",
    "report",
    "argo",
    "condition",
    "promql",
    "lint",
    "diag",
    "twin",
    "yaml",
    "suggest",
    // What an agent means, for both worlds.
    "agent/ask",
    "agent/book",
    "agent/receivers",
    "agent/wire",
];

#[test]
fn words_are_found_by_themselves() {
    assert!(names("use kube::Api;", "kube::") && names("a(Instant::now())", "Instant::now"));
    assert!(!names("use my_kube::Api;", "kube::") && !names("x.print()", "println!"));
}

#[test]
fn the_pure_box_knows_no_world() {
    let files = files("src");
    let pure = files.iter().filter(|file| PURE.iter().any(|module| file.is_in(module)));
    let world = [
        "tokio::",
        "kube::",
        "hyper::",
        "axum::",
        "tower::",
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "std::time::Instant",
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "rand::rng",
        "thread_rng",
    ];
    nothing(&naming(pure, &world));
}

/// Who must not know whom: the arrows of the house, read backwards.
const STRANGERS: &[(&str, &[&str])] = &[
    (
        "argo",
        &[
            "scenario", "plan", "timeline", "verdict", "report", "twin", "lint", "engine", "cluster",
            "drill", "cli",
        ],
    ),
    (
        "condition",
        &[
            "scenario", "plan", "timeline", "verdict", "report", "twin", "lint", "engine", "cluster",
            "drill", "cli", "argo", "promql",
        ],
    ),
    (
        "promql",
        &[
            "scenario",
            "plan",
            "timeline",
            "verdict",
            "report",
            "twin",
            "lint",
            "engine",
            "cluster",
            "drill",
            "cli",
            "argo",
            "condition",
        ],
    ),
    (
        "diag",
        &[
            "scenario", "plan", "timeline", "verdict", "report", "twin", "lint", "engine", "cluster",
            "drill", "cli", "argo",
        ],
    ),
    (
        "scenario",
        &["plan", "timeline", "verdict", "report", "twin", "lint", "engine", "cluster", "drill", "cli"],
    ),
    (
        "timeline",
        &["scenario", "plan", "verdict", "report", "twin", "lint", "engine", "cluster", "drill", "cli"],
    ),
    ("twin", &["plan", "verdict", "report", "lint", "engine", "cluster", "drill", "cli", "scenario"]),
    ("verdict", &["report", "twin", "lint", "engine", "cluster", "drill", "cli"]),
    ("plan", &["report", "lint", "engine", "cluster", "drill", "cli", "twin"]),
    ("report", &["scenario", "twin", "lint", "engine", "cluster", "drill", "cli"]),
    ("lint", &["scenario", "plan", "timeline", "verdict", "report", "engine", "cluster", "drill", "cli"]),
    ("engine", &["report", "lint", "drill", "cli", "twin"]),
    // Real or played, the agent knows names and HTTP.
    (
        "agent",
        &[
            "scenario", "plan", "timeline", "verdict", "report", "twin", "lint", "engine", "drill", "cli",
            "argo",
        ],
    ),
    ("cluster", &["plan", "verdict", "report", "lint", "engine", "drill", "cli", "scenario"]),
];

/// Arrows that are there and should not be: who, whom, and why for now.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("src/argo/policy/", "crate::twin::store::Kind", "the table of kinds was born in the twin's store"),
    ("src/cluster/", "crate::engine::agent::Agent", "the handle of the agent lies with its only user"),
    (
        "src/cluster/handles.rs",
        "crate::engine::Trouble",
        "a cluster that is not fit says so in the engine's words",
    ),
];

#[test]
fn the_arrows_point_one_way() {
    let files = files("src");
    let mut found = vec![];
    for (module, strangers) in STRANGERS {
        let words: Vec<String> = strangers.iter().map(|stranger| format!("crate::{stranger}")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        found.extend(naming(files.iter().filter(|file| file.is_in(module)), &words));
    }
    let excuses =
        |line: &str, (who, whom, _): &(&str, &str, &str)| line.starts_with(who) && line.contains(whom);
    let stale = EXCUSED.iter().filter(|excuse| !found.iter().any(|line| excuses(line, excuse)));
    let stale = stale.map(|(who, whom, _)| format!("{who} is excused for {whom} and does not name it"));
    let wrong = found.iter().filter(|line| !EXCUSED.iter().any(|excuse| excuses(line, excuse))).cloned();
    nothing(&wrong.chain(stale).collect::<Vec<_>>());
}

#[test]
fn fake_app_has_never_heard_of_us() {
    let files = files("fake-app/src");
    nothing(&naming(files.iter(), &["firedrill", "kube::", "k8s_openapi", "argo", "scenario"]));
}

#[test]
fn only_the_rim_does_effects() {
    let rim = ["agent", "cli", "clock", "cluster", "drill", "engine"];
    let files = files("src");
    let inner = files
        .iter()
        .filter(|file| file.path != "src/main.rs" && !rim.iter().any(|module| file.is_in(module)));
    nothing(&naming(inner, &["std::fs", "std::env", "std::net", "std::process", "tokio::"]));
}

#[test]
fn only_the_command_line_prints() {
    let files = files("src");
    let others = files.iter().filter(|file| !file.is_in("cli"));
    nothing(&naming(
        others,
        &["println!", "eprintln!", "print!", "eprint!", "std::io::stdout", "std::process::exit"],
    ));
}

#[test]
fn no_order_depends_on_a_hash() {
    let files = files("src");
    nothing(&naming(files.iter(), &["HashMap", "HashSet"]));
}

#[test]
fn every_module_says_what_it_is_for() {
    let all = files("src").into_iter().chain(files("fake-app/src")).chain(files("tests"));
    let mute = all.filter(|file| !file.text.starts_with("//!"));
    nothing(&mute.map(|file| format!("{} does not begin with //!", file.path)).collect::<Vec<_>>());
}

/// Files that are long for a reason.
const LONG: &[(&str, &str)] = &[];

#[test]
fn a_file_is_one_idea() {
    let all: Vec<File> = files("src").into_iter().chain(files("fake-app/src")).collect();
    let long = all.iter().filter(|file| !file.is_test() && file.text.lines().count() > 500);
    let unexplained = long.filter(|file| !LONG.iter().any(|(path, _)| *path == file.path));
    nothing(&unexplained.map(|file| format!("{} has more than 500 lines", file.path)).collect::<Vec<_>>());
    let gone = LONG.iter().filter(|(path, _)| !all.iter().any(|file| file.path == *path));
    nothing(&gone.map(|(path, _)| format!("{path} is excused and not there")).collect::<Vec<_>>());
}

/// The codes that stand in a file after one of these beginnings, up to the next quote.
fn codes(file: &File, beginnings: &[&str]) -> BTreeSet<String> {
    let text: String = file.code().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
    let squeezed: String = text.split_whitespace().collect();
    let mut found = BTreeSet::new();
    for beginning in beginnings {
        for (at, _) in squeezed.match_indices(beginning) {
            found.extend(squeezed[at + beginning.len()..].split('"').next().map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_reason_of_a_verdict_is_explained() {
    let beginnings = ["Reason{code:\"", "object(\"", "Some((\""];
    let files = files("src/verdict");
    let known: BTreeSet<String> = files.iter().flat_map(|file| codes(file, &beginnings)).collect();
    assert!(known.len() > 8, "the codes are found: {known:?}");
    let missing = known.iter().filter(|code| firedrill::explain::page(code).is_none());
    nothing(&missing.map(|code| format!("no page explains `{code}`")).collect::<Vec<_>>());
}

#[test]
fn every_lint_rule_is_explained() {
    let files = files("src/lint");
    let rules = files.iter().filter(|file| file.path.starts_with("src/lint/rules/"));
    let known: BTreeSet<String> = rules.flat_map(|file| codes(file, &["code:\""])).collect();
    assert!(known.len() > 15, "the codes are found: {known:?}");
    let missing = known.iter().filter(|code| firedrill::explain::page(code).is_none());
    nothing(&missing.map(|code| format!("no page explains `{code}`")).collect::<Vec<_>>());
}

#[test]
fn every_diagnostic_is_explained() {
    let beginnings =
        ["Diagnostic::error(\"", "Diagnostic::warning(\"", "Diagnostic::note(\"", "self.report(\""];
    let files = files("src");
    let known: BTreeSet<String> =
        files.iter().filter(|file| !file.is_test()).flat_map(|file| codes(file, &beginnings)).collect();
    let missing: Vec<&String> =
        known.iter().filter(|code| firedrill::explain::page(code).is_none()).collect();
    nothing(&missing.iter().map(|code| format!("no page explains `{code}`")).collect::<Vec<_>>());
}

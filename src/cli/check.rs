//! `firedrill check`: what is wrong, before anything runs.

use std::path::PathBuf;

use serde_json::json;

use super::args::{Check, Format};
use super::{complain, exit, files, say};
use crate::argo::policy::Policy;
use crate::diag::{self, Diagnostic, Severity};
use crate::drill;
use crate::lint;

/// Runs `firedrill check`.
pub(super) fn check(args: &Check) -> u8 {
    let (mut scenarios, mut policies, mut found) = (vec![], vec![], vec![]);
    for path in &args.paths {
        let (files, trouble) = files::scenarios(std::slice::from_ref(path));
        let files: Vec<PathBuf> = files.into_iter().filter(is_scenario).collect();
        match files.is_empty() {
            true => policies.push(path),
            false => {
                scenarios.extend(files);
                found.extend(trouble);
            }
        }
    }
    for path in &scenarios {
        match drill::prepare(path, true) {
            Ok(prepared) => found.extend(prepared.findings),
            Err(errors) => found.extend(errors),
        }
    }
    // What is no scenario is a policy.
    for path in &policies {
        found.extend(policy(args, path));
    }
    let checked = scenarios.len();
    if checked == 0 && policies.is_empty() {
        complain("error: nothing to check\n");
        return exit::NOTHING;
    }
    diag::sort(&mut found);
    found.dedup();
    match args.format {
        Format::Json => drop(say(&format!("{:#}\n", json!({ "findings": diag::to_json(&found) })))),
        Format::Story => tell(&found),
    }
    let bad =
        |severity: Severity| severity == Severity::Error || (args.strict && severity == Severity::Warning);
    if found.iter().any(|diagnostic| bad(diagnostic.severity)) { exit::BAD_INPUT } else { exit::PASS }
}

/// What cannot be read is for the reader to complain about.
fn is_scenario(path: &PathBuf) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| files::is_scenario(&text))
}

/// A policy by itself, as it would be planned into a drill.
fn policy(args: &Check, path: &PathBuf) -> Vec<Diagnostic> {
    let (sources, mut found) = files::read_paths(std::slice::from_ref(path));
    if diag::has_errors(&found) {
        return found;
    }
    let (policy, trouble) = Policy::load(sources, None);
    found.extend(trouble);
    let context = lint::Context { scrape_interval: args.scrape_interval, ..lint::Context::default() };
    found.extend(lint::check(&policy, &context));
    found
}

fn tell(found: &[Diagnostic]) {
    let color = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let count = |severity| found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let text = diag::render(found, color);
    say(&format!("{text}{errors} errors, {warnings} warnings\n"));
}

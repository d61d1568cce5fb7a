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
    let (scenarios, mut found) = files::scenarios(&args.paths);
    let checked = scenarios.len();
    for path in &scenarios {
        match drill::prepare(path) {
            Ok(prepared) => found.extend(prepared.findings),
            Err(errors) => found.extend(errors),
        }
    }
    // What is no scenario is a policy.
    let policies: Vec<&PathBuf> = args.paths.iter().filter(|path| files::scenarios(&[(*path).clone()]).0.is_empty()).collect();
    for path in &policies {
        found.extend(policy(args, path));
    }
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
    let bad = |severity: Severity| severity == Severity::Error || (args.strict && severity == Severity::Warning);
    if found.iter().any(|diagnostic| bad(diagnostic.severity)) { exit::BAD_INPUT } else { exit::PASS }
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

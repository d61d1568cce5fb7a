//! `firedrill run`: scenarios in, stories and folders out.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::{Format, Run, World};
use super::jobs::{Done, Failed, Job, perform};
use super::progress::Progress;
use super::{complain, complain_of, exit, files, ground, say};
use crate::diag::{self, Diagnostic, Severity};
use crate::drill::{self, Finished};
use crate::report::{junit, story};
use crate::verdict::{Outcome, Verdict};

/// Runs `firedrill run`.
pub(super) fn run(args: &Run) -> u8 {
    let (scenarios, found) = files::scenarios(&args.paths);
    if diag::has_errors(&found) {
        complain_of(&found);
        return exit::BAD_INPUT;
    }
    if scenarios.is_empty() {
        complain(&format!("error: nothing to run: no scenario in {}\n", list(&args.paths)));
        return exit::NOTHING;
    }
    let jobs = match jobs(args, &scenarios) {
        Ok(jobs) => jobs,
        Err(found) => {
            complain_of(&found);
            return exit::BAD_INPUT;
        }
    };
    let jobs = match args.on {
        World::Twin => jobs,
        World::Kube => match fit(args, jobs) {
            Ok(jobs) => jobs,
            Err(code) => return code,
        },
    };
    let ground = match args.on {
        World::Twin => None,
        World::Kube => match ground::open(args, jobs.iter().map(|job| &job.prepared)) {
            Ok(ground) => Some(ground),
            Err(code) => return code,
        },
    };
    if let Err(error) = std::fs::create_dir_all(&args.out) {
        complain_of(&[unwritable(&args.out, &error)]);
        return exit::BAD_INPUT;
    }
    let progress = Progress::new(jobs.len(), ground.is_some());
    let results = perform(args, &jobs, ground.as_ref(), &progress);
    conclude(args, &jobs, results)
}

fn jobs(args: &Run, scenarios: &[PathBuf]) -> Result<Vec<Job>, Vec<Diagnostic>> {
    let mut jobs: Vec<Job> = vec![];
    let mut found = vec![];
    for path in scenarios {
        match drill::prepare(path, args.on == World::Twin) {
            Ok(prepared) => {
                let name = prepared.plan.name.clone();
                let earlier = jobs.iter().find(|job| job.prepared.plan.name == name);
                found.extend(earlier.map(|earlier| same_name(&name, &earlier.prepared.path, path)));
                let repeat = args.repeat.unwrap_or(prepared.plan.repeat).max(1);
                for nth in 0..u64::from(repeat) {
                    let seed = args.seed.wrapping_add(nth);
                    let folder = if repeat == 1 { name.clone() } else { format!("{name}-seed-{seed}") };
                    jobs.push(Job { prepared: prepared.clone(), seed, folder: args.out.join(folder) });
                }
            }
            Err(errors) => found.extend(errors),
        }
    }
    if diag::has_errors(&found) { Err(found) } else { Ok(jobs) }
}

/// The jobs that a cluster can do. What was named and cannot be done is an error; what was found in a folder is passed
/// over, and said.
fn fit(args: &Run, jobs: Vec<Job>) -> Result<Vec<Job>, u8> {
    let mut found: Vec<Diagnostic> = vec![];
    let mut fit = vec![];
    for job in jobs {
        match drill::unfit(&job.prepared) {
            None => {
                // Scenarios share policies.
                let new = drill::doubts(&job.prepared).into_iter().filter(|doubt| !found.contains(doubt));
                let new: Vec<Diagnostic> = new.collect();
                found.extend(new);
                fit.push(job);
            }
            Some(diagnostic) if args.paths.contains(&job.prepared.path) => found.push(diagnostic),
            Some(diagnostic) => found.push(Diagnostic { severity: Severity::Warning, ..diagnostic }),
        }
    }
    complain_of(&found);
    match (diag::has_errors(&found), fit.is_empty()) {
        (true, _) => Err(exit::BAD_INPUT),
        (false, true) => {
            complain("error: nothing to run: no scenario that can run on a cluster\n");
            Err(exit::NOTHING)
        }
        (false, false) => Ok(fit),
    }
}

/// Two scenarios of one name would write into one folder.
fn same_name(name: &str, one: &Path, other: &Path) -> Diagnostic {
    let title = format!("two scenarios are called `{name}`: {} and {}", one.display(), other.display());
    Diagnostic::error("same-name", title)
        .help("give one of them another `name`: it names the folder of the run")
}

fn conclude(args: &Run, jobs: &[Job], results: Vec<Result<Done, Failed>>) -> u8 {
    let mut codes = vec![];
    let mut done = vec![];
    for (job, result) in jobs.iter().zip(results) {
        let (code, message) = match result {
            Ok(result) => {
                done.push((job, result));
                continue;
            }
            Err(Failed::Input(message)) => (exit::BAD_INPUT, message),
            Err(Failed::World(message)) => (exit::WORLD_BROKE, message),
            Err(Failed::NotBegun(message)) => (exit::INTERRUPTED, message),
        };
        complain(&format!("error: {message}\n"));
        codes.push(code);
    }
    let verdicts: Vec<&Verdict> = done.iter().map(|(_, done)| &done.finished.verdict).collect();
    match args.format {
        Format::Story => tell(args, &done),
        Format::Json => drop(say(&format!("{:#}\n", json!({ "verdicts": verdicts })))),
    }
    if let Some(path) = &args.junit
        && let Err(diagnostic) = write_junit(path, &verdicts)
    {
        complain_of(&[*diagnostic]);
        codes.push(exit::BAD_INPUT);
    }
    codes.extend(done.iter().map(|(_, done)| code(&done.finished)));
    worst(&codes)
}

fn tell(args: &Run, done: &[(&Job, Done)]) {
    let mut out = String::new();
    let mut told: Vec<&Diagnostic> = vec![];
    for (job, done) in done.iter().filter(|_| !args.quiet) {
        // Scenarios share policies, and notes are for `check`: nobody reads the same warning seven times.
        let new = |finding: &&Diagnostic| finding.severity < Severity::Note && !told.contains(finding);
        let findings: Vec<&Diagnostic> = job.prepared.findings.iter().filter(new).collect();
        if !findings.is_empty() {
            let color = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
            let shown: Vec<Diagnostic> = findings.iter().map(|finding| (*finding).clone()).collect();
            out.push_str(&diag::render(&shown, color));
            out.push('\n');
        }
        told.extend(findings);
        out.push_str(&story::tell(&done.finished.timeline, &done.finished.verdict, Some(done.took)));
        out.push('\n');
    }
    out.push_str(&summary(done));
    say(&out);
}

/// One line per run, and one for all.
fn summary(done: &[(&Job, Done)]) -> String {
    let mut text = String::new();
    for (job, done) in done {
        let verdict = &done.finished.verdict;
        let (mark, note) = match (verdict.as_wanted(), &verdict.documented) {
            (true, Some(_)) => ("ok", ", as documented"),
            (true, None) => ("ok", ""),
            (false, _) => ("NOT OK", ""),
        };
        let ended = format!("{}{note}", verdict.outcome.name());
        let report = job.folder.join("report.html");
        text.push_str(&format!("{mark:<7}{:<36} {ended:<30} {}\n", verdict.scenario, report.display()));
    }
    let wanted = done.iter().filter(|(_, done)| done.finished.verdict.as_wanted()).count();
    text.push_str(&format!("{wanted} of {} ended as wanted\n", done.len()));
    text
}

fn write_junit(path: &Path, verdicts: &[&Verdict]) -> Result<(), Box<Diagnostic>> {
    let text = junit::render(verdicts);
    let text = text.map_err(|error| {
        Box::new(Diagnostic::error("unwritable", format!("cannot render JUnit: {error}")))
    })?;
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::File::create(path)?.write_all(text.as_bytes())
    };
    write().map_err(|error| Box::new(unwritable(path, &error)))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let title = format!("cannot write {}: {error}", path.display());
    Diagnostic::error("unwritable", title).help("name another place with `--out` or `--junit`")
}

fn code(finished: &Finished) -> u8 {
    let verdict = &finished.verdict;
    match verdict.outcome {
        _ if finished.interrupted => exit::INTERRUPTED,
        _ if verdict.as_wanted() => exit::PASS,
        Outcome::Error => exit::WORLD_BROKE,
        // A scenario that documents something and shows something else has failed, however it ended.
        Outcome::Inconclusive if verdict.documented.is_none() => exit::INCONCLUSIVE,
        _ => exit::FAIL,
    }
}

/// The code that matters most to whoever branches on it.
fn worst(codes: &[u8]) -> u8 {
    let order = [exit::INTERRUPTED, exit::BAD_INPUT, exit::WORLD_BROKE, exit::FAIL, exit::INCONCLUSIVE];
    order.into_iter().find(|code| codes.contains(code)).unwrap_or(exit::PASS)
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

//! The command line: parses flags, prints, picks exit codes. The only one who does.

mod agent;
mod args;
mod check;
mod clean;
mod compare;
pub mod exit;
pub mod files;
mod ground;
mod jobs;
mod kubeconfig;
mod progress;
mod run;
mod serve;
mod signals;

use clap::Parser as _;

use self::args::{Args, Command};
use crate::explain;

/// Runs the program and answers its exit code.
#[must_use]
pub fn main() -> u8 {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are data and end well; anything else is bad input.
            let code = if error.use_stderr() { exit::BAD_INPUT } else { exit::PASS };
            let _ = error.print();
            return code;
        }
    };
    log(args.verbose);
    args.color.write_global();
    match args.command {
        Command::Run(run) => run::run(&run),
        Command::Check(check) => check::check(&check),
        Command::Serve(serve) => serve::serve(&serve),
        Command::Clean(clean) => clean::clean(&clean),
        Command::Compare(compare) => compare::compare(&compare),
        Command::Rbac => say(include_str!("../../deploy/rbac/firedrill.yaml")),
        Command::Agent(agent) => agent::agent(&agent),
        Command::Explain { code: Some(code) } => explain_code(&code),
        Command::Explain { code: None } => say(&explain::index()),
        Command::Schema => say(&crate::scenario::schema::text()),
        Command::Completions { shell } => {
            let mut script = vec![];
            clap_complete::generate(shell, &mut args::command(), "firedrill", &mut script);
            say(&String::from_utf8_lossy(&script))
        }
        Command::Man => {
            let mut page = vec![];
            match clap_mangen::Man::new(args::command()).render(&mut page) {
                Ok(()) => say(&String::from_utf8_lossy(&page)),
                Err(error) => {
                    complain(&format!("error: cannot render the manual page: {error}\n"));
                    exit::WORLD_BROKE
                }
            }
        }
    }
}

fn explain_code(code: &str) -> u8 {
    match explain::page(code) {
        Some(page) => say(&page),
        None => {
            let near = explain::suggestion(code)
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            complain(&format!("error: nothing is known by the name `{code}`{near}\n"));
            exit::BAD_INPUT
        }
    }
}

/// Writes data. A reader that went away is not our trouble.
fn say(text: &str) -> u8 {
    use std::io::Write as _;
    let mut out = anstream::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    exit::PASS
}

/// Writes talk.
fn complain(text: &str) {
    use std::io::Write as _;
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Diagnostics, drawn for a person.
fn complain_of(diagnostics: &[crate::diag::Diagnostic]) {
    let color = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    complain(&crate::diag::render(diagnostics, color));
}

/// An error and everything that caused it, as one sentence. Some errors tell their cause themselves: once is enough.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

fn log(verbose: u8) {
    // kube logs every answer that is not a good one as an error, and most are asked for on purpose.
    let level = match verbose {
        0 => "warn,kube_client=off",
        1 => "info,kube_client=off",
        _ => "debug",
    };
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("FIREDRILL_LOG").unwrap_or_else(|_| level.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

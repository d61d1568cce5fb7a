//! What can be typed.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args as Arguments, CommandFactory, Parser, Subcommand, ValueEnum};

/// Prove that a bad release is caught, undone and reported, in time, and show the proof.
#[derive(Debug, Parser)]
#[command(name = "firedrill", version, arg_required_else_help = true, max_term_width = 100)]
pub(super) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// Say more about what is going on inside; twice for even more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// When to use colors. `NO_COLOR` is honored.
    #[arg(long, global = true, default_value = "auto")]
    pub(super) color: Color,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes everything that prints follow it.
    pub(super) fn write_global(self) {
        let choice = match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios and tell how they ended.
    Run(Run),
    /// Look for what is wrong with scenarios and policies, without running anything.
    Check(Check),
    /// Put the twin on loopback, in real time or faster, for `kubectl` and other programs.
    Serve(Serve),
    /// Send a drill's traffic and receive its notifications, as a pod in a cluster. A run starts it and ends it.
    Agent(Agent),
    /// Explain a code, a word or a key of a scenario; without one, list everything there is a page for.
    Explain {
        /// `FD001`, `no-measurement`, `traffic.slo`, `exit-codes` or `twin`, for instance.
        code: Option<String>,
    },
    /// Print the JSON Schema of a scenario.
    Schema,
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// `firedrill run`.
#[derive(Debug, Arguments)]
pub(super) struct Run {
    /// Scenario files, or folders of them.
    #[arg(default_value = "scenarios")]
    pub(super) paths: Vec<PathBuf>,
    /// The seed of all chance in the run.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// How many runs of every scenario, with seeds counting up from `--seed`; otherwise what the scenario says.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) repeat: Option<u32>,
    /// How many scenarios at once; by default one per processor.
    #[arg(long)]
    pub(super) jobs: Option<usize>,
    /// Where to write a folder for every run.
    #[arg(long, default_value = "firedrill-runs", value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Where to write one JUnit file of all runs.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// What to print.
    #[arg(long, default_value = "story")]
    pub(super) format: Format,
    /// Run everything twice and compare every byte that is written.
    #[arg(long)]
    pub(super) check_determinism: bool,
    /// Print only the verdicts.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A story for people.
    Story,
    /// One JSON object.
    Json,
}

/// `firedrill check`.
#[derive(Debug, Arguments)]
pub(super) struct Check {
    /// Scenarios, manifests, or folders of either.
    #[arg(default_value = "scenarios")]
    pub(super) paths: Vec<PathBuf>,
    /// What to print.
    #[arg(long, default_value = "story")]
    pub(super) format: Format,
    /// How often Prometheus scrapes, for policies that are checked without a scenario.
    #[arg(long, default_value = "15s", value_parser = duration)]
    pub(super) scrape_interval: std::time::Duration,
    /// Treat warnings as errors.
    #[arg(long)]
    pub(super) strict: bool,
}

/// `firedrill serve`.
#[derive(Debug, Arguments)]
pub(super) struct Serve {
    /// A scenario whose policy is installed and whose traffic flows; without one the cluster is empty.
    pub(super) scenario: Option<PathBuf>,
    /// How many times faster than real time, up to 1000.
    #[arg(long, default_value = "1", value_parser = speed)]
    pub(super) speed: NonZeroU32,
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
    /// Where to write the kubeconfig. It is removed at the end.
    #[arg(long, default_value = "firedrill.kubeconfig", value_name = "PATH")]
    pub(super) kubeconfig: PathBuf,
    /// What to leave out, so that the real one can take its place.
    #[arg(long, value_name = "WHAT")]
    pub(super) without: Vec<Without>,
    /// The seed of all chance in the twin.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

/// `firedrill agent`.
#[derive(Debug, Arguments)]
pub(super) struct Agent {
    /// Where to listen: commands, deliveries and probes all come here. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "[::]:8080")]
    pub(super) listen: std::net::SocketAddr,
    /// The file that holds the run's secret. Who knows it commands the agent.
    #[arg(long, value_name = "PATH")]
    pub(super) secret_file: PathBuf,
    /// How long to go on without a command from the run before ending.
    #[arg(long, default_value = "60s", value_parser = span)]
    pub(super) heartbeat: std::time::Duration,
    /// Host and port by which the notification controller finds the receivers; otherwise the agent's Service and the
    /// port it listens on.
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) receivers: Option<String>,
    /// Send all traffic here, whatever Service is asked for: for a try outside of a cluster.
    #[arg(long, value_name = "ADDR")]
    pub(super) target: Option<std::net::SocketAddr>,
}

/// What a served twin can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Without {
    /// Argo's controllers: Rollouts, AnalysisRuns, Services and notifications.
    Rollouts,
}

/// A second of a thousandfold twin is a quarter of an hour: more, and it would have time for nobody.
fn speed(text: &str) -> Result<NonZeroU32, String> {
    let speed = text.parse::<NonZeroU32>().ok().filter(|speed| speed.get() <= 1000);
    speed.ok_or_else(|| "a whole number from 1 to 1000".to_owned())
}

/// A duration that is one.
fn span(text: &str) -> Result<std::time::Duration, String> {
    let duration = duration(text)?;
    if duration.is_zero() { Err("it is no time at all".to_owned()) } else { Ok(duration) }
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    fake_app::duration::parse(text).map_err(|error| error.to_string())
}

/// The whole command line, for completions and the manual page.
pub(super) fn command() -> clap::Command {
    Args::command()
}

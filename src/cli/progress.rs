//! Live progress: a line per run on a terminal, plain lines elsewhere, nothing on stdout.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::complain;
use crate::timeline::{Entry, Event, Instant, Stage};
use crate::verdict::{Judge, Verdict, seconds};

/// How often a run in real time says where it is, without a terminal.
const EVERY: Duration = Duration::from_secs(30);

/// The progress of all runs.
pub(super) struct Progress {
    bars: MultiProgress,
    /// Whether there is a terminal.
    live: bool,
    /// Whether somebody waits in real time.
    real: bool,
    total: usize,
}

/// The progress of one run.
pub(super) struct Bar<'a> {
    progress: &'a Progress,
    bar: ProgressBar,
    name: String,
    stage: Option<Stage>,
    /// When something was last said, where there is no terminal.
    said: Instant,
}

/// Measures how long a person waited. It never reaches a file: the same run gives the same bytes.
pub(super) struct Stopwatch(crate::clock::Moment);

impl Stopwatch {
    pub(super) fn start() -> Stopwatch {
        Stopwatch(crate::clock::Moment::wall())
    }

    pub(super) fn elapsed(&self) -> Duration {
        crate::clock::Moment::wall().since(self.0)
    }
}

impl Progress {
    pub(super) fn new(total: usize, real: bool) -> Progress {
        let live = std::io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        Progress { bars: MultiProgress::with_draw_target(target), live, real, total }
    }

    pub(super) fn begin(&self, name: &str) -> Bar<'_> {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        if !self.live && (self.total > 1 || self.real) {
            complain(&format!("running {name}\n"));
        }
        Bar { progress: self, bar, name: name.to_owned(), stage: None, said: Instant::default() }
    }
}

impl Bar<'_> {
    /// Shows where the run is and what it waits for.
    pub(super) fn see(&mut self, entry: &Entry, judge: &Judge<'_>) {
        let entered = matches!(entry.event, Event::Stage(_));
        if let Event::Stage(stage) = entry.event {
            self.stage = Some(stage);
        }
        if !entered && !matches!(entry.event, Event::Traffic(_)) {
            return;
        }
        if self.progress.live {
            self.bar.set_message(self.state(entry.at, judge));
            self.bar.tick();
        } else if self.progress.real && (entered || entry.at.since(self.said) >= EVERY) {
            self.said = entry.at;
            complain(&format!("{}  {}\n", self.name, self.state(entry.at, judge)));
        }
    }

    /// When it is, where the run is, and what it waits for, with a countdown where one runs.
    fn state(&self, at: Instant, judge: &Judge<'_>) -> String {
        let mut waiting = String::new();
        if self.stage == Some(Stage::Watch) {
            let open = judge.open().into_iter().map(|(id, left)| match left {
                Some(left) => format!("{id} ({} left)", seconds(left)),
                None => id.to_owned(),
            });
            waiting = open.collect::<Vec<_>>().join(", ");
        }
        let waiting = if waiting.is_empty() { waiting } else { format!("waiting for {waiting}") };
        let stage = self.stage.map_or_else(String::new, |stage| format!("{stage:?}").to_lowercase());
        format!("{:>8}  {stage} {waiting}", seconds(at.since_start())).trim_end().to_owned()
    }

    pub(super) fn done(&self, verdict: &Verdict) {
        self.bar.finish_and_clear();
        if !self.progress.live && self.progress.total > 1 {
            complain(&format!("{} {}\n", verdict.outcome.name(), self.name));
        }
    }
}

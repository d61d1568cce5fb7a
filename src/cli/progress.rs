//! Live progress: a line per run on a terminal, plain lines elsewhere, nothing on stdout.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::complain;
use crate::timeline::{Entry, Event, Stage};
use crate::verdict::{Judge, Verdict};

/// The progress of all runs.
pub(super) struct Progress {
    bars: MultiProgress,
    live: bool,
    total: usize,
}

/// The progress of one run.
pub(super) struct Bar<'a> {
    progress: &'a Progress,
    bar: ProgressBar,
    name: String,
    stage: Option<Stage>,
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
    pub(super) fn new(total: usize) -> Progress {
        let live = std::io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        Progress { bars: MultiProgress::with_draw_target(target), live, total }
    }

    pub(super) fn begin(&self, name: &str) -> Bar<'_> {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        if !self.live && self.total > 1 {
            complain(&format!("running {name}\n"));
        }
        Bar { progress: self, bar, name: name.to_owned(), stage: None }
    }
}

impl Bar<'_> {
    /// Shows where the run is and what it waits for.
    pub(super) fn see(&mut self, entry: &Entry, judge: &Judge<'_>) {
        if !self.progress.live {
            return;
        }
        if let Event::Stage(stage) = entry.event {
            self.stage = Some(stage);
        }
        if matches!(entry.event, Event::Stage(_) | Event::Traffic(_)) {
            let at = crate::verdict::seconds(entry.at.since_start());
            let open = judge.open().join(", ");
            let waiting = if self.stage == Some(Stage::Watch) && !open.is_empty() {
                format!("waiting for {open}")
            } else {
                String::new()
            };
            let stage = self.stage.map_or_else(String::new, |stage| format!("{stage:?}").to_lowercase());
            self.bar.set_message(format!("{at:>8}  {stage} {waiting}"));
            self.bar.tick();
        }
    }

    pub(super) fn done(&self, verdict: &Verdict) {
        self.bar.finish_and_clear();
        if !self.progress.live && self.progress.total > 1 {
            complain(&format!("{} {}\n", verdict.outcome.name(), self.name));
        }
    }
}

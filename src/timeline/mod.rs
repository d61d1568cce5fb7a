//! What happened, in order, as one clock saw it.
//!
//! The timeline is the spine: worlds write it, verdicts and reports read it, and nothing else is evidence. One entry
//! is one line of `timeline.jsonl`. The [`recorder`] folds object changes into entries; it is fed by the engine's
//! watches on either world.

mod event;
pub mod recorder;
mod traffic;

pub use self::event::{
    AnalysisSeen, Delivered, Entry, Event, Gap, Instant, Measured, PodSeen, RolloutSeen, RunStarted, Stage,
    Switched,
};
pub use self::recorder::Recorder;
pub use self::traffic::{Latency, Second, Tally};

/// All entries of a run, in order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    entries: Vec<Entry>,
}

impl Timeline {
    /// An empty timeline.
    #[must_use]
    pub fn new() -> Timeline {
        Timeline::default()
    }

    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds an entry. Facts can be learnt late (a traffic report covers the second before it), so an entry is put
    /// where its moment belongs; among equals, in the order of arrival.
    pub fn push(&mut self, entry: Entry) {
        let place = self.entries.partition_point(|other| other.at <= entry.at);
        self.entries.insert(place, entry);
    }

    /// As JSON Lines.
    #[must_use]
    pub fn to_jsonl(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry).expect("an entry is plain data"));
            text.push('\n');
        }
        text
    }

    /// From JSON Lines.
    ///
    /// # Errors
    /// The number of the line that is not an entry, and why.
    pub fn from_jsonl(text: &str) -> Result<Timeline, (usize, serde_json::Error)> {
        let mut timeline = Timeline::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            timeline.push(serde_json::from_str(line).map_err(|error| (number + 1, error))?);
        }
        Ok(timeline)
    }
}

//! A recording as a script: read once, played as often as it takes.

use serde_json::Value;

use super::acts;
use super::fates::Fates;
use super::load;
use super::sight::{Sight, Tracks, text};
use super::stage::Cue;
use crate::clock::Moment;
use crate::twin::recordings::Recording;

/// What a stage has to know of a recording, and what was seen of it.
pub(super) struct Script {
    /// The wall clock of the start.
    pub(super) start: Moment,
    /// What was done, at which second, and what it waited for.
    pub(super) cues: Vec<(f64, Cue, Option<Anchor>)>,
    /// Whether anybody subscribed to notifications.
    pub(super) notifies: bool,
    pub(super) fates: Fates,
    /// When a write followed another, and after how long.
    pub(super) gaps: Vec<(f64, f64)>,
    pub(super) seen: Tracks,
    pub(super) end: f64,
}

impl Script {
    /// Of a recording and its lines in their true order.
    pub(super) fn read(recording: &Recording, observed: &[Value]) -> Script {
        let (given, actions) = (recording.given(), recording.actions());
        let anchors = Anchors::read(observed);
        let mut cues = vec![];
        // A delivery is tried again over seconds, so what its receiver will do is known from its first turn on.
        let sinks = acts::sinks(&actions);
        if let Some((first, _)) = sinks.first().copied() {
            let turns = sinks.iter().map(|(at, there)| (at - first, *there)).collect();
            cues.push((first, Cue::Sink(turns), anchors.before(first)));
        }
        for (number, (at, act)) in acts::read(&given, &actions, observed).into_iter().enumerate() {
            let anchor = if number < given.len() { None } else { anchors.before(at) };
            cues.push((at, Cue::Act(act), anchor));
        }
        let notifies = |object: &Value| object.to_string().contains("notifications.argoproj.io");
        Script {
            start: Moment::parse_rfc3339(text(&observed[0]["time"])).expect("the wall clock of the start"),
            cues,
            notifies: given.iter().any(notifies),
            fates: Fates::read(observed),
            gaps: load::gaps(observed),
            seen: Sight::of(observed),
            end: actions.last().and_then(|action| action["t"].as_f64()).expect("an end"),
        }
    }
}

/// Something that was waited for before an act: the sight of a track with this number, so many seconds earlier.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    pub(super) track: String,
    pub(super) number: usize,
    pub(super) before: f64,
}

/// The sights that acts may have waited for.
struct Anchors(Vec<(f64, String, usize)>);

impl Anchors {
    fn read(observed: &[Value]) -> Anchors {
        // A hot loop has as many sights as it has turns; there is no counting on them.
        if observed.iter().any(|line| line["kind"] == "Elided") {
            return Anchors(vec![]);
        }
        let mut sight = Sight::default();
        for line in observed {
            sight.see(line);
        }
        let tracks = sight.tracks().iter().filter(|(name, _)| {
            !name.contains("condition")
                && ["Rollout", "AnalysisRun", "Service", "ReplicaSet"]
                    .iter()
                    .any(|kind| name.starts_with(kind))
        });
        let mut all: Vec<(f64, String, usize)> = tracks
            .flat_map(|(name, sights)| sights.iter().enumerate().map(|(n, seen)| (seen.at, name.clone(), n)))
            .collect();
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        Anchors(all)
    }

    /// The last sight before a second. What an act did may be seen before the act is written down.
    fn before(&self, at: f64) -> Option<Anchor> {
        let (seen, track, number) = self.0.iter().rev().find(|(seen, ..)| *seen < at - 0.1)?;
        Some(Anchor { track: track.clone(), number: *number, before: at - seen })
    }
}

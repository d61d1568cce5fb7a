//! Two runs side by side: the same sights in the same order, each within two seconds of its cause.
//!
//! Nobody wrote down causes. But a sight is late either because what it follows from was late, or by itself: so a
//! sight may be as late as anything before it was, and two seconds more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::sight::{Seen, Tracks, without_loops};
use super::stage::NAMESPACE;

/// How far a sight may be from the recorded one, its cause apart.
const WITHIN: f64 = 2.0;
/// The same for Events: a process of their own writes them, after what they tell, and a busy machine holds it up.
const EVENTS_WITHIN: f64 = 4.0;

/// The differences between what was recorded and what the twin did, for people, the first one first; one a track.
pub(super) fn differences(recorded: &Tracks, twin: &Tracks, end: f64) -> Vec<String> {
    let late = lateness(recorded, twin);
    let names = recorded.keys().chain(twin.keys().filter(|name| !recorded.contains_key(*name)));
    let none = vec![];
    let mut found: Vec<(f64, String)> = names
        .filter_map(|name| {
            let (recorded, twin) = (recorded.get(name).unwrap_or(&none), twin.get(name).unwrap_or(&none));
            track(name, recorded, twin, end, late.get(name.as_str()).copied().unwrap_or(usize::MAX))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    found.into_iter().map(|(_, text)| text).collect()
}

/// Whether a run under way cannot become the recorded one any more. The last sight of a track does not count: it may
/// turn out to be a turn of a hot loop.
pub(super) fn has_strayed(recorded: &Tracks, seen: &Tracks, end: f64) -> bool {
    seen.iter().any(|(name, sights)| {
        let recorded = recorded.get(name).map_or(&[][..], Vec::as_slice);
        let mut sights = without_loops(sights.clone());
        sights.pop();
        let stray = |(n, one): (usize, &Seen)| match recorded.get(n) {
            Some(other) => other.text != one.text && other.text != one.text.replace(NAMESPACE, "NAMESPACE"),
            None => one.at <= end - WITHIN,
        };
        sights.iter().enumerate().any(stray)
    })
}

/// For each track the number of the first sight that is too early or too late.
fn lateness<'a>(recorded: &'a Tracks, twin: &Tracks) -> BTreeMap<&'a str, usize> {
    let mut pairs: Vec<(f64, f64, &str, usize)> = vec![];
    for (name, sights) in recorded {
        let twin = twin.get(name).map_or(&[][..], Vec::as_slice);
        let both = sights.iter().zip(twin).take_while(|(one, other)| one.text == other.text);
        pairs.extend(both.enumerate().map(|(n, (one, other))| (one.at, other.at - one.at, name.as_str(), n)));
    }
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut earliest, mut latest) = (0.0_f64, 0.0_f64);
    let mut off = BTreeMap::new();
    for (_, late, name, n) in pairs {
        let within = |most: f64| (earliest - most..=latest + most).contains(&late);
        if within(WITHIN) {
            (earliest, latest) = (earliest.min(late), latest.max(late));
        } else if !(name.starts_with("events of") && within(EVENTS_WITHIN)) {
            off.entry(name).or_insert(n);
        }
    }
    off
}

fn track(name: &str, recorded: &[Seen], twin: &[Seen], end: f64, off: usize) -> Option<(f64, String)> {
    let same = recorded.iter().zip(twin).take_while(|(one, other)| one.text == other.text);
    let agree = same.take(off).count();
    // Whoever stops looking misses what comes a moment later on a slower machine.
    let complete = |sights: &[Seen]| sights.get(agree).is_none_or(|next| next.at > end - WITHIN);
    if agree < off && complete(recorded) && complete(twin) && (agree == recorded.len() || agree == twin.len())
    {
        return None;
    }
    let mut text = format!("{name}, after {agree} sights alike:");
    for (who, sights) in [("recorded", recorded), ("twin", twin)] {
        let _ = write!(text, "\n  {who}:");
        let from = agree.saturating_sub(1);
        for (index, seen) in sights.iter().enumerate().skip(from).take(4) {
            let mark = if index == agree { ">" } else { " " };
            let _ = write!(text, "\n   {mark}{:8.3} {}", seen.at, seen.text);
        }
        if sights.len() <= agree {
            let _ = write!(text, "\n   >         (nothing)");
        }
    }
    let at = recorded.get(agree).or(twin.get(agree)).map_or(0.0, |seen| seen.at);
    Some((at, text))
}

//! Two runs of one scenario, side by side: whether the same moments came in the same order, and how far apart.
//!
//! It is how the twin is held to a cluster by whoever uses both. Every moment counts from the release that was written,
//! which is the one thing both runs did by themselves.

use std::time::Duration;

use super::{MomentSeen, Verdict};
use crate::timeline::Instant;

/// Moments closer together than this came at once: which of them is seen first is chance.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How two runs agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Every moment of either, in the order of the first run.
    pub moments: Vec<Pair>,
    /// What speaks against their agreeing, a sentence each.
    pub differences: Vec<String>,
}

/// A moment in both runs, counted from the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name.
    pub name: String,
    /// When it came in the first.
    pub one: Option<Duration>,
    /// And in the other.
    pub other: Option<Duration>,
}

impl Pair {
    /// How far apart they are.
    #[must_use]
    pub fn apart(&self) -> Option<Duration> {
        Some(self.one?.abs_diff(self.other?))
    }
}

/// Puts two runs side by side; the same moment of both may lie this far apart.
#[must_use]
pub fn agreement(one: &Verdict, other: &Verdict, within: Duration) -> Agreement {
    let (first, second) = (since_applied(&one.moments), since_applied(&other.moments));
    let in_other = |name: &str| second.iter().find(|(of, _)| of == name).map(|(_, at)| *at);
    let mut moments: Vec<Pair> = first
        .iter()
        .map(|(name, at)| Pair { name: name.clone(), one: Some(*at), other: in_other(name) })
        .collect();
    let only_other = second.iter().filter(|(name, _)| !first.iter().any(|(of, _)| of == name));
    moments.extend(only_other.map(|(name, at)| Pair { name: name.clone(), one: None, other: Some(*at) }));
    let mut differences = vec![];
    if one.scenario != other.scenario {
        differences.push(format!("they are runs of two scenarios, {} and {}", one.scenario, other.scenario));
    }
    if one.outcome != other.outcome {
        differences.push(format!("one ended {}, the other {}", one.outcome.name(), other.outcome.name()));
    }
    differences.extend(moments.iter().filter_map(|pair| difference(pair, within)));
    differences.extend(disorder(&moments));
    Agreement { moments, differences }
}

fn since_applied(moments: &[MomentSeen]) -> Vec<(String, Duration)> {
    let applied = moments.iter().find(|moment| moment.name == "applied");
    let applied = applied.map_or(Instant::default(), |moment| moment.at);
    moments.iter().map(|moment| (moment.name.clone(), moment.at.since(applied))).collect()
}

fn difference(pair: &Pair, within: Duration) -> Option<String> {
    let Pair { name, one, other } = pair;
    match (one, other) {
        (Some(_), None) => Some(format!("`{name}` came in the first only")),
        (None, Some(_)) => Some(format!("`{name}` came in the second only")),
        _ => pair.apart().filter(|apart| *apart > within).map(|apart| {
            format!("`{name}` lies {} apart, more than {}", super::seconds(apart), super::seconds(within))
        }),
    }
}

/// Moments that came one after the other in the first run, and clearly the other way round in the second.
fn disorder(moments: &[Pair]) -> Vec<String> {
    let both: Vec<(&str, Duration, Duration)> =
        moments.iter().filter_map(|pair| Some((pair.name.as_str(), pair.one?, pair.other?))).collect();
    let mut found = vec![];
    for (nth, (earlier, one, other)) in both.iter().enumerate() {
        for (later, one_later, other_later) in &both[nth + 1..] {
            let clearly =
                one_later.saturating_sub(*one) > AT_ONCE && other.saturating_sub(*other_later) > AT_ONCE;
            if clearly {
                found.push(format!(
                    "`{earlier}` came before `{later}` in the first, and after it in the second"
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(moments: &[(&str, u64)]) -> Verdict {
        let moments = moments.iter().map(|(name, at)| json!({"name": name, "at": at}));
        let moments: Vec<_> = moments.collect();
        let blast = json!({"sent": 0, "harmed": 0, "share": 0.0, "longest-run": 0, "exposed": 0.0, "by": []});
        let verdict = json!({
            "scenario": "s", "about": "", "covers": [], "world": "twin", "seed": 1, "outcome": "PASS", "reasons": [],
            "expectations": [], "moments": moments, "blast": blast, "control": "promoted", "documented": null, "lasted": 0.0,
        });
        serde_json::from_value(verdict).unwrap()
    }

    fn check(one: &[(&str, u64)], other: &[(&str, u64)], expect: &[&str]) {
        assert_eq!(agreement(&run(one), &run(other), Duration::from_secs(5)).differences, expect);
    }

    #[test]
    fn moments_count_from_the_release() {
        check(&[("applied", 10), ("detected", 70)], &[("applied", 40), ("detected", 104)], &[]);
    }

    #[test]
    fn what_is_too_far_apart_or_missing_is_said() {
        check(
            &[("applied", 0), ("detected", 70), ("aborted", 71)],
            &[("applied", 0), ("detected", 80), ("restored", 90)],
            &[
                "`detected` lies 10.0 s apart, more than 5.0 s",
                "`aborted` came in the first only",
                "`restored` came in the second only",
            ],
        );
    }

    #[test]
    fn another_order_is_said_unless_it_is_a_matter_of_a_moment() {
        check(&[("applied", 0), ("a", 70), ("b", 71)], &[("applied", 0), ("b", 70), ("a", 71)], &[]);
        check(
            &[("applied", 0), ("a", 70), ("b", 73)],
            &[("applied", 0), ("b", 70), ("a", 73)],
            &["`a` came before `b` in the first, and after it in the second"],
        );
    }
}

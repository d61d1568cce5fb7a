//! What a scenario expects, as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::At;
use super::scalar::{Duration, Limit, Share, Times};

/// A moment of a run that other moments can be counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// The release was written to the cluster.
    Applied,
    /// The client saw the first harmed response from the new revision.
    Onset,
    /// The AnalysisRun that dooms the release reached Failed or Error.
    Detected,
    /// `status.abort` and its condition are visible.
    Aborted,
    /// The Service selector (blue-green) or the weights (canary) point at the stable revision again.
    SwitchedBack,
    /// The last harmed response, confirmed by a hold of clean traffic.
    Restored,
    /// The new revision became the stable one.
    Promoted,
    /// The rollout paused.
    Paused,
    /// The aborted revision has no pods left.
    ScaledDown,
    /// After an abort the stable revision has as many ready pods as before the release.
    PodsBack,
    /// The first notification arrived.
    Notified,
}

/// One expectation; the list has no order, order comes from `after`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The AnalysisRun that dooms the release reaches Failed or Error. Example: `detected: {within: 3m}`.
    Detected(Window),
    /// The rollout is aborted. Example: `aborted: {after: detected, within: 5s}`.
    Aborted(Window),
    /// Traffic is pointed at the stable revision again. Example: `switched-back: {after: aborted, within: 1s}`.
    SwitchedBack(Window),
    /// The users are well again: the last harmed response, confirmed by `hold`. Example: `restored: {within: 4m}`.
    Restored(Window),
    /// The release becomes the stable revision. Example: `promoted: {after: applied, within: 10m}`.
    Promoted(Window),
    /// The rollout pauses. Example: `paused: {within: 2m}`.
    Paused(Window),
    /// The aborted revision has no pods left. Example: `scaled-down: {after: aborted, not-before: 25s, within: 45s}`.
    ScaledDown(Window),
    /// After an abort the stable revision has as many ready pods as before the release: a canary may have taken their places.
    /// Example: `pods-back: {after: aborted, within: 1m}`.
    PodsBack(Window),
    /// How far through its steps a canary has to get, or may. Example: `step: {at-least: 2, within: 5m}`, `step: {at-most: 2}`.
    Step(Reached),
    /// A notification arrives. Example: `notified: {by: slack, trigger: on-rollout-aborted, after: aborted, within: 15s}`.
    Notified(Notified),
    /// How many requests may be harmed. Example: `harmed: {at-most: 4%}`.
    Harmed(Harmed),
    /// This moment never comes, as long as the run lasts. Example: `never: promoted`.
    Never(Anchor),
}

/// When a moment has to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// The moment to count from: `onset` unless this says otherwise, or `applied` where no onset can be (`promoted`, `paused`, or
    /// a healthy release). Example: `after: detected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// At the latest so long afterwards. Example: `within: 3m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<At<Duration>>,
    /// At the earliest so long afterwards. Example: `not-before: 25s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<At<Duration>>,
    /// How often it happens in the whole run; without this, at least once. Example: `times: 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<At<Times>>,
}

/// How far a canary gets. Steps are counted from 0, as `status.currentStepIndex` counts them: the step it is at or waits in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reached {
    /// It gets to this step, or past it. The number of steps there are means that all of them are done. Example: `at-least: 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<At<u32>>,
    /// It never gets past this step, as long as the run lasts. Excludes `at-least` and its window. Example: `at-most: 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<At<u32>>,
    /// The moment to count from, `applied` unless this says otherwise. Example: `after: aborted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// At the latest so long afterwards. Example: `within: 5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<At<Duration>>,
    /// At the earliest so long afterwards. Example: `not-before: 1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<At<Duration>>,
}

/// Which notification, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Notified {
    /// The notification service of the policy that has to send it: `slack`, or the name after `service.`. Example: `by: slack`.
    pub by: At<String>,
    /// The trigger that has to cause it. Example: `trigger: on-rollout-aborted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<At<String>>,
    /// The recipient, as the subscription names it. Example: `to: deploys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<At<String>>,
    /// The moment to count from, `onset` unless this says otherwise. Example: `after: aborted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// At the latest so long afterwards. Example: `within: 15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<At<Duration>>,
    /// At the earliest so long afterwards. Example: `not-before: 1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<At<Duration>>,
    /// How often it arrives in the whole run; without this, at least once. Example: `times: 1`, `times: 0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<At<Times>>,
}

/// How much harm the users may see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Harmed {
    /// So many requests, or such a share of them. Example: `at-most: 4%`, `at-most: 120`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<At<Limit>>,
    /// The share is of all requests since the release was applied, or only of those the new revision answered. Example: `of: new`.
    #[serde(default)]
    pub of: Of,
    /// So many harmed requests in a row at most. Example: `longest-run: 20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_run: Option<At<u32>>,
    /// The largest share of a second's traffic that may have reached the new revision, counted by its answers. A router draws for
    /// each request, so a second's share strays from the weight: by some 17 points at 50/s and 20 %. Example: `exposed: 25%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed: Option<At<Share>>,
}

/// What a share of harmed requests is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// All requests since the release was applied.
    #[default]
    All,
    /// Those that the new revision answered.
    New,
}

/// The name of each expectation in reports and under `broken`: its key, with a number from the second of a kind on.
#[must_use]
pub fn ids(expectations: &[At<Expectation>]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for expectation in expectations {
        let base = match &expectation.value {
            Expectation::Never(anchor) => format!("never-{}", anchor.name()),
            other => other.kind().to_owned(),
        };
        let nth = |n: usize| if n == 1 { base.clone() } else { format!("{base}-{n}") };
        let id = (1..).map(nth).find(|id| !ids.contains(id));
        ids.push(id.expect("the counter outlasts any list"));
    }
    ids
}

// === impl Expectation ===

impl Expectation {
    /// The key it is written under.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Expectation::Detected(_) => "detected",
            Expectation::Aborted(_) => "aborted",
            Expectation::SwitchedBack(_) => "switched-back",
            Expectation::Restored(_) => "restored",
            Expectation::Promoted(_) => "promoted",
            Expectation::Paused(_) => "paused",
            Expectation::ScaledDown(_) => "scaled-down",
            Expectation::PodsBack(_) => "pods-back",
            Expectation::Step(_) => "step",
            Expectation::Notified(_) => "notified",
            Expectation::Harmed(_) => "harmed",
            Expectation::Never(_) => "never",
        }
    }

    /// The moment it speaks of, when it is the time of a moment that it speaks of.
    #[must_use]
    pub fn moment(&self) -> Option<(Anchor, &Window)> {
        match self {
            Expectation::Detected(window) => Some((Anchor::Detected, window)),
            Expectation::Aborted(window) => Some((Anchor::Aborted, window)),
            Expectation::SwitchedBack(window) => Some((Anchor::SwitchedBack, window)),
            Expectation::Restored(window) => Some((Anchor::Restored, window)),
            Expectation::Promoted(window) => Some((Anchor::Promoted, window)),
            Expectation::Paused(window) => Some((Anchor::Paused, window)),
            Expectation::ScaledDown(window) => Some((Anchor::ScaledDown, window)),
            Expectation::PodsBack(window) => Some((Anchor::PodsBack, window)),
            Expectation::Step(_)
            | Expectation::Notified(_)
            | Expectation::Harmed(_)
            | Expectation::Never(_) => None,
        }
    }

    /// The moment it is counted from, as written.
    #[must_use]
    pub fn after(&self) -> Option<At<Anchor>> {
        match self {
            Expectation::Notified(notified) => notified.after,
            Expectation::Step(step) => step.after,
            _ => self.moment().and_then(|(_, window)| window.after),
        }
    }
}

impl Anchor {
    /// Every moment, in the order in which a rollback meets them.
    pub const ALL: [Anchor; 11] = [
        Anchor::Applied,
        Anchor::Onset,
        Anchor::Detected,
        Anchor::Aborted,
        Anchor::SwitchedBack,
        Anchor::Restored,
        Anchor::Promoted,
        Anchor::Paused,
        Anchor::ScaledDown,
        Anchor::PodsBack,
        Anchor::Notified,
    ];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Anchor::Applied => "applied",
            Anchor::Onset => "onset",
            Anchor::Detected => "detected",
            Anchor::Aborted => "aborted",
            Anchor::SwitchedBack => "switched-back",
            Anchor::Restored => "restored",
            Anchor::Promoted => "promoted",
            Anchor::Paused => "paused",
            Anchor::ScaledDown => "scaled-down",
            Anchor::PodsBack => "pods-back",
            Anchor::Notified => "notified",
        }
    }
}

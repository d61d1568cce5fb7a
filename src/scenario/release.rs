//! The release a scenario makes, and what people do to it afterwards, as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::At;
use super::expect::Anchor;
use super::fault::Fault;
use super::scalar::Duration;

/// The act that creates a new revision. The fault travels inside it, so it disappears with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// What is wrong with the new revision. Example: `fault: {errors: {rate: 8%, status: 503}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<At<Fault>>,
    /// Nothing is wrong with it. Example: `healthy: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<At<bool>>,
    /// What happens besides: more releases, and what people do by hand. Without `fault` or `healthy` above, the first release is here.
    /// Example: `steps: [{promote: {after: paused}}, {release: {healthy: true, after: restored, plus: 1m}}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<At<Step>>,
}

/// One act. Without `at` or `after` it happens right after the step before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Another new revision. Example: `release: {fault: {errors: {rate: 100%}}, at: 2m}`.
    Release(Box<Again>),
    /// What `kubectl argo rollouts promote` does. Example: `promote: {after: paused, plus: 5s}`.
    Promote(Promote),
    /// What `kubectl argo rollouts abort` does. Example: `abort: {at: 30s}`.
    Abort(When),
    /// What `kubectl argo rollouts retry` does. Example: `retry: {after: aborted, plus: 5s}`.
    Retry(When),
    /// What `kubectl argo rollouts undo` does. Example: `undo: {to: 1, after: promoted}`.
    Undo(Undo),
    /// Any other write to an object of the policy. Example: `patch: {with: {spec: {paused: true}}, at: 30s}`.
    Patch(Patch),
}

/// When a step is taken. `at` and `after` exclude each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct When {
    /// So long after the first release was applied. Example: `at: 30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At<Duration>>,
    /// As soon as this moment is seen. Example: `after: aborted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// So much later than `after`. Example: `plus: 5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<At<Duration>>,
}

/// Another release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Again {
    /// What is wrong with this revision. Example: `fault: {crash: {after: 10s}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<At<Fault>>,
    /// Nothing is wrong with it. Example: `healthy: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<At<bool>>,
    /// So long after the first release was applied. Example: `at: 2m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At<Duration>>,
    /// As soon as this moment is seen. Example: `after: restored`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// So much later than `after`. Example: `plus: 1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<At<Duration>>,
}

/// A promotion by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Promote {
    /// Skip analysis, pauses and steps, as `promote --full` does. Example: `full: true`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// So long after the first release was applied. Example: `at: 2m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At<Duration>>,
    /// As soon as this moment is seen. Example: `after: paused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// So much later than `after`. Example: `plus: 5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<At<Duration>>,
}

/// A return to an earlier revision by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Undo {
    /// The revision to return to; the one before the current one unless this says otherwise. Example: `to: 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<At<u32>>,
    /// So long after the first release was applied. Example: `at: 2m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At<Duration>>,
    /// As soon as this moment is seen. Example: `after: promoted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// So much later than `after`. Example: `plus: 5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<At<Duration>>,
}

/// A write to an object of the policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Patch {
    /// The object, as kind and name; the Rollout under test unless this says otherwise. Example: `target: service/web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<At<String>>,
    /// How `with` is to be read. Example: `type: json`.
    #[serde(default, rename = "type")]
    pub kind: PatchType,
    /// The patch itself. Example: `with: {spec: {paused: true}}`.
    pub with: At<serde_json::Value>,
    /// So long after the first release was applied. Example: `at: 2m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At<Duration>>,
    /// As soon as this moment is seen. Example: `after: onset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<At<Anchor>>,
    /// So much later than `after`. Example: `plus: 5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<At<Duration>>,
}

/// The two kinds of patch that custom resources understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PatchType {
    /// RFC 7396: the parts to change, `null` to remove.
    #[default]
    Merge,
    /// RFC 6902: a list of operations.
    Json,
}

impl Release {
    /// Whether any revision it makes has something wrong with it.
    #[must_use]
    pub fn faulty(&self) -> bool {
        let step = |step: &At<Step>| matches!(&step.value, Step::Release(again) if again.fault.is_some());
        self.fault.is_some() || self.steps.iter().any(step)
    }
}

// === impl Step ===

impl Step {
    /// The key it is written under.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Step::Release(_) => "release",
            Step::Promote(_) => "promote",
            Step::Abort(_) => "abort",
            Step::Retry(_) => "retry",
            Step::Undo(_) => "undo",
            Step::Patch(_) => "patch",
        }
    }

    /// When it is taken.
    #[must_use]
    pub fn when(&self) -> When {
        let (at, after, plus) = match self {
            Step::Abort(when) | Step::Retry(when) => return when.clone(),
            Step::Release(step) => (step.at, step.after, step.plus),
            Step::Promote(step) => (step.at, step.after, step.plus),
            Step::Undo(step) => (step.at, step.after, step.plus),
            Step::Patch(step) => (step.at, step.after, step.plus),
        };
        When { at, after, plus }
    }
}

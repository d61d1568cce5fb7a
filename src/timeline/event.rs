//! The facts a timeline is made of.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::traffic::Second;

/// Time since the run began, kept to the microsecond and written as seconds.
///
/// One clock for everything a reader sees: what the wall said is in [`RunStarted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Instant(Duration);

impl Instant {
    /// The instant this long after the run began.
    #[must_use]
    pub fn after_start(duration: Duration) -> Instant {
        Instant(Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }

    /// How long after the run began.
    #[must_use]
    pub fn since_start(self) -> Duration {
        self.0
    }

    /// How long after `earlier`, zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(duration))
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Microseconds over a million are exact to six digits for any run shorter than 285 years.
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 microseconds")]
        serializer.serialize_f64(self.0.as_micros() as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let duration = Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)?;
        Ok(Instant(Duration::from_micros(
            u64::try_from((duration + Duration::from_nanos(500)).as_micros()).unwrap_or(u64::MAX),
        )))
    }
}

/// A fact with its moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// What.
    pub event: Event,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The run began: the first entry of every timeline.
    Started(RunStarted),
    /// The run entered a stage.
    Stage(Stage),
    /// The harness did something to the rollout: a release, `promote`, `undo` and so on.
    Acted {
        /// Which step of the plan, from zero.
        step: usize,
        /// What it was, in a few words.
        what: String,
        /// The revision it releases, if it is a release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<String>,
    },
    /// The Rollout's status changed.
    Rollout(RolloutSeen),
    /// A Service began to select another revision.
    Switched(Switched),
    /// A router began to send another share of requests to the new revision.
    Weight {
        /// Percent, before.
        from: u32,
        /// Percent, now.
        to: u32,
    },
    /// A `ReplicaSet` was asked for another size.
    Scaled {
        /// Whose.
        revision: String,
        /// Replicas before.
        from: u32,
        /// Replicas now.
        to: u32,
    },
    /// A pod became ready, unready, crashed, or went.
    Pod(PodSeen),
    /// A Service gained or lost ready endpoints.
    Endpoints {
        /// Which Service.
        service: String,
        /// How many ready endpoints it has now.
        ready: u32,
    },
    /// An `AnalysisRun` appeared or changed its phase.
    Analysis(AnalysisSeen),
    /// A measurement was taken.
    Measured(Measured),
    /// A Kubernetes Event: told for the story, never used as evidence.
    Told {
        /// `Kind/name` it is about.
        about: String,
        /// Its reason.
        reason: String,
        /// Its message.
        message: String,
        /// Whether it is a warning.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        warning: bool,
    },
    /// A notification reached a receiver, or tried to.
    Delivered(Delivered),
    /// An object of the policy that this world has no place for was left out.
    LeftOut {
        /// Which object.
        what: String,
    },
    /// The agent's clock was compared with the runner's.
    Clock {
        /// By how many seconds they differ at least.
        skew: f64,
    },
    /// A second of traffic.
    Traffic(Second),
    /// The harness lost sight of something.
    Gap(Gap),
    /// The run ended. A timeline without this entry was cut short.
    Ended {
        /// Why: everything decided, given up, or interrupted.
        why: String,
    },
}

/// What run this is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunStarted {
    /// The scenario's name.
    pub scenario: String,
    /// `twin` or `kube`.
    pub world: String,
    /// The seed of all chance in it.
    pub seed: u64,
    /// The Service that the traffic goes to.
    pub service: String,
    /// What the wall said when the run began, RFC 3339.
    pub time: String,
    /// Versions of everything that took part, by name.
    pub versions: std::collections::BTreeMap<String, String>,
}

/// A stage of a run (design §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Checking that the drill can be run at all.
    Preflight,
    /// Creating the policy's objects with a healthy first revision.
    Install,
    /// Clean traffic on the healthy revision.
    Baseline,
    /// The faulty release is written.
    Release,
    /// Watching until every expectation is decided.
    Watch,
    /// Putting back what was changed.
    Leave,
}

/// The Rollout's status, as far as a drill cares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RolloutSeen {
    /// Its phase.
    pub phase: String,
    /// Its message.
    pub message: String,
    /// `status.abort`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
    /// The reason of the Progressing condition, where the abort shows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub progressing: String,
    /// The revision the spec asks for.
    pub current: String,
    /// The revision taken for good.
    pub stable: String,
    /// The revision the active Service selects, as the status tells.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub active: String,
    /// The revision the preview Service selects, as the status tells.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preview: String,
    /// The canary step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<String>,
    /// Whether the pause is a step with a duration, which ends by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub counting_down: bool,
}

/// A Service and the revision it selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Switched {
    /// Which Service.
    pub service: String,
    /// The revision it selected, empty when it selected by its own labels alone.
    pub from: String,
    /// The revision it selects now.
    pub to: String,
}

/// A pod, when something about it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PodSeen {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: String,
    /// Whether it is ready.
    pub ready: bool,
    /// How often its container was restarted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// Why it waits, `CrashLoopBackOff` for instance.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub waiting: String,
    /// Whether it is going or gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub going: bool,
    /// Whether its process runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub running: bool,
}

/// An `AnalysisRun`, when it appeared or changed its phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AnalysisSeen {
    /// Its name.
    pub name: String,
    /// Its `rollout-type` label: `PrePromotion`, `PostPromotion`, `Step`, `Background`.
    pub kind: String,
    /// The revision it judges.
    pub revision: String,
    /// Its phase, empty before the first reconcile.
    pub phase: String,
    /// Its message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Measured {
    /// The `AnalysisRun`.
    pub run: String,
    /// The revision it judges.
    pub revision: String,
    /// The metric.
    pub metric: String,
    /// How many were taken before it.
    pub nth: u64,
    /// Its phase.
    pub phase: String,
    /// Its value, as the controller wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Its message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Whether it only pretends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// A notification at a receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Delivered {
    /// How many reached the inbox before it.
    pub nth: u64,
    /// The notification service: `slack`, or the webhook's name.
    pub by: String,
    /// The channel, or the path.
    pub to: String,
    /// The trigger, where the world knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// What the receiver answered; 0 when it did not.
    pub status: u16,
    /// The text or body.
    pub body: String,
    /// Whether this is the harness knocking to prove that the receiver is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub knock: bool,
}

/// Something the harness could not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Gap {
    /// What it lost sight of.
    pub of: String,
    /// What happened.
    pub why: String,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

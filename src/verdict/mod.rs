//! Turns facts into held, broken or undecided, and those into a verdict.
//!
//! Pure: (plan, timeline) in, verdict out; a saved run judges again to the same bytes. A verdict is data, never an
//! error: every way in which a rollback can fail to happen has its place here, including *the harness lost sight of
//! it*, which is undecided and never broken.

mod agreement;
pub mod fault;
mod guards;
mod harm;
mod judge;
pub mod moments;
mod pages;

use serde::{Deserialize, Serialize};

pub use self::agreement::{Agreement, Pair, agreement};
pub use self::guards::ControlOutcome;
pub use self::harm::{Count, Harm};
pub use self::judge::{Judge, judge};
pub(crate) use self::judge::{percent, seconds};
pub use self::moments::{Cast, Moments};
pub use self::pages::PAGES;
use crate::timeline::Instant;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Every expectation held, and nothing makes that worthless.
    Pass,
    /// An expectation is broken.
    Fail,
    /// There is not enough evidence to say either.
    Inconclusive,
    /// The harness or the world broke.
    Error,
}

impl Outcome {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "PASS",
            Outcome::Fail => "FAIL",
            Outcome::Inconclusive => "INCONCLUSIVE",
            Outcome::Error => "ERROR",
        }
    }
}

/// What became of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It happened as expected.
    Held,
    /// It did not.
    Broken,
    /// Nobody can tell.
    Undecided,
}

impl State {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Held => "held",
            State::Broken => "broken",
            State::Undecided => "undecided",
        }
    }
}

/// One expectation, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Judged {
    /// Its name in the scenario, `detected` for instance.
    pub id: String,
    /// What was expected, in one line.
    pub expected: String,
    /// What became of it.
    pub state: State,
    /// What was seen, in one line.
    pub seen: String,
}

/// Why a verdict is not a PASS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reason {
    /// The code `firedrill explain` knows.
    pub code: String,
    /// One sentence.
    pub sentence: String,
}

/// A moment that came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MomentSeen {
    /// Its name.
    pub name: String,
    /// When it first came.
    pub at: Instant,
}

/// What the users suffered since the release was applied: exact counts by the client that sent the requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Blast {
    /// Requests.
    pub sent: u64,
    /// Harmed ones.
    pub harmed: u64,
    /// Their share.
    pub share: f64,
    /// The longest unbroken run of harmed requests.
    pub longest_run: u64,
    /// The largest share of one second's requests that the new revision answered.
    pub exposed: f64,
    /// By revision; the empty name for "nobody answered".
    pub by: Vec<BlastOf>,
}

/// One revision's part in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BlastOf {
    /// Which revision.
    pub revision: String,
    /// Requests it answered.
    pub sent: u64,
    /// Harmed ones.
    pub harmed: u64,
}

/// The verdict on a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Verdict {
    /// The scenario's name.
    pub scenario: String,
    /// What it teaches.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The requirements it is evidence for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// `twin` or `kube`.
    pub world: String,
    /// The seed of the run.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not a PASS, most important first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Every expectation.
    pub expectations: Vec<Judged>,
    /// The moments that came, in order.
    pub moments: Vec<MomentSeen>,
    /// What the users suffered.
    pub blast: Blast,
    /// The control beside it.
    pub control: ControlOutcome,
    /// What the scenario says it documents, if it is not a PASS that it wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documented: Option<Documented>,
    /// How long the run lasted.
    pub lasted: Instant,
}

/// A scenario that documents a defect or a guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Documented {
    /// How it has to end.
    pub outcome: Outcome,
    /// Why.
    pub because: String,
    /// What is not as documented; empty when everything is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
}

impl Verdict {
    /// Whether the scenario ended as its author wanted: a PASS, or exactly the documented defect or guard.
    #[must_use]
    pub fn as_wanted(&self) -> bool {
        match &self.documented {
            Some(documented) => documented.differs.is_empty(),
            None => self.outcome == Outcome::Pass,
        }
    }
}

//! What would count as an answer: the part of the plan that the judge reads.
//!
//! It goes into a run's folder with the timeline, so that a saved run can be judged again without its scenario.

use std::time::Duration;

use fake_app::fault::{Fault, Latency};
use serde::{Deserialize, Serialize};

use super::{Action, Ending, Expectation, Plan, answer};
use crate::scenario::{Anchor, Limit as Allowed, Of};
use crate::verdict::{Cast, Outcome, percent, seconds};

/// Everything the judge has to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Criteria {
    /// The scenario's name.
    pub scenario: String,
    /// What it teaches.
    pub about: String,
    /// The requirements it is evidence for.
    pub covers: Vec<String>,
    /// Who plays whom.
    pub cast: Cast,
    /// What has to happen, and what must not.
    pub expectations: Vec<Criterion>,
    /// The revisions the drill releases, with their faults.
    pub releases: Vec<Release>,
    /// The latency of a healthy server.
    pub healthy_latency: Latency,
    /// The path of every request, which decides whom a fault's cohort harms.
    pub path: String,
    /// The headers of every request, likewise.
    pub headers: Vec<(String, String)>,
    /// Whether the policy has an analysis: then a run without a measurement proves nothing.
    pub analysed: bool,
    /// Whether the policy waits for a person to promote.
    pub leaves_promotion_to_a_person: bool,
    /// The ending that the scenario documents, if it is not a PASS.
    pub documented: Option<DocumentedEnding>,
}

/// A revision the drill releases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// What it calls itself.
    pub revision: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// The ending that a scenario documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DocumentedEnding {
    /// FAIL or INCONCLUSIVE.
    pub outcome: Outcome,
    /// Why, for the reader.
    pub because: String,
    /// With FAIL, the expectations that have to be broken.
    pub broken: Vec<String>,
    /// With INCONCLUSIVE, the guard that has to object.
    pub guard: Option<String>,
}

/// One expectation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Criterion {
    /// Its name, unique within the scenario.
    pub id: String,
    /// In one line.
    pub text: String,
    /// What it says.
    pub what: What,
}

/// What an expectation says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// This moment comes within a window.
    Moment {
        /// Which moment.
        moment: Anchor,
        /// When.
        within: Within,
    },
    /// A notification arrives within a window.
    Notified {
        /// Which notification.
        what: NotifiedWhat,
        /// When.
        within: Within,
    },
    /// This moment never comes.
    Never(Anchor),
    /// The canary gets to this step within a window.
    AtLeast {
        /// Which step, from 0.
        step: u32,
        /// When.
        within: Within,
    },
    /// The canary never gets past this step.
    AtMost(u32),
    /// So much harm and no more.
    Harmed(HarmLimits),
}

/// How much harm is allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HarmLimits {
    /// Requests, or their share.
    pub at_most: Option<Limit>,
    /// Whether the share is of the requests that the new revision answered, and not of all.
    pub of_new: bool,
    /// In a row.
    pub longest_run: Option<u64>,
    /// Share of one second's traffic that reached the new revision.
    pub exposed: Option<f64>,
}

/// A window, counted from a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Within {
    /// The moment it counts from.
    pub after: Anchor,
    /// At the latest so long afterwards.
    pub within: Option<Duration>,
    /// At the earliest so long afterwards.
    pub not_before: Option<Duration>,
    /// How often, in the whole run.
    pub times: Option<Times>,
}

/// How often something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Times {
    /// At least.
    pub least: u64,
    /// At most.
    pub most: u64,
}

/// Which notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NotifiedWhat {
    /// The notification service that has to send it.
    pub by: String,
    /// The trigger that has to cause it.
    pub trigger: Option<String>,
    /// The recipient.
    pub to: Option<String>,
}

/// A limit on harm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// So many requests.
    Count(u64),
    /// Such a share, 0 to 1.
    Share(f64),
}

impl What {
    /// Whether it can only be told at the end, so that nobody waits for it.
    #[must_use]
    pub fn is_trailing(&self) -> bool {
        matches!(self, What::Never(_) | What::AtMost(_) | What::Harmed(_))
    }

    /// Its window, if it has one.
    #[must_use]
    pub fn window(&self) -> Option<&Within> {
        match self {
            What::Moment { within, .. } | What::Notified { within, .. } | What::AtLeast { within, .. } => {
                Some(within)
            }
            What::Never(_) | What::AtMost(_) | What::Harmed(_) => None,
        }
    }

    /// The length of its window, if it has one.
    #[must_use]
    pub fn within(&self) -> Option<Duration> {
        self.window()?.within
    }
}

impl Plan {
    /// What the judge has to know of this plan.
    #[must_use]
    pub fn criteria(&self) -> Criteria {
        let releases = self.steps.iter().filter_map(|step| match &step.action {
            Action::Release { revision, fault, .. } => {
                Some(Release { revision: revision.clone(), fault: (**fault).clone() })
            }
            _ => None,
        });
        Criteria {
            scenario: self.name.clone(),
            about: self.about.clone().unwrap_or_default(),
            covers: self.covers.clone(),
            cast: Cast {
                healthy: HEALTHY.to_owned(),
                active_service: self.active_service.clone(),
                shared_by_pods: self.shared_by_pods,
                hold: self.hold.0,
            },
            expectations: self.expectations.iter().map(criterion).collect(),
            releases: releases.collect(),
            healthy_latency: Latency::healthy(),
            path: self.traffic.path.split('?').next().unwrap_or_default().to_owned(),
            headers: self.traffic.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            analysed: self.analysed,
            leaves_promotion_to_a_person: self.leaves_promotion_to_a_person,
            documented: documented(&self.ending),
        }
    }
}

/// What the first, healthy revision calls itself.
pub const HEALTHY: &str = "v1";

fn documented(ending: &Ending) -> Option<DocumentedEnding> {
    match ending {
        Ending::Pass => None,
        Ending::Fail { broken, because } => Some(DocumentedEnding {
            outcome: Outcome::Fail,
            because: because.clone(),
            broken: broken.clone(),
            guard: None,
        }),
        Ending::Inconclusive { guard, because } => Some(DocumentedEnding {
            outcome: Outcome::Inconclusive,
            because: because.clone(),
            broken: vec![],
            guard: guard.map(|guard| guard.name().to_owned()),
        }),
    }
}

fn criterion(expectation: &Expectation) -> Criterion {
    let within = Within {
        after: expectation.after,
        within: expectation.within.map(|limit| limit.0),
        not_before: (!expectation.not_before.0.is_zero()).then_some(expectation.not_before.0),
        times: (expectation.times.min != 1 || expectation.times.max.is_some())
            .then(|| Times { least: expectation.times.min, most: expectation.times.max.unwrap_or(u64::MAX) }),
    };
    let window = window_text(&within);
    let (what, text) = match &expectation.what {
        answer::What::Moment(moment) => {
            (What::Moment { moment: *moment, within }, format!("{}{window}", moment.name()))
        }
        answer::What::Never(moment) => (What::Never(*moment), format!("never {}", moment.name())),
        answer::What::AtLeast(step) => {
            (What::AtLeast { step: *step, within }, format!("step {step} reached{window}"))
        }
        answer::What::AtMost(step) => (What::AtMost(*step), format!("never past step {step}")),
        answer::What::Notified { by, trigger, to } => {
            let trigger_text = trigger.as_ref().map_or_else(String::new, |trigger| format!(" of {trigger}"));
            let to_text = to.as_ref().map_or_else(String::new, |to| format!(" to {to}"));
            let text = format!("{by} notified{to_text}{trigger_text}{window}");
            (
                What::Notified {
                    what: NotifiedWhat { by: by.clone(), trigger: trigger.clone(), to: to.clone() },
                    within,
                },
                text,
            )
        }
        answer::What::Harmed(harm) => harmed(harm),
    };
    Criterion { id: expectation.id.clone(), text, what }
}

fn harmed(harm: &answer::Harm) -> (What, String) {
    let at_most = harm.at_most.map(|limit| match limit {
        Allowed::Share(share) => Limit::Share(share),
        Allowed::Count(count) => Limit::Count(count),
    });
    let mut parts = vec![];
    match &at_most {
        Some(Limit::Share(share)) if harm.of == Of::New => {
            parts.push(format!("at most {} of the new revision's answers harmed", percent(*share)))
        }
        Some(Limit::Share(share)) => parts.push(format!("at most {} harmed", percent(*share))),
        Some(Limit::Count(count)) => parts.push(format!("at most {count} harmed")),
        None => {}
    }
    parts.extend(harm.longest_run.map(|run| format!("at most {run} harmed in a row")));
    parts.extend(harm.exposed.map(|share| format!("at most {} exposed", percent(share.0))));
    let what = What::Harmed(HarmLimits {
        at_most,
        of_new: harm.of == Of::New,
        longest_run: harm.longest_run.map(u64::from),
        exposed: harm.exposed.map(|share| share.0),
    });
    (what, parts.join(", "))
}

fn window_text(within: &Within) -> String {
    let after = within.after.name();
    let times = match within.times {
        Some(Times { least: 0, most: 0 }) => ", not once".to_owned(),
        Some(Times { least: 1, most: 1 }) => ", exactly once".to_owned(),
        Some(Times { least, most }) if least == most => format!(", exactly {least} times"),
        Some(Times { least, most: u64::MAX }) => format!(", at least {least} times"),
        Some(Times { least, most }) => format!(", {least} to {most} times"),
        None => String::new(),
    };
    let window = match (within.not_before, within.within) {
        (None, None) => format!(" after {after}"),
        (None, Some(limit)) => format!(" within {} of {after}", seconds(limit)),
        (Some(from), None) => format!(" at least {} after {after}", seconds(from)),
        (Some(from), Some(to)) => format!(" {} to {} after {after}", seconds(from), seconds(to)),
    };
    format!("{window}{times}")
}

//! What would count as an answer: expectations with every default filled in, and how the run has to end.

use serde::Serialize;
use serde_json::Value;

use super::Desk;
use super::rollout::Rollout;
use crate::diag::Diagnostic;
use crate::scenario::{
    self, Anchor, At, Duration, Guard, Limit, Notified, Of, Outcome, Scenario, Share, Times, ids,
};
use crate::suggest::nearest;

/// One expectation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Expectation {
    /// Its name in reports.
    pub id: String,
    /// What has to happen, or must not.
    pub what: What,
    /// The moment its window is counted from.
    pub after: Anchor,
    /// At the earliest so long afterwards.
    pub not_before: Duration,
    /// At the latest so long afterwards; `None` waits until the run gives up.
    pub within: Option<Duration>,
    /// How often in the whole run.
    pub times: Times,
    /// The line of the scenario it was written on, counted from 1.
    pub line: usize,
}

/// What has to happen, or must not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// This moment comes.
    Moment(Anchor),
    /// This moment never comes.
    Never(Anchor),
    /// The canary gets to this step.
    AtLeast(u32),
    /// The canary never gets past this step.
    AtMost(u32),
    /// A notification arrives.
    #[serde(rename_all = "kebab-case")]
    Notified {
        /// The notification service that sends it.
        by: String,
        /// The trigger that causes it; any, unless it is named.
        trigger: Option<String>,
        /// The recipient; any, unless it is named.
        to: Option<String>,
    },
    /// No more harm than this is done.
    Harmed(Harm),
}

/// How much harm is allowed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Harm {
    /// So many requests, or such a share.
    pub at_most: Option<Limit>,
    /// What the share is of.
    pub of: Of,
    /// So many in a row.
    pub longest_run: Option<u32>,
    /// Such a share of a second's traffic on the new revision.
    pub exposed: Option<Share>,
}

/// How the run has to end.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// All expectations held.
    Pass,
    /// Exactly these broken.
    #[serde(rename_all = "kebab-case")]
    Fail {
        /// The ids of the expectations.
        broken: Vec<String>,
        /// Why, for the reader.
        because: String,
    },
    /// This guard objecting.
    #[serde(rename_all = "kebab-case")]
    Inconclusive {
        /// Which.
        guard: Option<Guard>,
        /// Why, for the reader.
        because: String,
    },
}

pub(super) fn ending(scenario: &Scenario) -> Ending {
    let because = scenario.because.as_ref().map(|because| because.value.clone()).unwrap_or_default();
    match *scenario.outcome {
        Outcome::Pass => Ending::Pass,
        Outcome::Fail => {
            Ending::Fail { broken: scenario.broken.iter().map(|id| id.value.clone()).collect(), because }
        }
        Outcome::Inconclusive => {
            Ending::Inconclusive { guard: scenario.guard.map(|guard| guard.value), because }
        }
    }
}

const AT_LEAST_ONCE: Times = Times { min: 1, max: None };

impl Desk<'_> {
    /// All expectations, resolved; `receivers` are the notification services the policy has.
    pub(super) fn expectations(&mut self, receivers: &[String]) -> Vec<Expectation> {
        let scenario = self.scenario;
        for expectation in &scenario.expect {
            if let scenario::Expectation::Notified(notified) = &expectation.value {
                self.receiver(notified, receivers);
            }
        }
        let ids = ids(&scenario.expect);
        scenario.expect.iter().zip(ids).map(|(written, id)| self.expectation(written, id)).collect()
    }

    fn expectation(&self, written: &At<scenario::Expectation>, id: String) -> Expectation {
        let line = self.source.text[..written.place.start].matches('\n').count() + 1;
        let blank = |what: What, after: Anchor, times: Times| Expectation {
            id,
            what,
            after,
            not_before: Duration::default(),
            within: None,
            times,
            line,
        };
        let value = |duration: Option<At<Duration>>| duration.map(|duration| duration.value);
        match &written.value {
            scenario::Expectation::Harmed(harmed) => {
                let harm = Harm {
                    at_most: harmed.at_most.map(|limit| limit.value),
                    of: harmed.of,
                    longest_run: harmed.longest_run.map(|run| run.value),
                    exposed: harmed.exposed.map(|share| share.value),
                };
                blank(What::Harmed(harm), Anchor::Applied, AT_LEAST_ONCE)
            }
            scenario::Expectation::Never(moment) => {
                blank(What::Never(*moment), Anchor::Applied, Times { min: 0, max: Some(0) })
            }
            scenario::Expectation::Step(step) => {
                let (what, times) = match (step.at_least, step.at_most) {
                    (_, Some(most)) => (What::AtMost(most.value), Times { min: 0, max: Some(0) }),
                    (least, None) => (What::AtLeast(least.map_or(0, |least| least.value)), AT_LEAST_ONCE),
                };
                let after = step.after.map_or(Anchor::Applied, |after| after.value);
                Expectation {
                    not_before: value(step.not_before).unwrap_or_default(),
                    within: value(step.within),
                    ..blank(what, after, times)
                }
            }
            scenario::Expectation::Notified(n) => {
                let text = |text: &Option<At<String>>| text.as_ref().map(|text| text.value.clone());
                let what =
                    What::Notified { by: bare(&n.by).to_owned(), trigger: text(&n.trigger), to: text(&n.to) };
                let times = n.times.map_or(AT_LEAST_ONCE, |times| times.value);
                let after = n.after.map_or_else(|| self.usual(None), |after| after.value);
                Expectation {
                    not_before: value(n.not_before).unwrap_or_default(),
                    within: value(n.within),
                    ..blank(what, after, times)
                }
            }
            other => {
                let (moment, window) = other.moment().expect("every other kind is about a moment");
                let times = window.times.map_or(AT_LEAST_ONCE, |times| times.value);
                let after = window.after.map_or_else(|| self.usual(Some(moment)), |after| after.value);
                Expectation {
                    not_before: value(window.not_before).unwrap_or_default(),
                    within: value(window.within),
                    ..blank(What::Moment(moment), after, times)
                }
            }
        }
    }

    /// What a window is counted from when nobody says: the onset, where there can be one.
    fn usual(&self, moment: Option<Anchor>) -> Anchor {
        let no_onset = matches!(moment, Some(Anchor::Promoted | Anchor::Paused));
        if no_onset || !self.scenario.release.faulty() { Anchor::Applied } else { Anchor::Onset }
    }

    /// Expectations about steps need steps, and as many; a patch may bring others.
    pub(super) fn reachable(&mut self, rollout: &Rollout<'_>) {
        let steps = rollout.strategy_field("/steps").and_then(Value::as_array).map_or(0, Vec::len);
        let scenario = self.scenario;
        if scenario.release.steps.iter().any(|step| matches!(step.value, scenario::Step::Patch(_))) {
            return;
        }
        for expectation in &scenario.expect {
            let scenario::Expectation::Step(step) = &expectation.value else { continue };
            let Some(asked) = step.at_least.or(step.at_most) else { continue };
            let index = usize::try_from(asked.value).unwrap_or(usize::MAX);
            // Nothing is past the end, so a bound there bounds nothing.
            if index < steps || (index == steps && steps > 0 && step.at_most.is_none()) {
                continue;
            }
            let title = match steps {
                0 => "the strategy has no steps".to_owned(),
                _ => format!("the canary has {steps} steps, 0 to {}", steps - 1),
            };
            let diagnostic =
                Diagnostic::error("no-step", title).at(self.span(asked.place), "not one of them");
            let diagnostic = diagnostic.and_at(rollout.manifest.span.clone(), "this Rollout");
            self.report(
                diagnostic.help("steps are counted from 0; `at-least` may also name the end of the last"),
            );
        }
    }

    fn receiver(&mut self, notified: &Notified, receivers: &[String]) {
        let by = bare(&notified.by);
        if receivers.iter().any(|receiver| receiver == by) {
            return;
        }
        let title = format!("the policy has no notification service `{by}`");
        let diagnostic =
            Diagnostic::error("no-receiver", title).at(self.span(notified.by.place), "nobody sends this");
        self.report(diagnostic.help(match nearest(by, receivers.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if receivers.is_empty() => {
                "add a `service.slack` or `service.webhook.<name>` to the ConfigMap `argo-rollouts-notification-configmap`".into()
            }
            None => format!("it has: {}", receivers.join(", ")),
        }));
    }
}

/// `webhook.hook` and `hook` are the same service: subscriptions use the short form.
fn bare(by: &str) -> &str {
    by.strip_prefix("service.").unwrap_or(by).rsplit('.').next().unwrap_or(by)
}

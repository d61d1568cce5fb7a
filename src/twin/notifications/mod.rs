//! The notification engine: which event or change is told to whom, and with which request.
//!
//! Two paths, as upstream. Path A ([`on_event`]): the recorder turns an event's reason into a trigger and sends at
//! once, inside the reconcile, rendering the object as it was *before* the change. Path B ([`Watch`]): a controller of
//! its own looks at every new state of a Rollout and evaluates triggers with a `when`. Requests are only composed
//! here; the kernel plays them against receivers and asks [`RetryPolicy`] what follows from the answers.
//!
//! Not emulated, and said so: services other than webhook and slack, Slack threads, self-service namespaces.
//! Upstream: `utils/record/record.go` of Argo Rollouts v1.9.1 and notifications-engine v0.5.0; spec 6.3 to 6.6.

mod date;
mod functions;
mod json;
mod ledger;
mod names;
mod render;
mod retry;
mod slack;
mod vars;
mod watch;
mod webhook;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::ledger::Entry;
pub use self::retry::{Next, Reply, RetryPolicy, Sending};
pub use self::vars::variables;
pub use self::watch::{Notice, Watch};

use self::render::Templates;
use super::store::{Key, Kind, Object, Store};
use crate::argo::notification::{
    self, CONFIG_MAP, Condition, Config, Destination, SECRET, Service, destinations,
};
use crate::clock::Moment;

/// How the conditions of triggers are evaluated. The value is the environment: `rollout`, `analysisRuns`.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    /// Whether an expression can be compiled; one that cannot spoils the whole configuration.
    pub compile: fn(&str) -> Result<(), String>,
    /// Evaluates `when`.
    pub when: fn(&str, &Value, Moment) -> Result<bool, String>,
    /// Evaluates `oncePer`, as text.
    pub once_per: fn(&str, &Value, Moment) -> Result<String, String>,
}

/// A configuration that is ready to be used.
#[derive(Debug)]
pub struct Engine {
    /// What was configured.
    pub config: Config,
    templates: Templates,
    language: Language,
}

/// A request to a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// The kinds of services that are emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ServiceKind {
    Webhook,
    Slack,
}

/// One notification on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The service, by the name subscriptions use.
    pub service: String,
    /// What kind of service it is.
    pub kind: ServiceKind,
    /// A channel for instance; empty for a webhook.
    pub recipient: String,
    /// Why it is sent.
    pub trigger: String,
    /// What was rendered.
    pub templates: Vec<String>,
    /// The request.
    pub request: HttpRequest,
    /// What to do when it fails.
    pub retry: RetryPolicy,
}

/// A notification that was wanted and cannot be sent. The controller logs it and goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Problem {
    /// The service, if it got that far.
    pub service: String,
    /// The recipient.
    pub recipient: String,
    /// Why it would have been sent.
    pub trigger: String,
    /// The error, in upstream's words where it has some.
    pub why: String,
}

impl Engine {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// The first template or condition that cannot be compiled: as upstream, nothing is sent at all then.
    pub fn new(config: Config, language: Language) -> Result<Engine, String> {
        let templates = Templates::compile(&config)?;
        for (name, conditions) in &config.triggers {
            for text in conditions.iter().flat_map(|condition| [&condition.when, &condition.once_per]) {
                if !text.is_empty() {
                    (language.compile)(text).map_err(|error| format!("trigger.{name}: {error}"))?;
                }
            }
        }
        Ok(Engine { config, templates, language })
    }

    /// The versions of what [`Engine::load`] would read: while they stay, so does the engine.
    #[must_use]
    pub fn version(store: &Store, namespace: &str) -> String {
        let version = |kind, name| {
            let object = store.get(&Key::new(kind, namespace, name));
            object.map_or("", |object| crate::twin::store::text_at(object, "/metadata/resourceVersion"))
        };
        format!("{}/{}", version(Kind::ConfigMap, CONFIG_MAP), version(Kind::Secret, SECRET))
    }

    /// Reads the configuration the controller in `namespace` would use; `None` when there is no ConfigMap.
    ///
    /// # Errors
    /// As [`Config::parse`] and [`Engine::new`].
    pub fn load(store: &Store, namespace: &str, language: Language) -> Result<Option<Engine>, String> {
        let Some(config_map) = store.get(&Key::new(Kind::ConfigMap, namespace, CONFIG_MAP)) else {
            return Ok(None);
        };
        let secret = store.get(&Key::new(Kind::Secret, namespace, SECRET));
        let config = notification::Config::parse(config_map, secret.map(|secret| &**secret))?;
        Engine::new(config, language).map(Some)
    }

    /// Composes one notification.
    fn compose(
        &self,
        vars: &Value,
        trigger: &str,
        condition: &Condition,
        to: &Destination,
        now: Moment,
    ) -> Result<Delivery, String> {
        let unsupported = || format!("notification service '{}' is not supported", to.service);
        let service = self.config.services.get(&to.service).ok_or_else(unsupported)?;
        let message = self.templates.render(&condition.send, vars, to, &self.config.secrets.0, now)?;
        let (kind, request, retry) = match service {
            Service::Webhook(hook) => {
                let request = webhook::request(hook, &to.service, &message);
                (ServiceKind::Webhook, request, RetryPolicy::webhook(hook))
            }
            Service::Slack(slack) => {
                (ServiceKind::Slack, slack::request(slack, &to.recipient, &message)?, RetryPolicy::Slack)
            }
            Service::Unsupported(kind) => {
                return Err(format!(
                    "notification service '{}' of type '{kind}' is not emulated",
                    to.service
                ));
            }
        };
        Ok(Delivery {
            service: to.service.clone(),
            kind,
            recipient: to.recipient.clone(),
            trigger: trigger.to_owned(),
            templates: condition.send.clone(),
            request,
            retry,
        })
    }
}

/// The trigger an event fires: `RolloutAborted` fires `on-rollout-aborted` (upstream `translateReasonToTrigger`).
#[must_use]
pub fn trigger_of(reason: &str) -> String {
    // (.)([A-Z][a-z]+) and then ([a-z0-9])([A-Z]), each pair joined by a hyphen.
    let words = split_before(reason, |_, next, after| {
        next.is_ascii_uppercase() && after.is_some_and(|c| c.is_ascii_lowercase())
    });
    let words = split_before(&words, |last, next, _| {
        next.is_ascii_uppercase() && (last.is_ascii_lowercase() || last.is_ascii_digit())
    });
    format!("on-{}", words.to_lowercase())
}

fn split_before(text: &str, border: impl Fn(char, char, Option<char>) -> bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut split = String::with_capacity(text.len() + 8);
    for (index, c) in chars.iter().enumerate() {
        if index > 0 && border(chars[index - 1], *c, chars.get(index + 1).copied()) {
            split.push('-');
        }
        split.push(*c);
    }
    split
}

/// Path A: what an event makes the controller send, in order. `regarding` is the object as the controller saw it.
#[must_use]
pub fn on_event(
    engine: &Engine,
    store: &Store,
    now: Moment,
    regarding: &Object,
    kind: Kind,
    reason: &str,
) -> Vec<Result<Delivery, Problem>> {
    let trigger = trigger_of(reason);
    let Some(to) = destinations(&engine.config, regarding).remove(&trigger) else { return vec![] };
    let vars = variables(store, regarding, kind);
    to.iter().flat_map(|to| engine.fire(&trigger, &vars, to, now)).collect()
}

impl Engine {
    /// Every entry of a trigger that fires for one destination. An entry without `when` fires on every event.
    fn fire(
        &self,
        trigger: &str,
        vars: &Value,
        to: &Destination,
        now: Moment,
    ) -> Vec<Result<Delivery, Problem>> {
        let problem = |why| problem(trigger, to, why);
        let Some(conditions) = self.config.triggers.get(trigger) else {
            return vec![Err(problem(format!("trigger '{trigger}' is not configured")))];
        };
        let fires = |condition: &&Condition| {
            condition.when.is_empty() || (self.language.when)(&condition.when, vars, now).unwrap_or(false)
        };
        let firing = conditions.iter().filter(fires);
        firing.map(|condition| self.compose(vars, trigger, condition, to, now).map_err(problem)).collect()
    }
}

fn problem(trigger: &str, to: &Destination, why: String) -> Problem {
    Problem { service: to.service.clone(), recipient: to.recipient.clone(), trigger: trigger.to_owned(), why }
}

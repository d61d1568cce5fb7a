//! The configuration of Argo's notifications: services, templates, triggers and subscriptions.
//!
//! Read from the ConfigMap `argo-rollouts-notification-configmap` and the Secret `argo-rollouts-notification-secret`.
//! As upstream, one mistake anywhere makes the whole configuration unusable and nobody is notified of anything.
//! Services that are not emulated are kept and named by [`Config::unsupported`], never dropped.
//!
//! Upstream: `pkg/api/config.go` of notifications-engine v0.5.0; spec 6.4 and 6.5.

mod selector;
mod subscription;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::selector::Selector;
pub use self::subscription::{Destination, destinations};
use crate::base64;

/// The ConfigMap with everything but secrets.
pub const CONFIG_MAP: &str = "argo-rollouts-notification-configmap";
/// The Secret whose keys replace `$key` in service definitions.
pub const SECRET: &str = "argo-rollouts-notification-secret";

/// Everything the engine knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Services by the name that subscriptions use.
    pub services: BTreeMap<String, Service>,
    /// Templates by name.
    pub templates: BTreeMap<String, Template>,
    /// Triggers by name.
    pub triggers: BTreeMap<String, Vec<Condition>>,
    /// Subscriptions of everybody.
    pub subscriptions: Vec<Subscription>,
    /// Triggers of a subscription that names none.
    pub default_triggers: Vec<String>,
    /// The same for one service.
    pub service_default_triggers: BTreeMap<String, Vec<String>>,
    /// The Secret, as templates see it.
    pub secrets: Secrets,
}

/// The keys of the Secret. What is printed for debugging shows their names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(pub BTreeMap<String, Vec<u8>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Where a notification can go.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// Any HTTP endpoint.
    Webhook(Webhook),
    /// Slack, or something that speaks its API.
    Slack(Slack),
    /// A service of Argo's that is not emulated, by type.
    Unsupported(String),
}

/// A webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Where to send to.
    pub url: String,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// User name and password.
    pub basic_auth: Option<(String, String)>,
    /// How many times a request is repeated.
    pub retry_max: u32,
    /// The first wait; it doubles.
    pub retry_wait_min: Duration,
    /// The longest wait.
    pub retry_wait_max: Duration,
}

/// A Slack workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Slack {
    /// The bot's token.
    pub token: String,
    /// The name to post under.
    pub username: String,
    /// `:emoji:` or address of an image to post under.
    pub icon: String,
    /// Base address of the API, with a slash at its end.
    #[serde(rename = "apiURL")]
    pub api_url: String,
    /// Do not expand links.
    pub disable_unfurl: bool,
}

/// What to say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Template {
    /// The text, for every service.
    pub message: String,
    /// What Slack gets besides.
    pub slack: Option<SlackTemplate>,
    /// What webhooks get instead, by service name.
    pub webhook: BTreeMap<String, WebhookTemplate>,
    /// Parts for services that are not emulated.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// What a webhook gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookTemplate {
    /// The method, `GET` when empty.
    pub method: String,
    /// The body.
    pub body: String,
    /// What is appended to the address of the service.
    pub path: String,
}

/// What Slack gets besides the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SlackTemplate {
    /// The name to post under.
    pub username: String,
    /// `:emoji:` or address of an image.
    pub icon: String,
    /// A JSON list of attachments.
    pub attachments: String,
    /// A JSON list of blocks.
    pub blocks: String,
    /// Messages with the same key form a thread. Rendered, but every message is a post of its own here.
    pub grouping_key: String,
    /// Show a reply in the channel too.
    pub notify_broadcast: bool,
    /// `Post`, `PostAndUpdate` or `Update`.
    pub delivery_policy: String,
}

/// One entry of a trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// When it fires; empty means on every event, and never on a mere change.
    pub when: String,
    /// Fires once per value of this expression.
    pub once_per: String,
    /// For people.
    pub description: String,
    /// Templates to send.
    pub send: Vec<String>,
}

/// A subscription for every object that matches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subscription {
    /// `service:recipient`.
    pub recipients: Vec<String>,
    /// Triggers; the default ones when empty.
    pub triggers: Vec<String>,
    /// Which objects.
    pub selector: Selector,
}

impl Config {
    /// Reads the configuration from the ConfigMap and, if there is one, the Secret.
    ///
    /// # Errors
    /// The first mistake, in a sentence that names the key it is in.
    pub fn parse(config_map: &Value, secret: Option<&Value>) -> Result<Config, String> {
        let mut config = Config { secrets: secrets(secret)?, ..Config::default() };
        let data = config_map.get("data").and_then(Value::as_object);
        for (key, value) in data.into_iter().flatten() {
            let text = value.as_str().ok_or_else(|| format!("{key}: not a text"))?;
            config.add(key, text)?;
        }
        Ok(config)
    }

    fn add(&mut self, key: &str, text: &str) -> Result<(), String> {
        match key.split_once('.') {
            None if key == "subscriptions" => {
                let raw: Vec<RawSubscription> = yaml(key, text)?;
                self.subscriptions = raw.into_iter().map(RawSubscription::read).collect::<Result<_, _>>()?;
            }
            None if key == "defaultTriggers" => self.default_triggers = yaml(key, text)?,
            Some(("defaultTriggers", name)) => {
                self.service_default_triggers.insert(name.to_owned(), yaml(key, text)?);
            }
            Some(("template", name)) => {
                self.templates.insert(name.to_owned(), yaml(key, text)?);
            }
            Some(("trigger", name)) => {
                self.triggers.insert(name.to_owned(), yaml(key, text)?);
            }
            Some(("service", rest)) => {
                let (kind, name) = match rest.split('.').collect::<Vec<_>>()[..] {
                    [kind] => (kind, kind),
                    [kind, name] => (kind, name),
                    _ => {
                        let expected = "expected 'service.<type>(.<name>)'";
                        return Err(format!("invalid service key; {expected} but got '{key}'"));
                    }
                };
                let mut options: Value = yaml(key, text)?;
                fill_secrets(&mut options, &self.secrets.0);
                self.services.insert(name.to_owned(), service(kind, key, options)?);
            }
            // `context` and whatever else lies in the ConfigMap is not the engine's.
            _ => {}
        }
        Ok(())
    }

    /// What is configured and not emulated: the key of the ConfigMap, and a sentence.
    #[must_use]
    pub fn unsupported(&self) -> Vec<(String, String)> {
        let mut found = vec![];
        for (name, service) in &self.services {
            if let Service::Unsupported(kind) = service {
                let key =
                    if name == kind { format!("service.{kind}") } else { format!("service.{kind}.{name}") };
                found.push((
                    key,
                    format!("the notification service `{kind}` is not emulated; webhook and slack are"),
                ));
            }
        }
        for (name, template) in &self.templates {
            let threads = template.slack.as_ref().is_some_and(|slack| {
                !slack.grouping_key.is_empty() || !matches!(slack.delivery_policy.as_str(), "" | "Post")
            });
            if threads {
                let sentence = "Slack threads are not emulated: every message is a post of its own";
                found.push((format!("template.{name}"), sentence.to_owned()));
            }
        }
        found
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawSubscription {
    recipients: Vec<String>,
    triggers: Vec<String>,
    selector: String,
}

impl RawSubscription {
    fn read(self) -> Result<Subscription, String> {
        let selector = Selector::parse(&self.selector).map_err(|error| format!("subscriptions: {error}"))?;
        Ok(Subscription { recipients: self.recipients, triggers: self.triggers, selector })
    }
}

fn yaml<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| format!("{key}: {error}"))?;
    serde_json::from_value(prune(value)).map_err(|error| format!("{key}: {error}"))
}

/// `null` is absent, as it is for a Go struct.
fn prune(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.into_iter().filter(|(_, value)| !value.is_null());
            fields.map(|(key, value)| (key, prune(value))).collect()
        }
        value => value,
    }
}

fn secrets(secret: Option<&Value>) -> Result<Secrets, String> {
    let part = |name: &str| secret.and_then(|secret| secret.get(name)).and_then(Value::as_object);
    let mut all = BTreeMap::new();
    for (key, value) in part("data").into_iter().flatten() {
        let text = value.as_str().unwrap_or("");
        let bytes = base64::decode(text).ok_or_else(|| format!("{SECRET}: {key} is not base64"))?;
        all.insert(key.clone(), bytes);
    }
    for (key, value) in part("stringData").into_iter().flatten() {
        all.insert(key.clone(), value.as_str().unwrap_or("").as_bytes().to_vec());
    }
    Ok(Secrets(all))
}

/// Replaces `$key` in every text by the value of that key; a key nobody knows stays as it is.
fn fill_secrets(value: &mut Value, secrets: &BTreeMap<String, Vec<u8>>) {
    match value {
        Value::String(text) => *text = fill_text(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| fill_secrets(item, secrets)),
        Value::Object(map) => map.values_mut().for_each(|item| fill_secrets(item, secrets)),
        _ => {}
    }
}

fn fill_text(text: &str, secrets: &BTreeMap<String, Vec<u8>>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let part_of_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let end = after.find(|c| !part_of_key(c)).unwrap_or(after.len());
        let (key, tail) = after.split_at(end);
        match secrets.get(key).filter(|_| !key.is_empty()) {
            Some(value) => filled.push_str(&String::from_utf8_lossy(value)),
            None => filled.push_str(&format!("${key}")),
        }
        rest = tail;
    }
    filled + rest
}

/// The types that `NewService` in `pkg/services/services.go` knows besides the two emulated ones.
const OTHER_SERVICES: [&str; 16] = [
    "alertmanager",
    "awssqs",
    "email",
    "github",
    "googlechat",
    "grafana",
    "mattermost",
    "newrelic",
    "opsgenie",
    "pagerduty",
    "pagerdutyv2",
    "pushover",
    "rocketchat",
    "teams",
    "telegram",
    "webex",
];

fn service(kind: &str, key: &str, options: Value) -> Result<Service, String> {
    let options = prune(if options.is_null() { Value::Object(serde_json::Map::new()) } else { options });
    let read = |error: serde_json::Error| format!("{key}: {error}");
    match kind {
        "slack" => serde_json::from_value(options).map(Service::Slack).map_err(read),
        "webhook" => {
            serde_json::from_value(options).map(RawWebhook::read).map(Service::Webhook).map_err(read)
        }
        kind if OTHER_SERVICES.contains(&kind) => Ok(Service::Unsupported(kind.to_owned())),
        kind => Err(format!("service type '{kind}' is not supported")),
    }
}

/// Waits are Go durations in JSON, so whole nanoseconds; `1s` is refused by the controller as well.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawWebhook {
    url: String,
    headers: Vec<RawHeader>,
    basic_auth: Option<RawBasicAuth>,
    retry_wait_min: u64,
    retry_wait_max: u64,
    retry_max: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawHeader {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawBasicAuth {
    username: String,
    password: String,
}

impl RawWebhook {
    fn read(self) -> Webhook {
        let wait = |nanos: u64, seconds| {
            if nanos == 0 { Duration::from_secs(seconds) } else { Duration::from_nanos(nanos) }
        };
        Webhook {
            url: self.url,
            headers: self.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            basic_auth: self.basic_auth.map(|auth| (auth.username, auth.password)),
            retry_max: if self.retry_max == 0 { 3 } else { self.retry_max },
            retry_wait_min: wait(self.retry_wait_min, 1),
            retry_wait_max: wait(self.retry_wait_max, 5),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(data: Value) -> Result<Config, String> {
        let secret = json!({"data": {"slack-token": "eG94Yg=="}, "stringData": {"pw": "p$w"}});
        Config::parse(&json!({ "data": data }), Some(&secret))
    }

    #[test]
    fn services_get_their_secrets_and_defaults() {
        let config = parse(json!({
            "service.slack": "token: $slack-token\napiURL: http://sink/slack/api/",
            "service.webhook.ok": "url: http://u:$pw@sink/$nobody\nheaders: [{name: a, value: $pw}]",
        }));
        let config = config.unwrap();
        let Service::Slack(slack) = &config.services["slack"] else { panic!("no slack") };
        assert_eq!((slack.token.as_str(), slack.api_url.as_str()), ("xoxb", "http://sink/slack/api/"));
        let Service::Webhook(hook) = &config.services["ok"] else { panic!("no webhook") };
        assert_eq!(hook.url, "http://u:p$w@sink/$nobody");
        assert_eq!(hook.headers, [("a".to_owned(), "p$w".to_owned())]);
        let waits = (hook.retry_max, hook.retry_wait_min.as_secs(), hook.retry_wait_max.as_secs());
        assert_eq!(waits, (3, 1, 5));
    }

    #[test]
    fn one_mistake_spoils_everything() {
        let refused = |data: Value| parse(data).unwrap_err();
        assert!(refused(json!({"template.a": "message: ["})).starts_with("template.a: "));
        assert!(refused(json!({"service.webhook.a.b": ""})).contains("got 'service.webhook.a.b'"));
        assert_eq!(refused(json!({"service.pigeon": "{}"})), "service type 'pigeon' is not supported");
        assert!(refused(json!({"service.webhook.a": "retryWaitMin: 1s"})).starts_with("service.webhook.a: "));
        assert!(refused(json!({"subscriptions": "[{selector: 'a in'}]"})).starts_with("subscriptions: "));
    }

    #[test]
    fn services_that_are_not_emulated_are_named() {
        let config = parse(json!({"service.email.gmail": "host: h", "service.teams": "{}"})).unwrap();
        let keys: Vec<String> = config.unsupported().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["service.email.gmail", "service.teams"]);
    }

    #[test]
    fn triggers_and_templates_are_kept_by_their_whole_name() {
        let config = parse(json!({
            "trigger.on-a": "[{send: [x.y]}]", "template.x.y": "message: hi\nemail: {subject: s}",
            "defaultTriggers": "[on-a]", "defaultTriggers.slack": "[on-b]", "context": "whatever",
        }));
        let config = config.unwrap();
        assert_eq!(config.triggers["on-a"][0].send, ["x.y"]);
        assert_eq!(config.templates["x.y"].message, "hi");
        assert!(config.templates["x.y"].others.contains_key("email"));
        assert_eq!(
            (config.default_triggers[0].as_str(), config.service_default_triggers["slack"][0].as_str()),
            ("on-a", "on-b")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_config_panics(key in "(service|template|trigger|subscriptions|defaultTriggers)(\\.[a-z]{0,3}){0,2}", text in "\\PC*") {
            let mut data = serde_json::Map::new();
            data.insert(key, Value::String(text));
            let _ = parse(Value::Object(data));
        }
    }
}

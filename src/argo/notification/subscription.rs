//! Who hears of what: the subscriptions in an object's annotations and those for everybody.
//!
//! Upstream: `pkg/subscriptions/annotations.go` and `GetGlobalDestinations` of notifications-engine v0.5.0. Upstream
//! walks annotations in random order; here they are in the order of their names. A side effect of that walk, which
//! addresses a service without a name on behalf of unrelated annotations, is left out: it never delivers anything.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Config;

const SUBSCRIBE: &str = "notifications.argoproj.io/subscribe.";
const SUBSCRIPTIONS: &str = "notifications.argoproj.io/subscriptions";

/// Where a notification goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// The service's name.
    pub service: String,
    /// A channel for instance; empty for a webhook.
    pub recipient: String,
}

/// The destinations of an object by trigger: those for everybody first, then its own.
#[must_use]
pub fn destinations(config: &Config, object: &Value) -> BTreeMap<String, Vec<Destination>> {
    let mut all: BTreeMap<String, Vec<Destination>> = BTreeMap::new();
    let mut add = |trigger: &str, destination: Destination| {
        all.entry(trigger.to_owned()).or_default().push(destination);
    };
    global(config, object, &mut add);
    for (trigger, service, recipient) in own(object) {
        let defaults = config.service_default_triggers.get(&service).unwrap_or(&config.default_triggers);
        let named = [trigger.clone()];
        for trigger in if trigger.is_empty() { defaults.as_slice() } else { &named } {
            add(trigger, Destination { service: service.clone(), recipient: recipient.clone() });
        }
    }
    all
}

fn global(config: &Config, object: &Value, add: &mut impl FnMut(&str, Destination)) {
    let labels = texts(object, "/metadata/labels");
    for subscription in config.subscriptions.iter().filter(|known| known.selector.matches(&labels)) {
        let defaults = &config.default_triggers;
        let triggers = if subscription.triggers.is_empty() { defaults } else { &subscription.triggers };
        for (trigger, recipient) in
            triggers.iter().flat_map(|trigger| subscription.recipients.iter().map(move |to| (trigger, to)))
        {
            let mut parts = recipient.split(':').map(str::to_owned);
            let service = parts.next().unwrap_or_default();
            add(trigger, Destination { service, recipient: parts.next().unwrap_or_default() });
        }
    }
}

/// Trigger (empty for the default ones), service and recipient of every annotation that subscribes.
fn own(object: &Value) -> Vec<(String, String, String)> {
    let annotations = texts(object, "/metadata/annotations");
    let found = annotations.iter().flat_map(|(key, value)| {
        if let Some(rest) = key.strip_prefix(SUBSCRIBE) {
            by_key(rest, value)
        } else if key.starts_with(SUBSCRIPTIONS) {
            by_yaml(value)
        } else {
            vec![]
        }
    });
    found.collect()
}

/// `subscribe.<trigger>.<service>` or `subscribe.<service>`; the value is a list of recipients or empty.
fn by_key(rest: &str, value: &str) -> Vec<(String, String, String)> {
    let mut parts = rest.split('.');
    let first = parts.next().unwrap_or("");
    let (trigger, service) = parts.next().map_or(("", first), |service| (first, service));
    let listed = value.split(';').map(str::trim).filter(|recipient| !recipient.is_empty());
    let recipients: Vec<&str> = if value.is_empty() { vec![""] } else { listed.collect() };
    let own = |recipient: &str| (trigger.to_owned(), service.to_owned(), recipient.to_owned());
    recipients.into_iter().map(own).collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    trigger: Option<Vec<String>>,
    destinations: Option<Vec<ListedDestination>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListedDestination {
    service: String,
    recipients: Option<Vec<String>>,
}

/// A YAML list in `notifications.argoproj.io/subscriptions`; what cannot be read subscribes nobody.
fn by_yaml(text: &str) -> Vec<(String, String, String)> {
    let Ok(entries) = serde_saphyr::from_str::<Vec<Listed>>(text) else { return vec![] };
    let mut found = vec![];
    for entry in entries {
        let named = entry.trigger.filter(|triggers| !triggers.is_empty());
        for trigger in named.unwrap_or_else(|| vec![String::new()]) {
            for destination in entry.destinations.iter().flatten() {
                for recipient in destination.recipients.iter().flatten() {
                    found.push((trigger.clone(), destination.service.clone(), recipient.clone()));
                }
            }
        }
    }
    found
}

fn texts<'a>(object: &'a Value, pointer: &str) -> BTreeMap<&'a str, &'a str> {
    let map = object.pointer(pointer).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(data: Value, annotations: Value, expect: &[(&str, &str, &str)]) {
        let config = Config::parse(&json!({ "data": data }), None).unwrap();
        let object = json!({"metadata": {"labels": {"app": "web"}, "annotations": annotations}});
        let all = destinations(&config, &object);
        let found: Vec<(&str, &str, &str)> = all
            .iter()
            .flat_map(|(trigger, to)| {
                to.iter().map(move |to| (trigger.as_str(), to.service.as_str(), to.recipient.as_str()))
            })
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn an_annotation_names_trigger_service_and_recipients() {
        let annotations = json!({
            "notifications.argoproj.io/subscribe.on-a.slack": "one; two;;",
            "notifications.argoproj.io/subscribe.on-a.ok": "",
            "unrelated": "x",
        });
        check(
            json!({}),
            annotations,
            &[("on-a", "ok", ""), ("on-a", "slack", "one"), ("on-a", "slack", "two")],
        );
    }

    #[test]
    fn without_a_trigger_the_default_ones_are_meant() {
        let annotations = json!({"notifications.argoproj.io/subscribe.slack": "c", "notifications.argoproj.io/subscribe..ok": "r"});
        let data = json!({"defaultTriggers": "[on-a, on-b]", "defaultTriggers.slack": "[on-c]"});
        check(data, annotations.clone(), &[("on-a", "ok", "r"), ("on-b", "ok", "r"), ("on-c", "slack", "c")]);
        check(json!({}), annotations, &[]);
    }

    #[test]
    fn a_yaml_list_in_one_annotation() {
        let text = "- trigger: [on-a, on-b]\n  destinations:\n  - service: slack\n    recipients: [x, y]\n- trigger: []\n";
        let annotations = json!({ "notifications.argoproj.io/subscriptions": text });
        let expect =
            [("on-a", "slack", "x"), ("on-a", "slack", "y"), ("on-b", "slack", "x"), ("on-b", "slack", "y")];
        check(json!({}), annotations, &expect);
        check(json!({}), json!({"notifications.argoproj.io/subscriptions": "]"}), &[]);
    }

    #[test]
    fn subscriptions_for_everybody_come_first_and_select_by_label() {
        let data = json!({"subscriptions": "[{recipients: ['slack:all', ok], triggers: [on-a], selector: app=web}, {recipients: ['slack:no'], triggers: [on-a], selector: app=api}]"});
        let annotations = json!({"notifications.argoproj.io/subscribe.on-a.slack": "own"});
        check(data, annotations, &[("on-a", "slack", "all"), ("on-a", "ok", ""), ("on-a", "slack", "own")]);
    }
}

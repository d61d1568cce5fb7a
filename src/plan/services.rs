//! The notification services of a policy: which there are, and how they are pointed at our receiver.
//!
//! The ConfigMap and the names of its keys are those of argoproj/notifications-engine v0.5.0 (`pkg/api/config.go`); the option that
//! carries the address is `apiURL` for Slack and `url` for a webhook (`pkg/services/slack.go`, `webhook.go`). Other kinds of service
//! cannot be received, so they are left alone and listed.

use serde_json::{Map, Value};

use super::objects::{Manifest, text};
use super::rewire::RECEIVER;

/// The ConfigMap that Argo Rollouts reads.
pub(super) const CONFIG_MAP: &str = "argo-rollouts-notification-configmap";

/// A `service.<kind>[.<name>]` key.
pub(super) struct Key<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
}

pub(super) fn key(key: &str) -> Option<Key<'_>> {
    let rest = key.strip_prefix("service.")?;
    let (kind, name) = rest.split_once('.').unwrap_or((rest, rest));
    Some(Key { kind, name })
}

fn is_config(manifest: &Manifest) -> bool {
    manifest.kind() == "ConfigMap" && manifest.name() == CONFIG_MAP
}

/// The services that can be received, by the name that subscriptions use.
pub(super) fn names(manifests: &[Manifest]) -> Vec<String> {
    let data = manifests.iter().filter(|m| is_config(m)).filter_map(|m| m.object["data"].as_object());
    let keys = data.flat_map(Map::keys).filter_map(|name| key(name));
    keys.filter(|key| address(key).is_some()).map(|key| key.name.to_owned()).collect()
}

/// The option that holds a service's address.
fn address(key: &Key<'_>) -> Option<&'static str> {
    match key.kind {
        "slack" => Some("apiURL"),
        "webhook" => Some("url"),
        _ => None,
    }
}

/// Points every service that can be received at the receiver, and says what was done.
pub(super) fn redirect(manifest: &Manifest, object: &mut Value, changes: &mut Vec<String>) {
    if !is_config(manifest) {
        return;
    }
    let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) else { return };
    for (name, value) in data {
        let Some(key) = key(name) else { continue };
        let Some(option) = address(&key) else {
            changes.push(format!("{CONFIG_MAP}: `{name}` cannot be received, left as it is"));
            continue;
        };
        // A text that is no mapping is the policy's own mistake, which the notifier has to meet as written.
        let Ok(Value::Object(mut options)) =
            serde_saphyr::from_str::<Value>(value.as_str().unwrap_or_default())
        else {
            continue;
        };
        // Slack's client appends the method's name to the address as it is, hence the slash.
        let slash = if key.kind == "slack" { "/" } else { "" };
        options.insert(option.into(), format!("{RECEIVER}/{}{slash}", key.name).into());
        if key.kind == "slack" && text(&Value::Object(options.clone()), "/token").starts_with('$') {
            // The real token's Secret is not part of a drill, and the receiver asks for none.
            options.insert("token".into(), "drill".into());
        }
        // JSON is YAML, and needs no second writer.
        *value = Value::Object(options).to_string().into();
        changes.push(format!("{CONFIG_MAP}: `{name}` sends to the drill's receiver"));
    }
}

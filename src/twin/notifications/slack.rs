//! Requests to Slack: `chat.postMessage` as a form.
//!
//! Upstream: `pkg/services/slack.go` and slack-go v0.16.0. Attachments and blocks pass through as the author wrote
//! them, compacted; slack-go would drop fields it does not know.

use serde_json::Value;

use super::HttpRequest;
use super::json;
use super::render::Message;
use crate::argo::notification::Slack;

const API: &str = "https://slack.com/api/";

/// The request of one notification.
pub(super) fn request(slack: &Slack, channel: &str, message: &Message) -> Result<HttpRequest, String> {
    let part = message.slack.as_ref();
    let chosen = |own: Option<&String>, fallback: &String| {
        own.filter(|own| !own.is_empty()).unwrap_or(fallback).clone()
    };
    let username = chosen(part.map(|part| &part.username), &slack.username);
    let icon = chosen(part.map(|part| &part.icon), &slack.icon);
    // Go encodes forms sorted by name.
    let mut form: Vec<(&str, String)> = vec![];
    if let Some(part) = part {
        form.push(("attachments", list("attachments", &part.attachments)?));
        if !part.blocks.is_empty() {
            form.push(("blocks", list("blocks", &part.blocks)?));
        }
    }
    form.push(("channel", channel.to_owned()));
    if icon.len() > 2 && icon.starts_with(':') && icon.ends_with(':') {
        form.push(("icon_emoji", icon));
    } else if icon.starts_with("http://") || icon.starts_with("https://") {
        form.push(("icon_url", icon));
    }
    if part.is_some_and(|part| part.notify_broadcast) {
        form.push(("reply_broadcast", "true".into()));
    }
    form.push(("text", message.text.clone()));
    form.push(("token", slack.token.clone()));
    if slack.disable_unfurl {
        form.push(("unfurl_links", "false".into()));
        form.push(("unfurl_media", "false".into()));
    }
    if !username.is_empty() {
        form.push(("username", username));
    }
    let base = if slack.api_url.is_empty() { API } else { &slack.api_url };
    let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    Ok(HttpRequest {
        method: "POST".into(),
        url: format!("{base}chat.postMessage"),
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
        body: pairs.join("&"),
    })
}

fn list(what: &str, text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok("[]".into());
    }
    let value: Result<Vec<Value>, _> = serde_json::from_str(text);
    let value = value.map_err(|error| format!("failed to unmarshal {what} '{text}' : {error}"))?;
    Ok(json::marshal(&Value::Array(value)))
}

/// As Go's `url.QueryEscape`.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            b' ' => encoded.push('+'),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

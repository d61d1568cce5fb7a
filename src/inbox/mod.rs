//! What a receiver was told: Slack, webhook and Alertmanager payloads, understood.
//!
//! Used for both worlds, so it sees only what is on the wire: path, headers and body. A trigger's name is not part
//! of any of these protocols; it is found only where the author of the template wrote it into the message. Whatever
//! cannot be understood is a webhook message with the body as its text: nothing is refused, nothing is lost.

mod form;

use serde::Serialize;
use serde_json::Value;

/// Who sent it, or rather in whose manner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum By {
    Slack,
    Webhook,
    Alertmanager,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// The protocol.
    pub by: By,
    /// A Slack channel, the receiver of an Alertmanager group, or the path of a webhook.
    pub recipient: String,
    /// What a person would read.
    pub text: String,
    /// The trigger, where the message says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The alerts of an Alertmanager group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
}

/// One alert of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Its `alertname`.
    pub name: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// When it began, as written.
    pub starts_at: String,
}

/// Understands a request.
#[must_use]
pub fn read(path: &str, headers: &[(String, String)], body: &str) -> Message {
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let is_form = kind.is_some_and(|(_, value)| value.starts_with("application/x-www-form-urlencoded"));
    let value = if is_form { form::read(body) } else { serde_json::from_str(body).unwrap_or(Value::Null) };
    let path = path.split(['?', '#']).next().unwrap_or("");
    if value["alerts"].is_array() && value["receiver"].is_string() {
        return alertmanager(&value);
    }
    let slack_path = path.ends_with("/chat.postMessage") || path.contains("/services/T");
    let slack_body = value["channel"].is_string()
        && ["text", "blocks", "attachments"].iter().any(|part| !value[part].is_null());
    if slack_path || slack_body { slack(path, &value) } else { webhook(path, &value, body) }
}

fn alertmanager(group: &Value) -> Message {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let listed = group["alerts"].as_array().into_iter().flatten();
    let mut lines = vec![];
    let mut alerts = vec![];
    for alert in listed {
        let (name, status) = (text(&alert["labels"]["alertname"]), text(&alert["status"]));
        let told = ["summary", "description", "message"].iter().map(|key| text(&alert["annotations"][*key]));
        let told = told.filter(|told| !told.is_empty()).collect::<Vec<_>>().join(": ");
        lines.push(format!("[{status}] {name} {told}").trim_end().to_owned());
        alerts.push(Alert { name, status, starts_at: text(&alert["startsAt"]) });
    }
    let recipient = text(&group["receiver"]);
    Message { by: By::Alertmanager, recipient, text: lines.join("\n"), trigger: None, alerts }
}

fn slack(path: &str, value: &Value) -> Message {
    let mut lines = vec![];
    collect(&value["text"], &mut lines);
    for part in ["attachments", "blocks"] {
        // In a form these are JSON inside of a text.
        let inner = value[part].as_str().and_then(|text| serde_json::from_str(text).ok());
        words(inner.as_ref().unwrap_or(&value[part]), &mut lines);
    }
    let text = lines.join("\n");
    let recipient = value["channel"].as_str().unwrap_or(path).to_owned();
    Message { by: By::Slack, recipient, trigger: trigger_in(&text), text, alerts: vec![] }
}

fn webhook(path: &str, value: &Value, body: &str) -> Message {
    let said = ["message", "text", "msg", "summary", "title"].iter().find_map(|key| value[*key].as_str());
    let text = said.unwrap_or(body).to_owned();
    let named = value["trigger"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let trigger = named.or_else(|| trigger_in(&text));
    Message { by: By::Webhook, recipient: path.to_owned(), text, trigger, alerts: vec![] }
}

fn collect(value: &Value, lines: &mut Vec<String>) {
    lines.extend(value.as_str().filter(|text| !text.is_empty()).map(str::to_owned));
}

/// What people read of attachments and blocks. JSON nesting is bounded by its parser.
fn words(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| words(item, lines)),
        Value::Object(map) => {
            for key in ["pretext", "title", "text", "value", "fallback"] {
                match map.get(key) {
                    Some(inner @ Value::Object(_)) => words(inner, lines),
                    Some(inner) => collect(inner, lines),
                    None => {}
                }
            }
            for key in ["fields", "elements", "blocks"] {
                words(map.get(key).unwrap_or(&Value::Null), lines);
            }
        }
        _ => {}
    }
}

/// `on-rollout-aborted: …` at the beginning of a text.
fn trigger_in(text: &str) -> Option<String> {
    let (name, _) = text.split_once(':')?;
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    (plain && name.strip_prefix("on-").is_some_and(|rest| !rest.is_empty())).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Message {
        let headers = [("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        read("/slack/api/chat.postMessage", &headers, body)
    }

    #[test]
    fn a_slack_form_has_a_channel_and_a_text() {
        let message =
            form("channel=ns-alerts&text=on-rollout-aborted%3A+rollout+app+phase%3D%3Cno+value%3E&token=t");
        assert_eq!((message.by, message.recipient.as_str()), (By::Slack, "ns-alerts"));
        assert_eq!(message.text, "on-rollout-aborted: rollout app phase=<no value>");
        assert_eq!(message.trigger.as_deref(), Some("on-rollout-aborted"));
    }

    #[test]
    fn attachments_and_blocks_are_read_too() {
        let message = form(
            "attachments=%5B%7B%22title%22%3A%22app%22%2C%22fields%22%3A%5B%7B%22title%22%3A%22Strategy%22%2C%22value%22%3A%22BlueGreen%22%7D%5D%7D%5D&channel=c&text=gone",
        );
        assert_eq!(message.text, "gone\napp\nStrategy\nBlueGreen");
        let block =
            r#"{"channel":"c","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"hello"}}]}"#;
        assert_eq!(read("/x", &[], block).text, "hello");
    }

    #[test]
    fn a_webhook_says_what_its_author_wrote() {
        let message =
            read("/wh/ok/ns/?a", &[], r#"{"trigger":"on-switch-service","message":null,"name":"app"}"#);
        assert_eq!((message.by, message.recipient.as_str()), (By::Webhook, "/wh/ok/ns/"));
        assert_eq!(message.trigger.as_deref(), Some("on-switch-service"));
        assert_eq!(read("/x", &[], "plain: text").trigger, None);
        assert_eq!(read("/x", &[], "plain: text").text, "plain: text");
    }

    #[test]
    fn an_alertmanager_group_lists_its_alerts() {
        let body = r#"{"version":"4","status":"firing","receiver":"team","alerts":[
            {"status":"firing","labels":{"alertname":"ErrorRate"},"annotations":{"summary":"8 %"},"startsAt":"2026-01-01T00:00:00Z"}]}"#;
        let message = read("/alerts", &[], body);
        assert_eq!((message.by, message.recipient.as_str()), (By::Alertmanager, "team"));
        assert_eq!(message.text, "[firing] ErrorRate 8 %");
        assert_eq!(message.alerts[0].name, "ErrorRate");
    }

    proptest::proptest! {
        #[test]
        fn no_request_panics(path in "\\PC*", body in "\\PC*", kind in "(application/x-www-form-urlencoded|text/plain)") {
            let _ = read(&path, &[("content-type".to_owned(), kind)], &body);
        }
    }
}

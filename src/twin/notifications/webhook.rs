//! Requests to webhooks.
//!
//! Upstream: `pkg/services/webhook.go` of notifications-engine v0.5.0.

use super::HttpRequest;
use super::render::Message;
use crate::argo::notification::Webhook;
use crate::base64;

/// The request of one notification: without a part of its own for this webhook a `GET` with the text as its body.
pub(super) fn request(hook: &Webhook, service: &str, message: &Message) -> HttpRequest {
    let mut request = HttpRequest {
        method: "GET".into(),
        url: hook.url.clone(),
        headers: vec![],
        body: message.text.clone(),
    };
    if let Some(part) = message.webhook.get(service) {
        request.body.clone_from(&part.body);
        if !part.method.is_empty() {
            request.method.clone_from(&part.method);
        }
        if !part.path.is_empty() {
            let (base, path) = (request.url.trim_end_matches('/'), part.path.trim_start_matches('/'));
            request.url = format!("{base}/{path}");
        }
    }
    for (name, value) in &hook.headers {
        set(&mut request.headers, name, value);
    }
    if let Some((user, password)) = &hook.basic_auth {
        let credentials = base64::encode(format!("{user}:{password}").as_bytes());
        set(&mut request.headers, "authorization", &format!("Basic {credentials}"));
    }
    request
}

/// As `http.Header.Set`: the last one wins.
fn set(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    let name = name.to_ascii_lowercase();
    headers.retain(|(known, _)| *known != name);
    headers.push((name, value.to_owned()));
}

//! The receivers of the recordings: what each is called, and how it treats its callers.
//!
//! The path of a service's address says it all: `ok`, `slow3` (after three seconds), `fail404` (always that status),
//! `fail2` (500 twice, then well). What listens at a port of its own is the sink that can be taken down.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::sight::text;
use crate::twin::receivers::Manner;

/// One receiver.
#[derive(Debug, PartialEq)]
pub(super) struct Receiver {
    /// What the recorder calls its deliveries.
    pub(super) name: String,
    /// How it treats its callers, unless it is well.
    pub(super) manner: Option<Manner>,
    /// Whether it goes when the sink goes.
    pub(super) sinks: bool,
}

/// The receivers of a notification ConfigMap, by service.
pub(super) fn of(config: &Value) -> BTreeMap<String, Receiver> {
    let data = config["data"].as_object().into_iter().flatten();
    let services = data.filter_map(|(key, value)| {
        let service = key.strip_prefix("service.")?;
        let name = service.strip_prefix("webhook.").unwrap_or(service);
        let spec: Value = serde_saphyr::from_str(text(value)).expect("a service");
        let address = if service == "slack" { "slack/api/chat.postMessage" } else { text(&spec["url"]) };
        Some((name.to_owned(), receiver(address)))
    });
    services.collect()
}

fn receiver(address: &str) -> Receiver {
    let word = address.rsplit('/').next().unwrap_or("");
    let name = if address.starts_with("slack/") { address.to_owned() } else { format!("webhook/{word}") };
    let sinks =
        address.trim_start_matches("http://").split('/').next().is_some_and(|host| host.contains(':'));
    Receiver { name, manner: manner(word), sinks }
}

fn manner(word: &str) -> Option<Manner> {
    if let Some(seconds) = word.strip_prefix("slow").and_then(|rest| rest.parse().ok()) {
        return Some(Manner::Answers(200, Duration::from_secs(seconds)));
    }
    match word.strip_prefix("fail")?.parse().ok()? {
        times @ 0..100 => Some(Manner::Falters(500, u32::from(times))),
        status => Some(Manner::Answers(status, Duration::from_millis(5))),
    }
}

#[test]
fn addresses_say_how_their_receivers_behave() {
    let webhook = |word: &str, manner, sinks| Receiver { name: format!("webhook/{word}"), manner, sinks };
    assert_eq!(receiver("http://sink:18081/wh/ok"), webhook("ok", None, true));
    assert_eq!(receiver("http://sink/wh/fail2"), webhook("fail2", Some(Manner::Falters(500, 2)), false));
    let slow = Manner::Answers(200, Duration::from_secs(3));
    assert_eq!(receiver("http://sink/wh/slow3"), webhook("slow3", Some(slow), false));
    let gone = Manner::Answers(404, Duration::from_millis(5));
    assert_eq!(receiver("http://sink/wh/fail404"), webhook("fail404", Some(gone), false));
}

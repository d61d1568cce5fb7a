//! What a receiver got, one line per attempt: who, when, what, how often.

use serde::Serialize;

use super::{Delivery, ServiceKind};
use crate::clock::Moment;

/// One attempt to deliver a notification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// When it reached the receiver, or would have.
    #[serde(serialize_with = "stamp")]
    pub at: Moment,
    /// Which attempt, counted from 1.
    pub attempt: u32,
    /// The service, by the name subscriptions use.
    pub service: String,
    /// The recipient; empty for a webhook.
    pub recipient: String,
    /// Why it was sent.
    pub trigger: String,
    /// The address.
    pub url: String,
    /// The receiver's status; none when it could not be reached.
    pub status: Option<u16>,
    /// The body.
    pub body: String,
}

impl Entry {
    /// The line for one attempt of a delivery.
    #[must_use]
    pub fn of(delivery: &Delivery, at: Moment, attempt: u32, status: Option<u16>) -> Entry {
        Entry {
            at,
            attempt,
            service: delivery.service.clone(),
            recipient: delivery.recipient.clone(),
            trigger: delivery.trigger.clone(),
            url: delivery.request.url.clone(),
            status,
            body: shown(delivery),
        }
    }
}

/// The body; Slack's form carries the bot's token, which nobody needs to find in a report.
fn shown(delivery: &Delivery) -> String {
    let body = &delivery.request.body;
    if delivery.kind == ServiceKind::Webhook {
        return body.clone();
    }
    let hide =
        |pair: &str| if pair.starts_with("token=") { "token=*****".to_owned() } else { pair.to_owned() };
    body.split('&').map(hide).collect::<Vec<_>>().join("&")
}

fn stamp<S: serde::Serializer>(at: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.rfc3339_micros())
}

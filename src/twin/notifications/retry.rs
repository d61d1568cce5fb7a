//! What follows from a receiver's answer: how often a request is repeated, and how long the reconcile is blocked.
//!
//! Upstream: hashicorp/go-retryablehttp v0.7.7 for webhooks (`DefaultRetryPolicy`, `DefaultBackoff`), slack-go and
//! `pkg/util/slack/client.go` for Slack, which repeats a rate-limited message for ever and nothing else.

use std::time::Duration;

use serde_json::Value;

use super::Delivery;
use crate::argo::notification::Webhook;

/// How a service repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryPolicy {
    /// Waits double from `wait_min` up to `wait_max`.
    Webhook {
        /// How many times at most.
        max: u32,
        /// The first wait.
        wait_min: Duration,
        /// The longest wait.
        wait_max: Duration,
    },
    /// Only when Slack asks for it, and then without end.
    Slack,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The receiver answered.
    Answer {
        /// Its status.
        status: u16,
        /// Its `Retry-After`, in whole seconds.
        retry_after: Option<u64>,
        /// Its body.
        body: String,
    },
    /// It could not be reached: refused, unknown, broken off.
    Unreachable(String),
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// Once more after this long.
    Again(Duration),
    /// It is lost; the controller logs this and goes on.
    Lost(String),
}

impl RetryPolicy {
    /// The policy of a webhook.
    #[must_use]
    pub fn webhook(hook: &Webhook) -> RetryPolicy {
        RetryPolicy::Webhook {
            max: hook.retry_max,
            wait_min: hook.retry_wait_min,
            wait_max: hook.retry_wait_max,
        }
    }

    /// What follows from the reply to attempt number `attempt`, counted from 1.
    #[must_use]
    pub fn next(&self, delivery: &Delivery, attempt: u32, reply: &Reply) -> Next {
        match self {
            RetryPolicy::Webhook { max, wait_min, wait_max } => {
                if !worth_repeating(reply) {
                    return webhook_verdict(delivery, reply);
                }
                if attempt > *max {
                    return Next::Lost(gave_up(delivery, attempt, reply));
                }
                Next::Again(requested_wait(reply).unwrap_or_else(|| back_off(attempt, *wait_min, *wait_max)))
            }
            RetryPolicy::Slack => slack_verdict(reply),
        }
    }
}

/// Connection errors, 429 and 5xx but not 501.
fn worth_repeating(reply: &Reply) -> bool {
    match reply {
        Reply::Answer { status, .. } => matches!(status, 0 | 429 | 500 | 502..),
        Reply::Unreachable(_) => true,
    }
}

/// `Retry-After` counts with 429 and 503, and has no upper limit.
fn requested_wait(reply: &Reply) -> Option<Duration> {
    match reply {
        Reply::Answer { status: 429 | 503, retry_after, .. } => retry_after.map(Duration::from_secs),
        _ => None,
    }
}

fn back_off(attempt: u32, min: Duration, max: Duration) -> Duration {
    let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    min.saturating_mul(factor).min(max)
}

fn webhook_verdict(delivery: &Delivery, reply: &Reply) -> Next {
    match reply {
        Reply::Answer { status: 200..=299, .. } => Next::Delivered,
        Reply::Answer { status, body, .. } => {
            let request = &delivery.request;
            let shown =
                format!("{{{} {} {} {}}}", request.body, request.method, request.url, delivery.service);
            Next::Lost(format!("request to {shown} has failed with error code {status} : {body}"))
        }
        Reply::Unreachable(why) => Next::Lost(why.clone()),
    }
}

fn gave_up(delivery: &Delivery, attempts: u32, reply: &Reply) -> String {
    let told =
        format!("{} {} giving up after {attempts} attempt(s)", delivery.request.method, delivery.request.url);
    match reply {
        Reply::Unreachable(why) => format!("{told}: {why}"),
        Reply::Answer { .. } => told,
    }
}

fn slack_verdict(reply: &Reply) -> Next {
    match reply {
        Reply::Answer { status: 429, retry_after: Some(seconds), .. } => {
            Next::Again(Duration::from_secs(*seconds))
        }
        Reply::Answer { status: 200, body, .. } => match serde_json::from_str::<Value>(body) {
            Ok(answer) if answer["ok"] == true => Next::Delivered,
            Ok(answer) => Next::Lost(answer["error"].as_str().unwrap_or("").to_owned()),
            Err(error) => Next::Lost(error.to_string()),
        },
        Reply::Answer { status, .. } => Next::Lost(format!("slack server error: {status}")),
        Reply::Unreachable(why) => Next::Lost(why.clone()),
    }
}

/// One delivery, attempt by attempt, and the time it has cost the reconcile that waits for it.
#[derive(Debug, Clone)]
pub struct Sending {
    /// What is being delivered.
    pub delivery: Delivery,
    /// The attempt that is being made, counted from 1.
    pub attempt: u32,
    /// How long it has waited between attempts so far; the receivers' own time comes on top.
    pub waited: Duration,
}

impl Sending {
    /// Begins with the first attempt.
    #[must_use]
    pub fn new(delivery: Delivery) -> Sending {
        Sending { delivery, attempt: 1, waited: Duration::ZERO }
    }

    /// Takes the reply to the current attempt.
    pub fn reply(&mut self, reply: &Reply) -> Next {
        let next = self.delivery.retry.next(&self.delivery, self.attempt, reply);
        if let Next::Again(wait) = next {
            self.attempt = self.attempt.saturating_add(1);
            self.waited = self.waited.saturating_add(wait);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HttpRequest, ServiceKind};
    use super::*;

    fn policy() -> RetryPolicy {
        RetryPolicy::Webhook { max: 3, wait_min: Duration::from_secs(1), wait_max: Duration::from_secs(5) }
    }

    fn delivery(retry: RetryPolicy) -> Delivery {
        let request = HttpRequest {
            method: "POST".into(),
            url: "http://sink/x".into(),
            headers: vec![],
            body: "{}".into(),
        };
        Delivery {
            service: "ok".into(),
            kind: ServiceKind::Webhook,
            recipient: String::new(),
            trigger: "on-a".into(),
            templates: vec![],
            request,
            retry,
        }
    }

    fn status(status: u16) -> Reply {
        Reply::Answer { status, retry_after: None, body: "no".into() }
    }

    fn play(policy: RetryPolicy, replies: &[Reply]) -> (u32, u64, Next) {
        let mut sending = Sending::new(delivery(policy));
        let mut next = Next::Delivered;
        for reply in replies {
            next = sending.reply(reply);
            if !matches!(next, Next::Again(_)) {
                break;
            }
        }
        (sending.attempt, sending.waited.as_secs(), next)
    }

    #[test]
    fn a_dead_receiver_costs_seven_seconds() {
        let refused = Reply::Unreachable("connection refused".into());
        let (attempts, waited, next) = play(policy(), &vec![refused; 9]);
        assert_eq!((attempts, waited), (4, 7));
        assert_eq!(
            next,
            Next::Lost("POST http://sink/x giving up after 4 attempt(s): connection refused".into())
        );
    }

    #[test]
    fn server_errors_and_429_are_repeated_and_other_errors_are_not() {
        assert_eq!(play(policy(), &vec![status(429); 9]).1, 7);
        let lost = Next::Lost("POST http://sink/x giving up after 4 attempt(s)".into());
        assert_eq!(play(policy(), &vec![status(500); 9]), (4, 7, lost));
        assert_eq!(play(policy(), &[status(500), status(500), status(200)]), (3, 3, Next::Delivered));
        let (attempts, waited, next) = play(policy(), &[status(404)]);
        assert_eq!((attempts, waited), (1, 0));
        assert_eq!(
            next,
            Next::Lost("request to {{} POST http://sink/x ok} has failed with error code 404 : no".into())
        );
        assert_eq!(play(policy(), &[status(501)]).0, 1);
    }

    #[test]
    fn waits_are_capped_and_retry_after_is_obeyed() {
        let policy = RetryPolicy::Webhook {
            max: 5,
            wait_min: Duration::from_secs(2),
            wait_max: Duration::from_secs(5),
        };
        assert_eq!(play(policy, &vec![status(503); 9]).1, 2 + 4 + 5 + 5 + 5);
        let asked = Reply::Answer { status: 429, retry_after: Some(30), body: String::new() };
        assert_eq!(play(policy, &[asked.clone(), status(200)]).1, 30);
        assert_eq!(play(RetryPolicy::Slack, &vec![asked; 20]).1, 600);
    }

    #[test]
    fn slack_says_no_with_status_200() {
        let answer = |body: &str| Reply::Answer { status: 200, retry_after: None, body: body.into() };
        assert_eq!(play(RetryPolicy::Slack, &[answer(r#"{"ok":true}"#)]).2, Next::Delivered);
        let refused = answer(r#"{"ok":false,"error":"channel_not_found"}"#);
        assert_eq!(play(RetryPolicy::Slack, &[refused]).2, Next::Lost("channel_not_found".into()));
        assert_eq!(play(RetryPolicy::Slack, &[status(500)]).2, Next::Lost("slack server error: 500".into()));
    }
}

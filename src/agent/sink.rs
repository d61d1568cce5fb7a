//! The sink: where notifications arrive, and how their senders are treated.
//!
//! A receiver's address is `/sink/<token>/<service>/…`; the token is this run's, so a message of another run is turned
//! away. A message is kept at the moment it is answered, with the answer it got. A sender that does not wait for a slow
//! answer got none, and that is kept, too: its message did arrive.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::receivers::Receivers;
use super::secret::Secret;
use super::wire::{Arrival, Manner};
use crate::cluster::Clock;
use crate::inbox::{self, By, Message};

/// Where receivers are.
const ROOT: &str = "/sink/";
/// So many messages are kept, and so many bytes of them; what comes after is turned away.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 64 << 20;
/// What a knock says.
const KNOCK: &str = "firedrill knocks";

/// The base of the receivers' addresses of a run: what a policy's notification services are pointed at.
#[must_use]
pub fn receivers_url(authority: &str, secret: &Secret) -> String {
    format!("http://{authority}{ROOT}{}", secret.token())
}

/// All receivers of an agent.
pub(super) struct Sink {
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    receivers: Receivers,
    messages: usize,
    bytes: usize,
}

/// A message as it came in.
pub(super) struct Delivery<'a> {
    pub(super) service: &'a str,
    /// What follows the token.
    pub(super) path: &'a str,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) knock: bool,
}

/// What a sender is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// This status, and what Slack's client wants to read if it is one.
    Answer(u16, &'static str),
    /// Nothing: the connection is dropped.
    Nothing,
}

/// What Slack says when all is well.
const SLACK_OK: &str = r#"{"ok":true}"#;

impl Sink {
    pub(super) fn new(clock: Clock) -> Sink {
        Sink { clock, kept: Mutex::default() }
    }

    /// A message arrives, and is answered as the receiver's manner is.
    pub(super) async fn take(&self, delivery: Delivery<'_>) -> Treatment {
        let message = inbox::read(delivery.path, &delivery.headers, &delivery.body);
        let is_slack = message.by == By::Slack;
        let met = self.kept().meet(delivery.service, self.clock, delivery.body.len());
        let Some((status, wait)) = met else { return Treatment::Answer(503, "the inbox is full\n") };
        let mut receipt = Receipt { sink: self, arrival: Some(arrival(&delivery, message)) };
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            tokio::time::sleep(wait).await;
        }
        receipt.sign(status);
        match status {
            0 => Treatment::Nothing,
            _ if is_slack => Treatment::Answer(status, SLACK_OK),
            _ => Treatment::Answer(status, ""),
        }
    }

    /// A knock that reached no receiver.
    pub(super) fn miss(&self, service: &str, status: u16) {
        self.keep(Arrival { status, ..knocked(service) });
    }

    pub(super) fn treat(&self, manners: BTreeMap<String, Manner>) {
        let mut kept = self.kept();
        kept.receivers.treat(manners, self.clock.now());
    }

    /// What has arrived, from number `from` on.
    pub(super) fn read(&self, from: u64) -> Vec<Arrival> {
        let kept = self.kept();
        kept.receivers.read(usize::try_from(from).unwrap_or(usize::MAX), self.clock.now())
    }

    /// The moment is read under the lock, so that a later message never gets an earlier number.
    fn keep(&self, arrival: Arrival) {
        let mut kept = self.kept();
        kept.receivers.keep(Arrival { at: self.clock.now().unix_nanos(), ..arrival });
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// What the sender comes to; `None` when nothing more can be kept.
    fn meet(&mut self, service: &str, clock: Clock, bytes: usize) -> Option<(u16, Option<Duration>)> {
        self.messages += 1;
        self.bytes += bytes;
        let full = self.messages > MOST || self.bytes > MOST_BYTES;
        (!full).then(|| self.receivers.meet(service, clock.now()))
    }
}

/// A message that has not been answered yet. Whatever becomes of its sender, it is kept.
struct Receipt<'a> {
    sink: &'a Sink,
    arrival: Option<Arrival>,
}

impl Receipt<'_> {
    fn sign(&mut self, status: u16) {
        if let Some(arrival) = self.arrival.take() {
            self.sink.keep(Arrival { status, ..arrival });
        }
    }
}

impl Drop for Receipt<'_> {
    fn drop(&mut self) {
        self.sign(0);
    }
}

fn arrival(delivery: &Delivery<'_>, message: Message) -> Arrival {
    if delivery.knock {
        return knocked(delivery.service);
    }
    Arrival {
        at: 0,
        by: delivery.service.to_owned(),
        to: message.recipient,
        trigger: message.trigger,
        status: 0,
        body: message.text,
        knock: false,
    }
}

fn knocked(service: &str) -> Arrival {
    Arrival {
        at: 0,
        by: service.to_owned(),
        to: String::new(),
        trigger: None,
        status: 0,
        body: KNOCK.to_owned(),
        knock: true,
    }
}

/// The token and what follows it, of a path that is a receiver's.
pub(super) fn address(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(ROOT)?;
    Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

/// The notification service of what follows the token; `None` when there is none.
pub(super) fn service(rest: &str) -> Option<&str> {
    rest.strip_prefix('/')?.split('/').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    fn sink() -> Sink {
        Sink::new(Clock::starting_at(Moment::VIRTUAL_EPOCH))
    }

    fn delivery<'a>(path: &'a str, kind: &str, body: &str) -> Delivery<'a> {
        Delivery {
            service: service(path).unwrap(),
            path,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.to_owned(),
            knock: false,
        }
    }

    fn webhook(body: &str) -> Delivery<'static> {
        delivery("/team/rollouts", "application/json", body)
    }

    fn treat(sink: &Sink, service: &str, manner: Manner) {
        sink.treat([(service.to_owned(), manner)].into());
    }

    #[test]
    fn an_address_is_a_token_and_a_service() {
        assert_eq!(address("/sink/abc/slack/chat.postMessage"), Some(("abc", "/slack/chat.postMessage")));
        assert_eq!(address("/sink/abc"), Some(("abc", "")));
        assert_eq!(address("/load"), None);
        assert_eq!((service("/slack/chat.postMessage"), service("/team")), (Some("slack"), Some("team")));
        assert_eq!((service(""), service("/"), service("//x")), (None, None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slack_form_is_read_and_answered_as_slack_does() {
        let sink = sink();
        let form = "channel=team&text=on-rollout-aborted%3A+undone&token=t";
        let path = "/slack/chat.postMessage";
        let treatment = sink.take(delivery(path, "application/x-www-form-urlencoded", form)).await;
        assert_eq!(treatment, Treatment::Answer(200, SLACK_OK));
        let arrival = sink.read(0).remove(0);
        assert_eq!((arrival.by.as_str(), arrival.to.as_str(), arrival.status), ("slack", "team", 200));
        assert_eq!(arrival.trigger.as_deref(), Some("on-rollout-aborted"));
        assert_eq!(arrival.body, "on-rollout-aborted: undone");
    }

    #[tokio::test(start_paused = true)]
    async fn slack_as_json_and_a_webhook_are_read_too() {
        let sink = sink();
        let json = r#"{"channel":"team","text":"undone"}"#;
        sink.take(delivery("/slack/chat.postMessage", "application/json", json)).await;
        let treatment = sink.take(webhook(r#"{"trigger":"on-x","message":"m"}"#)).await;
        assert_eq!(treatment, Treatment::Answer(200, ""));
        let arrivals = sink.read(0);
        assert_eq!((arrivals[0].to.as_str(), arrivals[0].body.as_str()), ("team", "undone"));
        assert_eq!((arrivals[1].by.as_str(), arrivals[1].to.as_str()), ("team", "/team/rollouts"));
        assert_eq!(arrivals[1].trigger.as_deref(), Some("on-x"));
        assert_eq!(sink.read(1), arrivals[1..], "readers begin where they like");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_receiver_keeps_its_sender_waiting() {
        let sink = sink();
        treat(&sink, "team", Manner::Answers(502, Duration::from_secs(7)));
        assert_eq!(sink.take(webhook("x")).await, Treatment::Answer(502, ""));
        let at = (Moment::VIRTUAL_EPOCH + Duration::from_secs(7)).unix_nanos();
        assert_eq!((sink.read(0)[0].status, sink.read(0)[0].at), (502, at));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_wait_gets_no_answer_and_is_kept() {
        let sink = sink();
        treat(&sink, "team", Manner::Answers(200, Duration::from_secs(30)));
        let gave_up = tokio::time::timeout(Duration::from_secs(5), sink.take(webhook("x"))).await;
        assert!(gave_up.is_err());
        assert_eq!(sink.read(0)[0].status, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_is_down_says_nothing_and_one_that_falters_recovers() {
        let sink = sink();
        treat(&sink, "team", Manner::Refuses);
        assert_eq!(sink.take(webhook("x")).await, Treatment::Nothing);
        treat(&sink, "team", Manner::Falters(500, 1));
        assert_eq!(sink.take(webhook("x")).await, Treatment::Answer(500, ""));
        assert_eq!(sink.take(webhook("x")).await, Treatment::Answer(200, ""));
        let statuses: Vec<u16> = sink.read(0).iter().map(|arrival| arrival.status).collect();
        assert_eq!(statuses, [0, 500, 200]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_inbox_says_so() {
        let sink = sink();
        for _ in 0..MOST {
            sink.take(webhook("")).await;
        }
        assert_eq!(sink.take(webhook("")).await, Treatment::Answer(503, "the inbox is full\n"));
        assert_eq!(sink.read(0).len(), MOST);
    }
}

//! The scripted provider of the recordings: the k-th call of a query gets the k-th item of its script.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Moment;
use crate::twin::analysis::{Answer, Ask, Outcome, prometheus};

/// How long an ordinary answer takes.
const LATENCY: Duration = Duration::from_millis(3);

#[derive(Debug, Default)]
pub(in crate::twin) struct Provider {
    calls: BTreeMap<String, usize>,
}

impl Provider {
    /// Counts a call that was answered before.
    pub(in crate::twin) fn count(&mut self, name: &str) {
        *self.calls.entry(name.to_owned()).or_default() += 1;
    }

    pub(in crate::twin) fn answer(&mut self, ask: &Ask, now: Moment) -> Answer {
        let (outcome, delay) = self.outcome(ask);
        if delay > ask.timeout {
            return Answer { at: now + ask.timeout, outcome: ask.timed_out(), warnings: vec![] };
        }
        Answer { at: now + delay.max(LATENCY), outcome, warnings: vec![] }
    }

    fn outcome(&mut self, ask: &Ask) -> (Outcome, Duration) {
        let at_once = |outcome| (outcome, Duration::ZERO);
        match ask.address.as_str() {
            "http://provider" => {}
            "http://127.0.0.1:1" => {
                return at_once(ask.unreachable("dial tcp 127.0.0.1:1: connect: connection refused"));
            }
            address => {
                let host = address.trim_start_matches("http://").split(':').next().unwrap();
                return at_once(
                    ask.unreachable(&format!("dial tcp: lookup {host} on DNS:53: server misbehaving")),
                );
            }
        }
        let script = ask.query.strip_prefix("script(\"").and_then(|rest| rest.split_once("\")"));
        let (name, items) = script.and_then(|(script, _)| script.split_once(": ")).expect("a script");
        let call = self.calls.entry(name.to_owned()).or_default();
        let items: Vec<&str> = items.split(", ").collect();
        let item = items[(*call).min(items.len() - 1)];
        *call += 1;
        if let Some(seconds) = item.strip_prefix("slow") {
            return (Outcome::Vector(vec![0.0]), Duration::from_secs(seconds.parse().unwrap()));
        }
        at_once(read(item))
    }
}

fn read(item: &str) -> Outcome {
    let number = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("{text} is no item of a script"));
    match item {
        "empty" => Outcome::Vector(vec![]),
        "string" => Outcome::Text("hello".into()),
        "garbage" => Outcome::Error(prometheus::refusal(200, "<html>not json</html>")),
        "+Inf" => Outcome::Vector(vec![f64::INFINITY]),
        "500" | "503" | "422" => {
            let body = r#"{"status":"error","errorType":"internal","error":"scripted"}"#;
            Outcome::Error(prometheus::refusal(item.parse().unwrap(), body))
        }
        item => match item.split_once(':') {
            Some(("two", values)) => Outcome::Vector(values.split(',').map(number).collect()),
            Some(("scalar", value)) => Outcome::Scalar(number(value)),
            _ => Outcome::Vector(vec![number(item)]),
        },
    }
}

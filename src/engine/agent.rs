//! What the agent is told, and what it tells: its traffic and its inbox, as entries of the timeline.

use std::pin::pin;
use std::time::Duration;

use super::Engine;
use crate::agent::wire;
use crate::clock::Moment;
use crate::cluster::Trouble;
use crate::plan::{Plan, Router};
use crate::scenario::Connections;
use crate::timeline::{Delivered, Entry, Event, Gap, Instant, Latency, Second, Tally};

impl Engine<'_> {
    /// Asks the agent what it saw. It keeps everything until it is asked, so an answer that does not come is waited for.
    /// The watches do not wait: what they see counts from when it is seen.
    pub(super) async fn report(&mut self) -> Result<(), Trouble> {
        let cluster = self.cluster;
        let mut asked = pin!(cluster.agent.observed(self.seconds, self.inbox));
        let answer = loop {
            tokio::select! {
                biased;
                answer = asked.as_mut() => break answer.map_err(Trouble::agent),
                seen = self.watches.next() => seen.into_iter().for_each(|seen| self.take(seen)),
            }
        };
        let at = self.now();
        match answer {
            Ok(observed) => {
                let blind = self.sight.went_well(at);
                self.was_blind(blind);
                self.heard(observed);
                Ok(())
            }
            Err(trouble) if trouble.may_pass() && !self.sight.request_failed(at) => {
                tracing::info!(trouble = %trouble.sentence(), "the agent does not answer");
                Ok(())
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn heard(&mut self, observed: wire::Observed) {
        for arrival in observed.inbox {
            let at = self.instant(arrival.at);
            let delivered = Delivered {
                nth: self.inbox,
                by: arrival.by,
                to: arrival.to,
                trigger: arrival.trigger,
                status: arrival.status,
                body: arrival.body,
                knock: arrival.knock,
            };
            self.inbox += 1;
            self.record(Entry { at, event: Event::Delivered(delivered) });
        }
        for second in observed.seconds {
            self.seconds = second.nth + 1;
            if second.unsent > 0 {
                // What was not sent might have been harmed: nobody can say that all went well.
                let why = format!("{} requests of one second never left the agent", second.unsent);
                let at = self.instant(second.from);
                self.record(Entry { at, event: Event::Gap(Gap { of: "traffic".to_owned(), why }) });
            }
            let second = self.second(second);
            let is_clean = second.sent() > 0 && second.harmed() == 0;
            self.clean = if is_clean { self.clean + 1 } else { 0 };
            let at = second.from + Duration::from_secs(1);
            self.record(Entry { at, event: Event::Traffic(second) });
        }
    }

    fn second(&self, second: wire::Second) -> Second {
        let by = second.by.into_iter().map(|(revision, tally)| (revision, self.tally(tally)));
        let by = by.collect();
        Second {
            nth: second.nth,
            from: self.instant(second.from),
            by,
            longest_run: second.longest_run,
            late: second.late,
            latest: second
                .lateness_micros
                .map_or(0.0, |[.., most]| Duration::from_micros(most).as_secs_f64()),
        }
    }

    fn tally(&self, tally: wire::Tally) -> Tally {
        #[expect(clippy::cast_precision_loss, reason = "latencies stay far below 2^53 microseconds")]
        let latency = tally.latency_micros.map(|micros| {
            let [p50, p95, p99, max] = micros.map(|micros| micros as f64 / 1e6);
            Latency { p50, p95, p99, max }
        });
        Tally {
            sent: tally.sent,
            harmed: tally.harmed,
            errors: tally.errors,
            // To a user they are one: nobody answered.
            refused: tally.refused + tally.reset,
            timed_out: tally.timed_out,
            slow: tally.slow,
            first_harmed: tally.first_harmed.map(|nanos| self.instant(nanos)),
            last_harmed: tally.last_harmed.map(|nanos| self.instant(nanos)),
            latency,
        }
    }

    fn instant(&self, unix_nanos: i64) -> Instant {
        Instant::after_start(Moment::from_unix_nanos(unix_nanos).since(self.began))
    }
}

/// The traffic of a plan, in the agent's words.
#[must_use]
pub fn load(plan: &Plan) -> wire::Load {
    let traffic = &plan.traffic;
    wire::Load {
        namespace: plan.namespace.clone(),
        service: traffic.service.clone(),
        port: traffic.port,
        path: traffic.path.clone(),
        method: traffic.method.name().to_owned(),
        headers: traffic.headers.clone(),
        rate: traffic.rate.per_second(),
        slo: traffic.slo.0,
        timeout: traffic.timeout.0,
        connections: match traffic.connections {
            Connections::PerRequest => wire::Connections::PerRequest,
            Connections::Kept(count) => wire::Connections::Kept(count),
        },
        router: traffic.router.as_ref().map(router),
    }
}

fn router(router: &Router) -> wire::Router {
    match router.clone() {
        Router::Nginx { ingress, prefix } => wire::Router::Nginx { ingress, prefix },
        Router::Istio { namespace, virtual_service } => wire::Router::Istio { namespace, virtual_service },
    }
}

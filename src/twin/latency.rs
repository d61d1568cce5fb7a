//! How long things take on the twin, with the measurement each figure comes from.
//!
//! Figures are medians on a quiet machine (spec 0.3 row 5, `bg-post-analysis-failed` and its neighbours); each is
//! drawn within a narrow band around its median, from the run's seed, so that ties break differently from seed to
//! seed and never from run to run.

use std::time::Duration;

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::clock::Seed;

/// What takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// From a write to the watcher's work queue.
    Watch,
    /// One request of the rollouts controller to the API server.
    Request,
    /// One of kube-controller-manager's.
    KubeRequest,
    /// The answer to a request.
    Response,
    /// A pass of the rollouts controller that comes to an error, to the moment from which its back-off counts.
    Failure,
    /// From a pod's readiness or a Service's selector to the `EndpointSlice`.
    Endpoints,
    /// From the `EndpointSlice` to the rules that route new connections.
    Routing,
    /// From a router's object to its first request by the new weights.
    Router,
    /// From a container's change of state to the pod's status.
    PodStatus,
    /// A query to Prometheus.
    Query,
    /// A notification receiver that is well.
    Receiver,
}

impl Span {
    fn median(self) -> Duration {
        Duration::from_micros(match self {
            // AR Failed -> abort patch takes 49 ms in the median: a watch, two events and a patch.
            Span::Watch => 6_000,
            Span::Request => 7_000,
            Span::KubeRequest => 5_000,
            // Which comes first, the answer or the news of the same write, is chance; the recordings have both.
            Span::Response => 6_000,
            // Eleven errors in a row and their back-offs, 2047 ms, take 2.2 s (`istio-subset-new-template-while-canary-unready`).
            Span::Failure => 12_000,
            // Service switch -> EndpointSlice: 14 ms.
            Span::Endpoints => 14_000,
            Span::Routing => 30_000,
            // ingress-nginx hands changes to its workers once a second (rootfs/etc/nginx/lua/balancer.lua); istiod waits a
            // tenth of that for more of them.
            Span::Router => 500_000,
            Span::PodStatus => 15_000,
            Span::Query => 4_000,
            Span::Receiver => 5_000,
        })
    }
}

/// The twin's source of small delays.
#[derive(Debug)]
pub(crate) struct Latency {
    rng: Xoshiro256PlusPlus,
    /// How busy the rollouts controller is: what its requests take, as a multiple of the usual.
    pub(crate) load: f64,
    /// The same for kube-controller-manager.
    pub(crate) kube_load: f64,
    /// The same for news and answers.
    pub(crate) watch_load: f64,
}

impl Latency {
    /// Delays drawn from this seed.
    #[must_use]
    pub(crate) fn new(seed: Seed) -> Latency {
        Latency { rng: seed.child("latency").rng(), load: 1.0, kube_load: 1.0, watch_load: 1.0 }
    }

    /// One delay: between 0.75 and 1.5 times the median.
    pub(crate) fn draw(&mut self, span: Span) -> Duration {
        let draw = u32::try_from(self.rng.next_u64() >> 40).unwrap_or(0);
        let factor = 0.75 + 0.75 * f64::from(draw) / f64::from(1 << 24);
        let load = match span {
            Span::Request | Span::Failure => self.load,
            Span::KubeRequest => self.kube_load,
            Span::Watch | Span::Response => self.watch_load,
            _ => 1.0,
        };
        span.median().mul_f64(factor * load)
    }
}

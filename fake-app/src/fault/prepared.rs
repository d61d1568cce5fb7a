//! A fault ready to be asked a million times: the one pure function that the server and every simulation share.

use std::time::Duration;

use super::{Cohort, Crash, Draw, Fault, Health, Latency, Liveness, Onset, Quantiles, Readiness, Request};

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The status of the answer; 200 unless the fault says otherwise.
    pub status: u16,
    /// How long the answer takes.
    pub latency: Duration,
    /// The exception behind an error, if the fault names one.
    pub exception: Option<&'a str>,
}

/// A checked fault as tables. Made by [`Fault::prepare`].
#[derive(Debug, Clone)]
pub struct Prepared {
    onset: Option<Onset>,
    ramp: Duration,
    errors: Option<Failing>,
    slow: Option<Slow>,
    healthy: Quantiles,
    readiness: Option<Readiness>,
    liveness: Option<Liveness>,
    crash: Option<Crash>,
}

#[derive(Debug, Clone)]
struct Failing {
    rate: f64,
    /// Statuses with the share of errors up to and including them.
    upto: Vec<(f64, u16)>,
    shares: Vec<(u16, f64)>,
    exception: Option<String>,
    cohort: Option<Cohort>,
}

#[derive(Debug, Clone)]
struct Slow {
    quantiles: Quantiles,
    cohort: Option<Cohort>,
}

/// The status of a request that nothing happened to.
const SUCCESS: u16 = 200;

impl Prepared {
    /// `fault` and `healthy` were checked.
    pub(super) fn new(fault: &Fault, healthy: &Latency) -> Self {
        Self {
            onset: fault.onset,
            ramp: fault.ramp.unwrap_or_default().0,
            errors: fault.errors.as_ref().map(Failing::new),
            slow: fault
                .latency
                .as_ref()
                .map(|slow| Slow { quantiles: Quantiles::of(slow), cohort: slow.cohort.clone() }),
            healthy: Quantiles::of(healthy),
            readiness: fault.readiness,
            liveness: fault.liveness,
            crash: fault.crash,
        }
    }

    /// What becomes of a request: `age` is that of the fault, `nth` counts this process' requests from zero since the fault is in force,
    /// `draw` is the request's luck.
    #[must_use]
    pub fn outcome(&self, age: Duration, nth: u64, request: &Request<'_>, draw: Draw) -> Outcome<'_> {
        let strength = self.strength(age, nth);
        let latency = self.blend(strength, request, draw.pace());
        match self.errors.as_ref().and_then(|failing| failing.status(strength, request, draw.fate())) {
            Some((status, exception)) => Outcome { status, latency, exception },
            None => Outcome { status: SUCCESS, latency, exception: None },
        }
    }

    /// How much of the fault is in force, 0 before the onset and 1 after the ramp.
    #[must_use]
    pub fn strength(&self, age: Duration, nth: u64) -> f64 {
        let elapsed = match self.onset {
            None => age,
            Some(onset) => match onset.elapsed(age, nth) {
                None => return 0.0,
                Some(elapsed) => elapsed,
            },
        };
        if elapsed >= self.ramp { 1.0 } else { elapsed.as_secs_f64() / self.ramp.as_secs_f64() }
    }

    /// The probability that such a request fails.
    #[must_use]
    pub fn error_probability(&self, age: Duration, nth: u64, request: &Request<'_>) -> f64 {
        self.errors.as_ref().map_or(0.0, |failing| failing.probability(self.strength(age, nth), request))
    }

    /// The latency that the share `q` of such requests does not exceed.
    #[must_use]
    pub fn latency_quantile(&self, age: Duration, nth: u64, request: &Request<'_>, q: f64) -> Duration {
        self.blend(self.strength(age, nth), request, q)
    }

    /// The share of such requests that takes no longer than `limit`: the inverse of [`Self::latency_quantile`].
    #[must_use]
    pub fn latency_share_within(
        &self,
        age: Duration,
        nth: u64,
        request: &Request<'_>,
        limit: Duration,
    ) -> f64 {
        match self.slow_for(request) {
            Some(slow) => self.healthy.blend_share_within(slow, self.strength(age, nth), limit),
            None => self.healthy.share_within(limit),
        }
    }

    /// The statuses that errors have, each with its share of all errors. Empty when nothing fails.
    #[must_use]
    pub fn error_statuses(&self) -> &[(u16, f64)] {
        self.errors.as_ref().map_or(&[], |failing| &failing.shares)
    }

    /// The exception behind every error, if the fault names one.
    #[must_use]
    pub fn exception(&self) -> Option<&str> {
        self.errors.as_ref().and_then(|failing| failing.exception.as_deref())
    }

    /// What the server says of itself. A crashed one is neither ready nor alive.
    #[must_use]
    pub fn health(&self, age: Duration) -> Health {
        let crashed = self.crash.filter(|crash| age >= crash.after.0).map(|crash| crash.exit_code);
        let up = crashed.is_none();
        Health {
            ready: up && self.readiness.is_none_or(|readiness| readiness.at(age)),
            live: up && self.liveness.is_none_or(|liveness| age < liveness.turn()),
            crashed,
        }
    }

    /// The next age at which [`Self::health`] may answer otherwise.
    #[must_use]
    pub fn next_change(&self, age: Duration) -> Option<Duration> {
        let end = self.crash_after();
        if end.is_some_and(|end| age >= end) {
            return None;
        }
        let turns = [self.readiness.and_then(Readiness::turn), self.liveness.map(Liveness::turn), end];
        turns.into_iter().flatten().filter(|turn| *turn > age).min()
    }

    /// The next age at which [`Self::strength`] begins to move or stops moving: the onset, then the end of the ramp.
    #[must_use]
    pub fn next_strength_change(&self, age: Duration) -> Option<Duration> {
        let start = self.onset.map_or(Some(Duration::ZERO), Onset::age)?;
        [start, start.saturating_add(self.ramp)].into_iter().find(|turn| *turn > age)
    }

    /// The age at which the process ends by itself.
    #[must_use]
    pub fn crash_after(&self) -> Option<Duration> {
        self.crash.map(|crash| crash.after.0)
    }

    fn blend(&self, strength: f64, request: &Request<'_>, q: f64) -> Duration {
        match self.slow_for(request) {
            Some(slow) if strength >= 1.0 => slow.at(q),
            Some(slow) if strength > 0.0 => self.healthy.blend_at(slow, strength, q),
            _ => self.healthy.at(q),
        }
    }

    fn slow_for(&self, request: &Request<'_>) -> Option<&Quantiles> {
        let slow = self.slow.as_ref()?;
        slow.cohort.as_ref().is_none_or(|cohort| cohort.contains(request)).then_some(&slow.quantiles)
    }
}

impl Failing {
    fn new(errors: &super::Errors) -> Self {
        let shares = errors.shares();
        let mut sum = 0.0;
        let upto = shares.iter().map(|(status, share)| {
            sum += share;
            (sum, *status)
        });
        Self {
            rate: errors.rate.0,
            upto: upto.collect(),
            shares,
            exception: errors.exception.clone(),
            cohort: errors.cohort.clone(),
        }
    }

    fn probability(&self, strength: f64, request: &Request<'_>) -> f64 {
        let hit = self.cohort.as_ref().is_none_or(|cohort| cohort.contains(request));
        if hit { self.rate * strength } else { 0.0 }
    }

    /// Given that `fate` fell below the probability, the two divided are again uniform: one draw chooses the status too.
    fn status(&self, strength: f64, request: &Request<'_>, fate: f64) -> Option<(u16, Option<&str>)> {
        let probability = self.probability(strength, request);
        if fate >= probability {
            return None;
        }
        let which = fate / probability;
        // The last share takes what rounding left over.
        let (_, status) = self.upto.iter().find(|(upto, _)| which < *upto).or(self.upto.last())?;
        Some((*status, self.exception.as_deref()))
    }
}

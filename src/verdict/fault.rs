//! Was the fault that was asked for the fault that was served?
//!
//! The client's counts are compared with what the fault's own pure function predicts. Pods of one revision differ in
//! age, so the prediction is an interval: from the least to the greatest harm any of them could have done in each
//! second, widened by what chance may add (99.9 %).

use fake_app::fault::Prepared;

/// Requests that the new revision answered while its fault had this least and this greatest error probability.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    /// Sum over requests of the least probability.
    pub least: f64,
    /// Sum over requests of the greatest probability.
    pub most: f64,
    /// Greatest variance.
    pub variance: f64,
    /// Requests.
    pub sent: u64,
}

/// 99.9 % of a normal distribution lie within so many standard deviations.
const Z: f64 = 3.290_526_7;

impl Expected {
    /// Adds requests whose probability to fail lay between these.
    pub fn add(&mut self, sent: u64, least: f64, most: f64) {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
        let n = sent as f64;
        self.least += n * least;
        self.most += n * most;
        // p(1-p) is greatest at the end nearer to one half.
        let worst = if (least..=most).contains(&0.5) {
            0.5
        } else if most < 0.5 {
            most
        } else {
            least
        };
        self.variance += n * worst * (1.0 - worst);
        self.sent += sent;
    }

    /// How many errors are credible: at least and at most.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        // Half a request for the step from the binomial to the normal, and one for requests that straddle a second.
        let slack = Z * self.variance.sqrt() + 1.5;
        ((self.least - slack).max(0.0), self.most + slack)
    }

    /// Whether this many errors are credible.
    #[must_use]
    pub fn allows(&self, errors: u64) -> bool {
        let (least, most) = self.interval();
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
        let errors = errors as f64;
        (least..=most).contains(&errors)
    }
}

/// The least and greatest error probability of pods whose ages lie between these.
#[must_use]
pub fn probability_between(
    fault: &Prepared,
    request: &fake_app::fault::Request<'_>,
    youngest: std::time::Duration,
    oldest: std::time::Duration,
) -> (f64, f64) {
    // Strength only grows with age, so the ends bound it; an onset after a number of requests can be anywhere.
    let at = |age, nth| fault.error_probability(age, nth, request);
    let ends = [at(youngest, 0), at(oldest, 0), at(youngest, u64::MAX), at(oldest, u64::MAX)];
    (ends.iter().copied().fold(f64::INFINITY, f64::min), ends.iter().copied().fold(0.0, f64::max))
}

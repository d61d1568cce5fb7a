//! Compensated summation, as Prometheus sums: Kahan's with Neumaier's improvement (`util/kahansum`, v3).

/// A running sum that carries its own rounding error.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kahan {
    pub(crate) sum: f64,
    pub(crate) error: f64,
}

impl Kahan {
    /// A sum that starts at `first`, which costs no rounding.
    pub(crate) fn starting_at(first: f64) -> Self {
        Self { sum: first, error: 0.0 }
    }

    pub(crate) fn add(&mut self, v: f64) {
        let total = self.sum + v;
        if total.is_infinite() {
            self.error = 0.0;
        } else if self.sum.abs() >= v.abs() {
            self.error += (self.sum - total) + v;
        } else {
            self.error += (v - total) + self.sum;
        }
        self.sum = total;
    }

    pub(crate) fn value(self) -> f64 {
        self.sum + self.error
    }
}

/// A mean that sums as long as the sum stays finite and only then falls back to a running mean, which is less
/// exact but does not overflow (Prometheus issue 16714).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mean {
    total: Kahan,
    count: f64,
    incremental: bool,
}

impl Mean {
    pub(crate) fn starting_at(first: f64) -> Self {
        Self { total: Kahan::starting_at(first), count: 1.0, incremental: false }
    }

    pub(crate) fn add(&mut self, v: f64) {
        self.count += 1.0;
        if !self.incremental {
            let mut next = self.total;
            next.add(v);
            if !next.sum.is_infinite() {
                self.total = next;
                return;
            }
            self.incremental = true;
            self.total.sum /= self.count - 1.0;
            self.total.error /= self.count - 1.0;
        }
        let weight = (self.count - 1.0) / self.count;
        self.total = Kahan { sum: weight * self.total.sum, error: weight * self.total.error };
        self.total.add(v / self.count);
    }

    pub(crate) fn value(self) -> f64 {
        if self.incremental {
            self.total.value()
        } else {
            self.total.sum / self.count + self.total.error / self.count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_survive_large_ones() {
        let mut sum = Kahan::starting_at(2.0);
        [8.0, 1e100, -1e100].into_iter().for_each(|v| sum.add(v));
        assert_eq!(sum.value(), 10.0);
    }

    #[test]
    fn a_mean_does_not_overflow() {
        let mut mean = Mean::starting_at(f64::MAX);
        (0..3).for_each(|_| mean.add(f64::MAX));
        assert!((mean.value() / f64::MAX - 1.0).abs() < 1e-15);
    }
}

//! Classic histograms: counts by upper bound.

use std::sync::Arc;

/// How an upper bound is written in the `le` label; clients differ, and old queries name it literally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `1`, as Go clients write.
    Go,
    /// `1.0`, as Java clients write.
    Java,
}

/// The upper bounds of a histogram, rising, without the infinite one.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    bounds: Arc<[f64]>,
    labels: Arc<[String]>,
}

/// Bounds that no histogram can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bucket bounds must be finite and rise, and there may be 500 of them")]
pub struct BucketsError;

/// More buckets than this are a mistake, not a histogram.
const MOST: usize = 500;

impl Buckets {
    /// Checks and keeps the bounds.
    pub fn new(bounds: &[f64], style: Style) -> Result<Self, BucketsError> {
        let rising = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if bounds.len() > MOST || !rising || bounds.iter().any(|bound| !bound.is_finite()) {
            return Err(BucketsError);
        }
        let labels = bounds.iter().map(|bound| write_bound(*bound, style)).chain(["+Inf".to_owned()]);
        Ok(Self { bounds: bounds.into(), labels: labels.collect() })
    }

    /// The finite bounds.
    #[must_use]
    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// The `le` labels, `+Inf` last: one more than there are bounds.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The bucket that a value falls into; the last one is infinite.
    #[must_use]
    pub fn index(&self, value: f64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }
}

fn write_bound(bound: f64, style: Style) -> String {
    match style {
        Style::Java if bound == bound.trunc() => format!("{bound:.1}"),
        _ => bound.to_string(),
    }
}

/// What a histogram has seen. Counts are per bucket here and cumulative only when they leave.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HistogramSlot {
    pub(super) buckets: Buckets,
    pub(super) counts: Box<[u64]>,
    pub(super) sum: f64,
}

impl HistogramSlot {
    pub(super) fn new(buckets: Buckets) -> Self {
        let counts = vec![0; buckets.labels.len()].into();
        Self { buckets, counts, sum: 0.0 }
    }

    pub(super) fn observe(&mut self, value: f64, times: u64) {
        self.counts[self.buckets.index(value)] += times;
        self.sum += value * times as f64;
    }

    /// Adds whole buckets at once; surplus counts land in the infinite bucket rather than nowhere.
    pub(super) fn add(&mut self, counts: &[u64], sum: f64) {
        let last = self.counts.len() - 1;
        for (index, count) in counts.iter().enumerate() {
            self.counts[index.min(last)] += count;
        }
        self.sum += sum;
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        let buckets = Buckets::new(&[0.1, 0.8, 1.0], Style::Go).unwrap();
        let indexes: Vec<_> = [0.05, 0.1, 0.100_1, 0.8, 1.0, 1.1].map(|value| buckets.index(value)).into();
        assert_eq!(indexes, [0, 0, 1, 1, 2, 3]);
    }

    #[test]
    fn bounds_are_written_as_their_clients_do() {
        let go = Buckets::new(&[0.25, 1.0, 10.0], Style::Go).unwrap();
        let java = Buckets::new(&[0.25, 1.0, 10.0], Style::Java).unwrap();
        assert_eq!(go.labels(), ["0.25", "1", "10", "+Inf"]);
        assert_eq!(java.labels(), ["0.25", "1.0", "10.0", "+Inf"]);
    }

    #[test]
    fn bounds_rise_and_are_finite() {
        for bounds in [&[1.0, 1.0][..], &[2.0, 1.0], &[f64::NAN], &[1.0, f64::INFINITY]] {
            assert_eq!(Buckets::new(bounds, Style::Go), Err(BucketsError), "{bounds:?}");
        }
    }

    #[test]
    fn counts_added_in_bulk_equal_counts_observed() {
        let buckets = Buckets::new(&[1.0, 2.0], Style::Go).unwrap();
        let (mut one, mut bulk) = (HistogramSlot::new(buckets.clone()), HistogramSlot::new(buckets));
        one.observe(0.5, 3);
        one.observe(9.0, 1);
        bulk.add(&[3, 0, 1], 10.5);
        assert_eq!(one, bulk);
        assert_eq!(one.count(), 4);
    }
}

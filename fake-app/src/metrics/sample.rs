//! The way out without text: samples one by one.

use std::time::Duration;

use super::registry::{Family, Labels, Registry, Series, Slot};

/// The identity of a sample within its registry. It stays the same for the registry's life, so that a scraper can remember what it knows
/// about the series behind it instead of comparing labels again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SampleId {
    /// The number of the series, in order of first use.
    pub series: u32,
    /// Which of its samples: 0 for a plain value, else the bucket, then `_sum`, then `_count`.
    pub part: u32,
}

/// One value, and on demand its name and labels.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Who it is.
    pub id: SampleId,
    /// What it says.
    pub value: f64,
    family: &'a Family,
    labels: &'a Labels,
    suffix: &'static str,
    le: Option<&'a str>,
}

impl<'a> Sample<'a> {
    /// The name of the series: `http_requests_total`, `http_request_duration_seconds_bucket`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}", self.family.name, self.suffix)
    }

    /// The two halves of the name.
    pub(super) fn name_parts(&self) -> (&'a str, &'static str) {
        (&self.family.name, self.suffix)
    }

    /// The labels in order of name, `le` included.
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let le = self.le.map(|le| ("le", le));
        let before = self.labels.iter().take_while(|(name, _)| name.as_str() < "le");
        let after = self.labels.iter().skip_while(|(name, _)| name.as_str() < "le");
        let plain = |(name, value): (&'a String, &'a String)| (name.as_str(), value.as_str());
        before.map(plain).chain(le).chain(after.map(plain))
    }
}

impl Registry {
    /// Shows every sample as of an age, families in order of name, series in order of labels, buckets rising.
    pub fn visit<'a>(&'a self, age: Duration, mut see: impl FnMut(Sample<'a>)) {
        for index in self.order.values() {
            self.visit_family(&self.families[*index], age, &mut see);
        }
    }

    pub(super) fn visit_family<'a>(
        &'a self,
        family: &'a Family,
        age: Duration,
        see: &mut impl FnMut(Sample<'a>),
    ) {
        for (labels, series) in &family.series {
            self.visit_series(family, labels, *series, age, see);
        }
    }

    fn visit_series<'a>(
        &'a self,
        family: &'a Family,
        labels: &'a Labels,
        series: Series,
        age: Duration,
        see: &mut impl FnMut(Sample<'a>),
    ) {
        let mut part = 0;
        let mut show = |suffix, le, value| {
            see(Sample { id: SampleId { series: series.number, part }, value, family, labels, suffix, le });
            part += 1;
        };
        match series.slot {
            Slot::Value(index) => show("", None, self.values[index]),
            Slot::Maximum(index) => show("", None, self.maxima[index].at(age)),
            Slot::Summary(index) => {
                show("_sum", None, self.summaries[index].sum);
                show("_count", None, self.summaries[index].count as f64);
            }
            Slot::Histogram(index) => {
                let slot = &self.histograms[index];
                let mut upto = 0;
                for (count, le) in slot.counts.iter().zip(slot.buckets.labels()) {
                    upto += count;
                    show("_bucket", Some(le.as_str()), upto as f64);
                }
                show("_sum", None, slot.sum);
                show("_count", None, slot.count() as f64);
            }
        }
    }
}

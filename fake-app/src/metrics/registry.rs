//! Families, series, and the slots that handles point at.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use super::histogram::{Buckets, HistogramSlot};
use super::name::{is_label_name, is_metric_name};
use super::window_max::WindowMax;

/// Labels in order of name.
pub type Labels = BTreeMap<String, String>;

/// What a family is to a scraper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It comes and goes.
    Gauge,
    /// Counts by upper bound: `_bucket`, `_sum`, `_count`.
    Histogram,
    /// A sum and a count: `_sum`, `_count`.
    Summary,
}

/// A family or label that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Prometheus would not accept the name.
    #[error("{0:?} cannot be the name of a metric")]
    MetricName(String),
    /// Prometheus would not accept the label, or it is one that a histogram sets itself.
    #[error("{0:?} cannot be the name of a label of {1}")]
    LabelName(String, String),
    /// The family exists as something else.
    #[error("{0} is already a {1:?}")]
    OtherKind(String, Kind),
}

/// All families of one process.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    pub(super) order: BTreeMap<String, usize>,
    pub(super) families: Vec<Family>,
    pub(super) values: Vec<f64>,
    pub(super) maxima: Vec<WindowMax>,
    pub(super) histograms: Vec<HistogramSlot>,
    pub(super) summaries: Vec<SummarySlot>,
    series: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) kind: Kind,
    buckets: Option<Buckets>,
    pub(super) series: BTreeMap<Labels, Series>,
}

/// Where the value of a series lies, and its number among all series of the registry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    pub(super) number: u32,
    pub(super) slot: Slot,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Value(usize),
    Maximum(usize),
    Histogram(usize),
    Summary(usize),
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SummarySlot {
    pub(super) count: u64,
    pub(super) sum: f64,
}

macro_rules! handles {
    ($($family:ident, $series:ident: $what:literal;)*) => { $(
        #[doc = concat!("A family of ", $what, "s.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $family(usize);

        #[doc = concat!("One ", $what, ", by index. It belongs to the registry that made it.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $series(usize);
    )* };
}

handles! {
    CounterFamily, Counter: "counter";
    GaugeFamily, Gauge: "gauge";
    HistogramFamily, Histogram: "histogram";
    SummaryFamily, Summary: "summary";
}

/// One gauge that shows the largest value of the last minutes, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maximum(usize);

// === families ===

impl Registry {
    /// Finds or founds a family of counters.
    pub fn counter_family(&mut self, name: &str, help: &str) -> Result<CounterFamily, RegistryError> {
        self.family(name, help, Kind::Counter, None).map(CounterFamily)
    }

    /// Finds or founds a family of gauges.
    pub fn gauge_family(&mut self, name: &str, help: &str) -> Result<GaugeFamily, RegistryError> {
        self.family(name, help, Kind::Gauge, None).map(GaugeFamily)
    }

    /// Finds or founds a family of histograms. All of them have the buckets that the family was founded with.
    pub fn histogram_family(
        &mut self,
        name: &str,
        help: &str,
        buckets: &Buckets,
    ) -> Result<HistogramFamily, RegistryError> {
        self.family(name, help, Kind::Histogram, Some(buckets.clone())).map(HistogramFamily)
    }

    /// Finds or founds a family of summaries.
    pub fn summary_family(&mut self, name: &str, help: &str) -> Result<SummaryFamily, RegistryError> {
        self.family(name, help, Kind::Summary, None).map(SummaryFamily)
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        kind: Kind,
        buckets: Option<Buckets>,
    ) -> Result<usize, RegistryError> {
        if !is_metric_name(name) {
            return Err(RegistryError::MetricName(name.to_owned()));
        }
        if let Some(index) = self.order.get(name) {
            let there = self.families[*index].kind;
            return if there == kind {
                Ok(*index)
            } else {
                Err(RegistryError::OtherKind(name.to_owned(), there))
            };
        }
        let index = self.families.len();
        let (name, help) = (name.to_owned(), help.to_owned());
        self.order.insert(name.clone(), index);
        self.families.push(Family { name, help, kind, buckets, series: BTreeMap::new() });
        Ok(index)
    }
}

// === series ===

impl Registry {
    /// Finds or founds a counter.
    pub fn counter(&mut self, family: CounterFamily, labels: &Labels) -> Result<Counter, RegistryError> {
        self.value(family.0, labels).map(Counter)
    }

    /// Finds or founds a gauge.
    pub fn gauge(&mut self, family: GaugeFamily, labels: &Labels) -> Result<Gauge, RegistryError> {
        self.value(family.0, labels).map(Gauge)
    }

    /// Finds or founds a gauge that shows the largest value of the last minutes.
    pub fn maximum(&mut self, family: GaugeFamily, labels: &Labels) -> Result<Maximum, RegistryError> {
        let fresh = self.maxima.len();
        match self.series(family.0, labels, Slot::Maximum(fresh))? {
            Slot::Maximum(index) => {
                if index == fresh {
                    self.maxima.push(WindowMax::default());
                }
                Ok(Maximum(index))
            }
            _ => Err(RegistryError::OtherKind(self.families[family.0].name.clone(), Kind::Gauge)),
        }
    }

    /// Finds or founds a histogram.
    pub fn histogram(
        &mut self,
        family: HistogramFamily,
        labels: &Labels,
    ) -> Result<Histogram, RegistryError> {
        let fresh = self.histograms.len();
        match self.series(family.0, labels, Slot::Histogram(fresh))? {
            Slot::Histogram(index) => {
                if index == fresh {
                    let buckets = self.families[family.0]
                        .buckets
                        .clone()
                        .expect("a histogram family is founded with buckets");
                    self.histograms.push(HistogramSlot::new(buckets));
                }
                Ok(Histogram(index))
            }
            _ => unreachable!("a histogram family holds histograms only"),
        }
    }

    /// Finds or founds a summary.
    pub fn summary(&mut self, family: SummaryFamily, labels: &Labels) -> Result<Summary, RegistryError> {
        let fresh = self.summaries.len();
        match self.series(family.0, labels, Slot::Summary(fresh))? {
            Slot::Summary(index) => {
                if index == fresh {
                    self.summaries.push(SummarySlot::default());
                }
                Ok(Summary(index))
            }
            _ => unreachable!("a summary family holds summaries only"),
        }
    }

    fn value(&mut self, family: usize, labels: &Labels) -> Result<usize, RegistryError> {
        let fresh = self.values.len();
        match self.series(family, labels, Slot::Value(fresh))? {
            Slot::Value(index) => {
                if index == fresh {
                    self.values.push(0.0);
                }
                Ok(index)
            }
            _ => {
                Err(RegistryError::OtherKind(self.families[family].name.clone(), self.families[family].kind))
            }
        }
    }

    /// The slot of a series; `fresh` if it has none yet.
    fn series(&mut self, family: usize, labels: &Labels, fresh: Slot) -> Result<Slot, RegistryError> {
        let family = &mut self.families[family];
        if let Some(bad) = labels
            .keys()
            .find(|name| !is_label_name(name) || (family.kind == Kind::Histogram && *name == "le"))
        {
            return Err(RegistryError::LabelName(bad.clone(), family.name.clone()));
        }
        Ok(match family.series.entry(labels.clone()) {
            Entry::Occupied(there) => there.get().slot,
            Entry::Vacant(place) => {
                let number = self.series;
                self.series += 1;
                place.insert(Series { number, slot: fresh }).slot
            }
        })
    }
}

// === counting ===

impl Registry {
    /// Adds to a counter. Counters never fall: a negative amount counts as nothing.
    pub fn add(&mut self, counter: Counter, amount: f64) {
        self.values[counter.0] += amount.max(0.0);
    }

    /// Sets a gauge.
    pub fn set(&mut self, gauge: Gauge, value: f64) {
        self.values[gauge.0] = value;
    }

    /// Notes a value for a maximum.
    pub fn note(&mut self, maximum: Maximum, age: Duration, value: f64) {
        self.maxima[maximum.0].record(age, value);
    }

    /// Observes a value a number of times.
    pub fn observe(&mut self, histogram: Histogram, value: f64, times: u64) {
        self.histograms[histogram.0].observe(value, times);
    }

    /// Adds counts per bucket (not cumulative, the infinite bucket last) and the sum of the values behind them.
    pub fn observe_buckets(&mut self, histogram: Histogram, counts: &[u64], sum: f64) {
        self.histograms[histogram.0].add(counts, sum);
    }

    /// The buckets of a histogram.
    #[must_use]
    pub fn buckets(&self, histogram: Histogram) -> &Buckets {
        &self.histograms[histogram.0].buckets
    }

    /// Observes a value in a summary a number of times.
    pub fn summarize(&mut self, summary: Summary, value: f64, times: u64) {
        let slot = &mut self.summaries[summary.0];
        slot.count += times;
        slot.sum += value * times as f64;
    }
}

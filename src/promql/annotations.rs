//! Remarks that come with an answer: warnings and infos. They never change the answer; each is kept once.
//! Wording follows Prometheus `util/annotations/annotations.go`, v3.

use std::collections::BTreeMap;

use super::error::{Span, line_column};
use super::{calendar, format};

/// How serious a remark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The query itself looks wrong.
    Warning,
    /// The data look odd; the answer may still be right.
    Info,
}

/// One remark about one expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How serious it is.
    pub level: Level,
    /// What is remarked, without prefix and position.
    pub message: String,
    /// Particulars that are added up over the steps of a query; mostly empty.
    pub detail: String,
    /// The expression meant.
    pub span: Span,
}

impl Annotation {
    /// The remark as the query API prints it.
    pub fn display_in(&self, source: &str) -> String {
        let (line, column) = line_column(source, self.span.start);
        format!("{}{} ({line}:{column})", self.headline(), self.detail)
    }

    /// The remark without position and particulars.
    pub fn headline(&self) -> String {
        let prefix = match self.level {
            Level::Warning => "PromQL warning",
            Level::Info => "PromQL info",
        };
        format!("{prefix}: {}", self.message)
    }
}

/// The remarks collected during one evaluation, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations(BTreeMap<Key, Option<Lifted>>);

/// What makes two remarks the same remark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    level: Level,
    start: usize,
    end: usize,
    message: String,
}

/// Where and how far decreasing bucket counts had to be lifted, over all histograms a remark is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lifted {
    /// Lowest bound lifted.
    pub(crate) lowest: f64,
    /// Highest bound lifted.
    pub(crate) highest: f64,
    /// Largest lift.
    pub(crate) most: f64,
    samples: usize,
    from: i64,
    to: i64,
}

impl Lifted {
    /// One bucket of one histogram at time `t`.
    pub(crate) fn one(bound: f64, by: f64, t: i64) -> Self {
        Self { lowest: bound, highest: bound, most: by, samples: 1, from: t, to: t }
    }

    /// Takes in another bucket of the same histogram.
    pub(crate) fn widen(&mut self, other: Self) {
        self.lowest = self.lowest.min(other.lowest);
        self.highest = self.highest.max(other.highest);
        self.most = self.most.max(other.most);
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
    }

    fn describe(&self) -> String {
        let (lowest, highest) = (format::float_g(self.lowest), format::float_g(self.highest));
        let (from, to) = (calendar::rfc3339(self.from / 1000), calendar::rfc3339(self.to / 1000));
        let (most, samples) = (format::float_g2(self.most), self.samples);
        format!(
            ", from buckets {lowest} to {highest}, with a max diff of {most}, over {samples} samples from {from} to {to}"
        )
    }
}

impl Annotations {
    /// All remarks, warnings first.
    pub fn iter(&self) -> impl Iterator<Item = Annotation> {
        self.0.iter().map(|(key, lifted)| Annotation {
            level: key.level,
            message: key.message.clone(),
            detail: lifted.as_ref().map(Lifted::describe).unwrap_or_default(),
            span: key.start..key.end,
        })
    }

    /// Whether there is nothing to remark.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, level: Level, span: &Span, message: String) {
        self.0.insert(Key { level, message, start: span.start, end: span.end }, None);
    }

    pub(crate) fn invalid_quantile(&mut self, q: f64, span: &Span) {
        let got = format::float_g(q);
        self.add(Level::Warning, span, format!("quantile value should be between 0 and 1, got {got}"));
    }

    pub(crate) fn invalid_ratio(&mut self, ratio: f64, capped: f64, span: &Span) {
        let (got, to) = (format::float_g(ratio), format::float_g(capped));
        let message = format!("ratio value should be between -1 and 1, got {got}, capping to {to}");
        self.add(Level::Warning, span, message);
    }

    pub(crate) fn bad_bucket_label(&mut self, metric: &str, label: &str, span: &Span) {
        let label = format::quote(label);
        let message = format!("bucket label \"le\" is missing or has a malformed value of {label}");
        self.add(Level::Warning, span, for_metric(message, metric));
    }

    pub(crate) fn sort_in_range(&mut self, span: &Span) {
        let message = "sort is ineffective for range queries since results are always ordered by labels";
        self.add(Level::Warning, span, message.to_owned());
    }

    pub(crate) fn incompatible_types(&mut self, op: &str, span: &Span) {
        let message = format!(
            "incompatible sample types encountered for binary operator {}: float {op} float",
            format::quote(op)
        );
        self.add(Level::Info, span, message);
    }

    pub(crate) fn possible_non_counter(&mut self, metric: &str, span: &Span) {
        let metric = format::quote(metric);
        let message = format!(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {metric}"
        );
        self.add(Level::Info, span, message);
    }

    pub(crate) fn forced_monotonicity(&mut self, metric: &str, lifted: Lifted, span: &Span) {
        let message = "input to histogram_quantile needed to be fixed for monotonicity (see \
            https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        let message = for_metric(message.to_owned(), metric);
        let key = Key { level: Level::Info, message, start: span.start, end: span.end };
        match self.0.entry(key).or_insert(None) {
            Some(known) => {
                known.widen(lifted);
                known.samples += lifted.samples;
            }
            fresh => *fresh = Some(lifted),
        }
    }
}

fn for_metric(message: String, metric: &str) -> String {
    if metric.is_empty() { message } else { format!("{message} for metric name {}", format::quote(metric)) }
}

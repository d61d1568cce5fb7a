//! A profile of one's own: names and labels as the policy's queries have them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::family::{Family, Measure, Source};
use super::http;
use crate::fault::Problem;
use crate::metrics::{Buckets, Style, is_label_name, is_metric_name};

/// A counter and a histogram under names of one's own.
///
/// Example:
///
/// ```yaml
/// custom:
///   counter: shop_requests_total
///   histogram: {name: shop_latency_ms, unit: milliseconds, buckets: [10, 50, 100, 500, 1000]}
///   labels: {code: status, verb: method}
///   constant: {team: checkout}
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Custom {
    /// A counter of requests. Example: `counter: shop_requests_total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<String>,
    /// A histogram of latencies. Example: `histogram: {name: shop_latency_seconds}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<CustomHistogram>,
    /// Label names, each with what it carries. Example: `labels: {code: status, verb: method}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Carried>,
    /// Labels that are always the same. Example: `constant: {team: checkout}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constant: BTreeMap<String, String>,
}

/// A histogram of latencies under a name of one's own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CustomHistogram {
    /// The name, without `_bucket`. Example: `name: shop_latency_seconds`.
    pub name: String,
    /// What the values are counted in; seconds unless said otherwise. Example: `unit: milliseconds`.
    #[serde(default)]
    pub unit: Unit,
    /// The upper bounds, rising, in that unit; those of the `http` profile unless said otherwise. Example: `buckets: [0.1, 0.5, 0.8, 1]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Vec<f64>>,
}

/// What latencies are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds, as Prometheus advises.
    #[default]
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    /// How many of them a second has.
    #[must_use]
    pub const fn per_second(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Milliseconds => 1000.0,
        }
    }
}

/// What a label carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Carried {
    /// The status: `503`.
    Status,
    /// The class of the status: `5xx`.
    StatusClass,
    /// The class of the status in words: `SERVER_ERROR`.
    Outcome,
    /// The method: `GET`.
    Method,
    /// The path: `/checkout`.
    Path,
    /// The exception behind an error, or `none`.
    Exception,
}

impl From<Carried> for Source {
    fn from(carried: Carried) -> Self {
        match carried {
            Carried::Status => Self::Status,
            Carried::StatusClass => Self::StatusClass,
            Carried::Outcome => Self::Outcome,
            Carried::Method => Self::Method,
            Carried::Path => Self::Path,
            Carried::Exception => Self::Exception,
        }
    }
}

impl Custom {
    /// The families of a profile that was checked; one that was not may lack what makes no sense.
    pub(super) fn families(&self) -> Vec<Family> {
        let counter = self.counter.iter().map(|name| self.family(name, "Requests.", Measure::Count));
        let histogram = self.histogram.iter().filter_map(|asked| {
            let measure = Measure::Time(asked.unit, asked.bounds()?);
            Some(self.family(&asked.name, "Duration of requests.", measure))
        });
        counter.chain(histogram).collect()
    }

    fn family(&self, name: &str, help: &'static str, measure: Measure) -> Family {
        let carried = self.labels.iter().map(|(name, carried)| (name.clone(), Source::from(*carried)));
        let constant = self
            .constant
            .iter()
            .map(|(name, value)| (name.clone(), Source::Fixed(Cow::Owned(value.clone()))));
        Family { name: name.to_owned(), help, measure, labels: carried.chain(constant).collect() }
    }

    pub(super) fn check(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let names = self.counter.iter().map(|name| ("custom.counter", name));
        let names: Vec<_> =
            names.chain(self.histogram.iter().map(|asked| ("custom.histogram.name", &asked.name))).collect();
        if names.is_empty() {
            found.push(Problem::new("custom", "it exports nothing", "add `counter` or `histogram`"));
        }
        for (path, name) in &names {
            if !is_metric_name(name) {
                found.push(Problem::new(
                    *path,
                    format!("{name:?} cannot be the name of a metric"),
                    "use letters, digits and underscores",
                ));
            }
        }
        if let [(_, counter), (path, histogram)] = names[..]
            && counter == histogram
        {
            found.push(Problem::new(path, "the counter has the same name", "choose another"));
        }
        if self.histogram.as_ref().is_some_and(|asked| asked.bounds().is_none()) {
            let help = "write up to 500 numbers, each more than the one before";
            found.push(Problem::new("custom.histogram.buckets", "bounds must be finite and rise", help));
        }
        self.check_labels(&mut found);
        found
    }

    fn check_labels(&self, found: &mut Vec<Problem>) {
        let constant: BTreeSet<&String> = self.constant.keys().collect();
        for (of, name) in self
            .labels
            .keys()
            .map(|name| ("labels", name))
            .chain(constant.iter().map(|name| ("constant", *name)))
        {
            if !is_label_name(name) || name == "le" {
                let message = format!("{name:?} cannot be the name of a label");
                found.push(Problem::new(
                    format!("custom.{of}.{name}"),
                    message,
                    "use letters, digits and underscores; `le` is taken",
                ));
            }
        }
        for name in self.labels.keys().filter(|name| constant.contains(name)) {
            found.push(Problem::new(
                format!("custom.constant.{name}"),
                "the label carries something already",
                "remove one of the two",
            ));
        }
    }
}

impl CustomHistogram {
    fn bounds(&self) -> Option<Buckets> {
        match &self.buckets {
            Some(bounds) => Buckets::new(bounds, Style::Go).ok(),
            None => {
                let bounds: Vec<f64> =
                    http::BOUNDS.iter().map(|bound| bound * self.unit.per_second()).collect();
                Buckets::new(&bounds, Style::Go).ok()
            }
        }
    }
}

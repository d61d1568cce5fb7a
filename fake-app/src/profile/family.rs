//! One family of a profile: its name, what it measures, and where its labels come from.

use std::borrow::Cow;

use super::custom::Unit;
use crate::metrics::{Buckets, Kind, Labels, Style};

/// A family that a profile exports.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name without suffix.
    pub name: String,
    /// One line for the scraper.
    pub help: &'static str,
    /// What is measured.
    pub measure: Measure,
    /// Label names with the source of their values.
    pub labels: Vec<(String, Source)>,
}

/// What a family measures.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Requests, as a counter.
    Count,
    /// Latencies, as a histogram.
    Time(Unit, Buckets),
    /// The longest latency of the last minutes, as a gauge.
    Longest(Unit),
}

/// Where the value of a label comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The method of the request.
    Method,
    /// The path of the request.
    Path,
    /// The status of the answer: `503`.
    Status,
    /// The class of the status: `5xx`.
    StatusClass,
    /// The class of the status in Micrometer's words: `SERVER_ERROR`.
    Outcome,
    /// The exception behind an error, or `none`.
    Exception,
    /// The gRPC code that stands for the status: `Unavailable`.
    GrpcCode,
    /// The first part of the path, as gRPC routes.
    GrpcService,
    /// The second part of the path, as gRPC routes.
    GrpcMethod,
    /// Always the same.
    Fixed(Cow<'static, str>),
    /// The first of these keys that the embedder knows about the server, or a default.
    Identity(&'static [&'static str], &'static str),
}

impl Family {
    pub(super) fn new(name: &str, help: &'static str, measure: Measure, labels: &[(&str, Source)]) -> Self {
        let labels = labels.iter().map(|(name, source)| ((*name).to_owned(), source.clone())).collect();
        Self { name: name.to_owned(), help, measure, labels }
    }

    /// What the family is to a scraper.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.measure {
            Measure::Count => Kind::Counter,
            Measure::Time(..) => Kind::Histogram,
            Measure::Longest(_) => Kind::Gauge,
        }
    }

    /// The names that queries can ask for.
    #[must_use]
    pub fn sample_names(&self) -> Vec<String> {
        match self.kind() {
            Kind::Histogram => {
                ["_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", self.name)).into()
            }
            _ => vec![self.name.clone()],
        }
    }

    /// The labels of one of these names; only buckets have `le`.
    #[must_use]
    pub fn label_names(&self, sample: &str) -> Vec<&str> {
        let bucket = matches!(self.measure, Measure::Time(..)) && sample.ends_with("_bucket");
        let mut names: Vec<&str> =
            self.labels.iter().map(|(name, _)| name.as_str()).chain(bucket.then_some("le")).collect();
        names.sort_unstable();
        names
    }
}

impl Source {
    /// The value for a request that had such an end.
    pub(super) fn value(&self, key: &super::Key<'_>, identity: &Labels) -> String {
        match self {
            Self::Method => key.method.to_owned(),
            Self::Path => key.path.to_owned(),
            Self::Status => key.status.to_string(),
            Self::StatusClass => format!("{}xx", key.status / 100),
            Self::Outcome => outcome(key.status).to_owned(),
            Self::Exception => key.exception.unwrap_or("none").to_owned(),
            Self::GrpcCode => super::grpc::code(key.status).to_owned(),
            Self::GrpcService => super::grpc::route(key.path).0.to_owned(),
            Self::GrpcMethod => super::grpc::route(key.path).1.to_owned(),
            Self::Fixed(value) => value.clone().into_owned(),
            Self::Identity(keys, default) => keys
                .iter()
                .find_map(|key| identity.get(*key))
                .map_or_else(|| (*default).to_owned(), Clone::clone),
        }
    }
}

/// `Outcome` in micrometer-core 1.13.
fn outcome(status: u16) -> &'static str {
    match status / 100 {
        1 => "INFORMATIONAL",
        2 => "SUCCESS",
        3 => "REDIRECTION",
        4 => "CLIENT_ERROR",
        5 => "SERVER_ERROR",
        _ => "UNKNOWN",
    }
}

/// Bounds that stand in this source; a test walks all of them.
pub(super) fn buckets(bounds: &[f64], style: Style) -> Buckets {
    Buckets::new(bounds, style).expect("the bounds of built-in profiles rise")
}

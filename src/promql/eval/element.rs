//! Values while they are being computed.

use std::sync::Arc;

use super::super::labels::Labels;
use super::super::value::{RangeSeries, Sample};

/// One element of an instant vector on its way through a query.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) labels: Labels,
    pub(crate) v: f64,
    /// When the sample behind the value was taken. Only `timestamp()` wants to know.
    pub(crate) taken: i64,
    /// The metric name no longer fits and goes at the end of the query.
    pub(crate) drop_name: bool,
}

/// The value of a sub-expression at one moment.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Scalar(f64),
    Vector(Vec<Element>),
    Text(Arc<str>),
    /// Only as the answer to a whole query.
    Matrix(Vec<RangeSeries>),
}

impl Element {
    /// A computed element whose name, if any, is its own.
    pub(crate) fn new(labels: Labels, v: f64, t: i64) -> Self {
        Self { labels, v, taken: t, drop_name: false }
    }

    pub(crate) fn into_sample(self, t: i64) -> Sample {
        Sample { labels: self.labels, t, v: self.v }
    }
}

//! What a query answers with: samples at one instant, series over time, or a bare number or text.

use std::sync::Arc;

use super::annotations::Annotations;
use super::labels::Labels;

/// One measured or computed number at one moment (milliseconds since the Unix epoch).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub t: i64,
    /// How much.
    pub v: f64,
}

/// One element of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Whose value it is.
    pub labels: Labels,
    /// When it is reported.
    pub t: i64,
    /// The value.
    pub v: f64,
}

/// One series of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeSeries {
    /// Whose values they are.
    pub labels: Labels,
    /// The values, oldest first.
    pub points: Vec<Point>,
}

/// The answer to an instant query.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number without labels.
    Scalar(Point),
    /// Samples, in the order Prometheus would list them; `sort()` and `topk()` make it meaningful.
    Vector(Vec<Sample>),
    /// Series over time, sorted by labels.
    Matrix(Vec<RangeSeries>),
    /// A text.
    String {
        /// When it is reported.
        t: i64,
        /// The text.
        text: Arc<str>,
    },
}

/// An answer together with what there is to remark about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// Warnings and infos.
    pub annotations: Annotations,
}

/// The marker that ends a series: a NaN with a bit pattern of its own (Prometheus `value.StaleNaN`).
pub const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether a value is the staleness marker. Ordinary NaNs are values like any other.
pub fn is_stale(v: f64) -> bool {
    v.to_bits() == STALE.to_bits()
}

//! PromQL: a parser and an evaluator over samples it is handed, with Prometheus 3 semantics. Nothing here reads a
//! clock, a file or a socket; time is an argument. Native histograms are left out: every sample is a plain number.
//! Experimental functions and modifiers (computed durations, `anchored`, `smoothed`, `fill`, `info()` and others) are
//! understood whether or not a server would have them enabled.
//!
//! The query's way: [`parse`] → [`Expr`] → [`instant`] or [`range`] over a [`Storage`] → [`Value`] → [`json`].

// From text to tree.
mod ast;
mod dependence;
mod duration;
mod error;
mod format;
mod glob;
mod labels;
mod length;
mod matcher;
mod parser;
mod re2;
mod signature;
mod visit;
// From tree and samples to values.
mod annotations;
mod calendar;
mod eval;
mod functions;
mod kahan;
mod resolve;
mod storage;
mod value;
mod xxhash;
// From values to the query API's answers.
pub mod json;

#[cfg(test)]
mod tests;

pub use self::annotations::{Annotation, Annotations, Level};
pub use self::ast::{
    Aggregate, AggregateOp, At, Binary, BinaryOp, Call, Cardinality, Expr, ExprKind, Fill, Matching,
    RangeSelector, Reach, Selector, Subquery, Timing, ValueType,
};
pub use self::duration::parse_ms as parse_duration_ms;
pub use self::error::{EvalError, ParseError, Span, line_column};
pub use self::eval::{Options, instant, range};
pub use self::format::{float as format_float, quote};
pub use self::labels::{BUCKET_LABEL, Label, Labels, METRIC_NAME};
pub use self::length::Length;
pub use self::matcher::{MatchOp, Matcher};
pub use self::parser::{MAX_DEPTH, parse, parse_selector};
pub use self::signature::{FUNCTIONS, Function, Variadic, function};
pub use self::storage::{AppendError, Series, SeriesId, Storage};
pub use self::value::{Answer, Point, RangeSeries, STALE, Sample, Value, is_stale};
pub use self::visit::{RangeUse, SelectorUse};

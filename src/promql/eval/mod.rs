//! Evaluation: an expression, a storage and a moment in, values out. A range query is the instant query repeated;
//! that is slower than Prometheus' column-wise way and much easier to trust. The one visible difference: errors that
//! Prometheus raises only because two series of one range query collide at different times do not occur here.
//!
//! Recursion follows the tree, whose depth the parser bounds.

mod aggregate;
mod binary;
mod element;
pub(crate) mod extended;
mod pairing;
mod selector;
mod topk;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

pub(crate) use self::element::{Element, Operand};
pub(crate) use self::selector::{Stretch, Window};
use super::annotations::Annotations;
use super::ast::{Expr, ExprKind, ValueType};
use super::error::{EvalError, Span};
use super::functions;
use super::labels::Labels;
use super::resolve::{Bounds, resolve};
use super::storage::Storage;
use super::value::{Answer, Point, RangeSeries, Value};

/// Settings of the engine; the defaults are a Prometheus 3 server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long a sample stays current, in milliseconds.
    pub lookback_ms: i64,
    /// Whether metric names are dropped at the end of the query rather than at each step
    /// (the server's feature flag `promql-delayed-name-removal`).
    pub delayed_name_removal: bool,
    /// The step of subqueries that state none: the server's evaluation interval, in milliseconds.
    pub subquery_step_ms: i64,
    /// Whether functions of counters take note of start timestamps (the server's feature flag `use-start-timestamps`).
    pub use_start_timestamps: bool,
    /// How many points one query may touch before it is refused.
    pub max_points: u64,
    /// How many steps a range query may have.
    pub max_steps: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lookback_ms: 300_000,
            delayed_name_removal: false,
            subquery_step_ms: 60_000,
            use_start_timestamps: false,
            max_points: 50_000_000,
            max_steps: 11_000,
        }
    }
}

/// Evaluates a query at one moment.
pub fn instant(
    expr: &Expr,
    storage: &Storage,
    t: i64,
    options: &Options,
) -> Result<Answer<Value>, EvalError> {
    let expr = &*resolve(expr, Bounds { start: t, end: t, step: 0 })?;
    let evaluator = Evaluator::new(storage, options, t, t);
    let value = match evaluator.top_level(expr, t)? {
        Operand::Scalar(v) => Value::Scalar(Point { t, v }),
        Operand::Text(text) => Value::String { t, text },
        Operand::Vector(elements) => Value::Vector(elements.into_iter().map(|e| e.into_sample(t)).collect()),
        Operand::Matrix(series) => Value::Matrix(series),
    };
    Ok(Answer { value, annotations: evaluator.remarks.into_inner() })
}

/// Evaluates a query at every step from `start` to `end`. The series come sorted by labels.
pub fn range(
    expr: &Expr,
    storage: &Storage,
    start: i64,
    end: i64,
    step: i64,
    options: &Options,
) -> Result<Answer<Vec<RangeSeries>>, EvalError> {
    check_range(expr, start, end, step, options)?;
    let expr = &*resolve(expr, Bounds { start, end, step })?;
    let evaluator = Evaluator::new(storage, options, start, end);
    let mut series: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
    let mut at = Some(start);
    while let Some(t) = at.filter(|t| *t <= end) {
        match evaluator.top_level(expr, t)? {
            Operand::Scalar(v) => series.entry(Labels::default()).or_default().push(Point { t, v }),
            Operand::Vector(elements) => {
                for element in elements {
                    series.entry(element.labels).or_default().push(Point { t, v: element.v });
                }
            }
            Operand::Text(_) | Operand::Matrix(_) => {}
        }
        at = t.checked_add(step);
    }
    let value = series.into_iter().map(|(labels, points)| RangeSeries { labels, points }).collect();
    Ok(Answer { value, annotations: evaluator.remarks.into_inner() })
}

fn check_range(expr: &Expr, start: i64, end: i64, step: i64, options: &Options) -> Result<(), EvalError> {
    let complaint = match expr.value_type() {
        got @ (ValueType::Matrix | ValueType::String) => {
            format!("invalid expression type \"{got}\" for range query, must be Scalar or instant Vector")
        }
        _ if step <= 0 => "zero or negative query resolution step widths are not accepted".to_owned(),
        _ if end < start => "end timestamp must not be before start time".to_owned(),
        _ if end.saturating_sub(start) / step >= options.max_steps => {
            format!("exceeded maximum resolution of {} points per timeseries", options.max_steps)
        }
        _ => return Ok(()),
    };
    Err(EvalError::new(expr.span(), complaint))
}

/// One evaluation under way.
pub(crate) struct Evaluator<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) options: &'a Options,
    /// The bounds of the whole query, for `@ start()` and `@ end()`.
    start: i64,
    end: i64,
    pub(crate) remarks: RefCell<Annotations>,
    points: Cell<u64>,
    scope: Cell<Scope>,
}

/// The steps of the innermost range under evaluation: the query's, a subquery's, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl<'a> Evaluator<'a> {
    fn new(storage: &'a Storage, options: &'a Options, start: i64, end: i64) -> Self {
        Self {
            storage,
            options,
            start,
            end,
            remarks: RefCell::default(),
            points: Cell::new(0),
            scope: Cell::new(Scope { start, end }),
        }
    }

    fn top_level(&self, expr: &Expr, t: i64) -> Result<Operand, EvalError> {
        if expr.value_type() == ValueType::Matrix {
            let (bounds, windows) = self.windows(expr, t)?;
            let windows = windows.into_iter().map(|window| extended::cut(window, expr, bounds));
            let series = windows.filter(|w| !w.points.is_empty());
            return Ok(Operand::Matrix(series.map(Window::into_series).collect()));
        }
        let mut operand = self.eval(expr, t)?;
        if let Operand::Vector(elements) = &mut operand {
            self.drop_delayed(elements, expr.span())?;
        }
        Ok(operand)
    }

    /// Whether there is more than one step.
    pub(crate) fn is_range(&self) -> bool {
        let scope = self.scope.get();
        scope.start != scope.end
    }

    /// What is the same at every step is evaluated at the first one.
    pub(crate) fn eval(&self, expr: &Expr, t: i64) -> Result<Operand, EvalError> {
        if !expr.invariant || !self.is_range() {
            return self.node(expr, t);
        }
        let outer = self.scope.get();
        self.scope.set(Scope { start: outer.start, end: outer.start });
        let result = self.node(expr, outer.start);
        self.scope.set(outer);
        result
    }

    fn node(&self, expr: &Expr, t: i64) -> Result<Operand, EvalError> {
        match &expr.kind {
            ExprKind::Number(v) => Ok(Operand::Scalar(*v)),
            ExprKind::String(text) => Ok(Operand::Text(text.clone())),
            ExprKind::Paren(inner) => self.eval(inner, t),
            ExprKind::Selector(selector) => self.select(selector, t, expr).map(Operand::Vector),
            ExprKind::Unary(negate, inner) => self.unary(*negate, inner, t),
            ExprKind::Binary(binary) => self.binary(binary, expr, t),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, expr, t).map(Operand::Vector),
            ExprKind::Call(call) => functions::call(self, call, expr, t),
            // The type checker lets ranges stand only where `windows` evaluates them.
            ExprKind::Range(_) | ExprKind::Subquery(_) => {
                Err(EvalError::new(expr.span(), "a range vector has no value at one instant"))
            }
        }
    }

    fn unary(&self, negate: bool, inner: &Expr, t: i64) -> Result<Operand, EvalError> {
        let sign = if negate { -1.0 } else { 1.0 };
        match self.eval(inner, t)? {
            Operand::Scalar(v) => Ok(Operand::Scalar(sign * v)),
            Operand::Vector(mut elements) if negate => {
                elements.iter_mut().for_each(|e| e.v = -e.v);
                self.drop_names(&mut elements, inner.span())?;
                Ok(Operand::Vector(elements))
            }
            other => Ok(other),
        }
    }

    /// The elements of an expression the type checker knows to be a vector.
    pub(crate) fn vector(&self, expr: &Expr, t: i64) -> Result<Vec<Element>, EvalError> {
        match self.eval(expr, t)? {
            Operand::Vector(elements) => Ok(elements),
            _ => Err(EvalError::new(expr.span(), "expected an instant vector")),
        }
    }

    /// The number of an expression the type checker knows to be a scalar.
    pub(crate) fn scalar(&self, expr: &Expr, t: i64) -> Result<f64, EvalError> {
        match self.eval(expr, t)? {
            Operand::Scalar(v) => Ok(v),
            _ => Err(EvalError::new(expr.span(), "expected a scalar")),
        }
    }

    /// Counts points against the query's budget.
    pub(crate) fn spend(&self, points: usize, span: &Span) -> Result<(), EvalError> {
        let total = self.points.get().saturating_add(points as u64);
        self.points.set(total);
        if total <= self.options.max_points {
            return Ok(());
        }
        let message = "query processing would load too many samples into memory in query execution";
        Err(EvalError::new(span.clone(), message))
    }

    /// Takes the metric names off values that are no longer the metric's, now or (when delayed) at the end.
    pub(crate) fn drop_names(&self, elements: &mut [Element], span: Span) -> Result<(), EvalError> {
        if self.options.delayed_name_removal {
            elements.iter_mut().for_each(|e| e.drop_name = true);
            return Ok(());
        }
        // Elements of one vector differ in their labels; if they share the name they still differ without it.
        let one_name =
            elements.windows(2).all(|pair| pair[0].labels.metric_name() == pair[1].labels.metric_name());
        for element in elements.iter_mut().filter(|e| e.labels.has_metadata()) {
            element.labels = element.labels.without_metadata();
        }
        if one_name { Ok(()) } else { ensure_unique(elements, span) }
    }

    fn drop_delayed(&self, elements: &mut [Element], span: Span) -> Result<(), EvalError> {
        if !self.options.delayed_name_removal || !elements.iter().any(|e| e.drop_name) {
            return Ok(());
        }
        for element in elements.iter_mut().filter(|e| e.drop_name) {
            element.labels = element.labels.without_metadata();
        }
        ensure_unique(elements, span)
    }
}

/// A vector holds each label set once.
pub(crate) fn ensure_unique(elements: &[Element], span: Span) -> Result<(), EvalError> {
    let mut all: Vec<&Labels> = elements.iter().map(|e| &e.labels).collect();
    all.sort_unstable();
    if all.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(EvalError::new(span, "vector cannot contain metrics with the same labelset"));
    }
    Ok(())
}

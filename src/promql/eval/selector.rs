//! Reading the storage: the current sample of each series, or its samples over a range, and ranges made by evaluating
//! a subquery again and again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::ast::{At, Expr, ExprKind, RangeSelector, Reach, Selector, Subquery, Timing};
use super::super::error::EvalError;
use super::super::labels::Labels;
use super::super::storage::{Series, Start};
use super::super::value::{Point, RangeSeries, is_stale};
use super::{Element, Evaluator, Scope, extended};

/// The stretch of time a range vector covers, open on the left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// One series of a range vector.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    pub(crate) labels: Labels,
    /// The labels without the name, where the storage already has them.
    pub(crate) bare: Option<&'a Labels>,
    pub(crate) points: Cow<'a, [Point]>,
    /// When the counts of the points began, where that is known and asked for.
    pub(crate) starts: &'a [Start],
    pub(crate) drop_name: bool,
}

impl Window<'_> {
    pub(super) fn into_series(self) -> RangeSeries {
        let labels = if self.drop_name { self.labels.without_metadata() } else { self.labels };
        RangeSeries { labels, points: self.points.into_owned() }
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn select(&self, selector: &Selector, t: i64, expr: &Expr) -> Result<Vec<Element>, EvalError> {
        let moment = self.moment(&selector.timing, t);
        let lookback = self.options.lookback_ms;
        let current = |series: &Series| {
            let point = match selector.reach {
                Reach::Smoothed => extended::smooth_at(series, moment, lookback)?,
                _ => series.at(moment, lookback)?,
            };
            Some(Element { labels: series.labels().clone(), v: point.v, taken: point.t, drop_name: false })
        };
        let elements: Vec<_> = self.storage.select(&selector.matchers).filter_map(current).collect();
        self.spend(elements.len(), &expr.span)?;
        Ok(elements)
    }

    /// The moment a selector looks at when the query is evaluated at `t`.
    fn moment(&self, timing: &Timing, t: i64) -> i64 {
        let fixed = match timing.at {
            None => t,
            Some(At::Time(at)) => at,
            Some(At::Start) => self.start,
            Some(At::End) => self.end,
        };
        fixed.saturating_sub(timing.offset_ms)
    }

    /// The series of an expression the type checker knows to be a range vector.
    pub(crate) fn windows(&self, expr: &Expr, t: i64) -> Result<(Stretch, Vec<Window<'a>>), EvalError> {
        let expr = expr.unparen();
        match &expr.kind {
            ExprKind::Range(range) => self.range(range, expr, t),
            ExprKind::Subquery(subquery) => self.subquery(subquery, expr, t),
            _ => Err(EvalError::new(expr.span(), "expected a range vector")),
        }
    }

    fn range(
        &self,
        range: &RangeSelector,
        expr: &Expr,
        t: i64,
    ) -> Result<(Stretch, Vec<Window<'a>>), EvalError> {
        let bounds = self.bounds(&range.selector.timing, range.range_ms, t);
        let (from, to) = extended::reach(range.selector.reach, bounds, self.options.lookback_ms);
        let mut windows = Vec::new();
        for series in self.storage.select(&range.selector.matchers) {
            let points = live(series.window(from, to));
            self.spend(points.len(), &expr.span)?;
            let bare = Some(series.bare());
            let starts = if self.options.use_start_timestamps { series.starts() } else { &[] };
            let labels = series.labels().clone();
            windows.push(Window { labels, bare, points, starts, drop_name: false });
        }
        Ok((bounds, windows))
    }

    fn bounds(&self, timing: &Timing, range_ms: i64, t: i64) -> Stretch {
        let end = self.moment(timing, t);
        Stretch { start: end.saturating_sub(range_ms), end }
    }

    fn subquery(
        &self,
        subquery: &Subquery,
        expr: &Expr,
        t: i64,
    ) -> Result<(Stretch, Vec<Window<'a>>), EvalError> {
        let bounds = self.bounds(&subquery.timing, subquery.range_ms, t);
        let step = subquery.step_ms.unwrap_or(self.options.subquery_step_ms).max(1);
        let mut series: BTreeMap<Labels, (Vec<Point>, bool)> = BTreeMap::new();
        // Steps are multiples of the step width, whatever the moment of the query.
        let first = |start: i64| start.div_euclid(step).saturating_add(1).saturating_mul(step);
        let mut at = Some(first(bounds.start));
        let outer = self.scope.get();
        let whole = |t| self.bounds(&subquery.timing, subquery.range_ms, t);
        self.scope.set(Scope { start: first(whole(outer.start).start), end: whole(outer.end).end });
        while let Some(t) = at.filter(|t| *t <= bounds.end) {
            let elements = self.vector(&subquery.expr, t)?;
            self.spend(elements.len() + 1, &expr.span)?;
            for element in elements {
                let (points, drop_name) = series.entry(element.labels).or_default();
                points.push(Point { t, v: element.v });
                *drop_name |= element.drop_name;
            }
            at = t.checked_add(step);
        }
        self.scope.set(outer);
        let window = |(labels, (points, drop_name))| Window {
            labels,
            bare: None,
            points: Cow::Owned(points),
            starts: &[],
            drop_name,
        };
        Ok((bounds, series.into_iter().map(window).collect()))
    }
}

/// The points that are values. Markers are rare, so the common case borrows.
pub(super) fn live(points: &[Point]) -> Cow<'_, [Point]> {
    if points.iter().any(|p| is_stale(p.v)) {
        points.iter().filter(|p| !is_stale(p.v)).copied().collect()
    } else {
        Cow::Borrowed(points)
    }
}

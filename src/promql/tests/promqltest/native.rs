//! Where native histograms lie, which the engine does not have, and which queries would read one.

use super::file::When;
use crate::promql::{At, Expr, ExprKind, Labels, Options, Reach, Selector, Timing};

/// How far around an instant query its range query looks.
const AROUND_MS: i64 = 60_000;

/// The places of native histograms: series and times.
#[derive(Default)]
pub(super) struct Natives(Vec<(Labels, i64)>);

/// The times at which an expression is evaluated, and the bounds of the whole query.
#[derive(Clone, Copy)]
struct Span {
    from: i64,
    to: i64,
    start: i64,
    end: i64,
}

impl Natives {
    pub(super) fn add(&mut self, labels: &Labels, t: i64) {
        self.0.push((labels.clone(), t));
    }

    /// Whether evaluating the query would come across a native histogram.
    pub(super) fn are_read_by(&self, expr: &Expr, when: When, options: &Options) -> bool {
        let (from, to) = match when {
            When::At(t) => (t - AROUND_MS, t + AROUND_MS),
            When::Range { start, end, .. } => (start, end),
        };
        !self.0.is_empty() && self.inside(expr, Span { from, to, start: from, end: to }, options.lookback_ms)
    }

    fn inside(&self, expr: &Expr, span: Span, lookback: i64) -> bool {
        match &expr.kind {
            ExprKind::Selector(selector) => self.read(selector, span, lookback, lookback),
            ExprKind::Range(range) => {
                let before = if range.selector.reach == Reach::Inside { 0 } else { lookback };
                self.read(&range.selector, span, range.range_ms + before, lookback)
            }
            ExprKind::Subquery(sub) => {
                let moved = moved(span, &sub.timing, sub.range_ms);
                self.inside(&sub.expr, moved, lookback)
            }
            // The second argument adds conditions to "the info metrics"; on its own it would select anything.
            ExprKind::Call(call) if call.func.name == "info" => {
                let info = |(labels, _): &(Labels, i64)| match call.args.get(1).map(|arg| &arg.kind) {
                    Some(ExprKind::Selector(wanted))
                        if wanted.matchers.iter().any(|m| &*m.name == "__name__") =>
                    {
                        wanted.matchers.iter().all(|m| m.matches_labels(labels))
                    }
                    _ => labels.value("__name__") == "target_info",
                };
                self.inside(&call.args[0], span, lookback) || self.0.iter().any(info)
            }
            _ => expr.children().into_iter().any(|child| self.inside(child, span, lookback)),
        }
    }

    fn read(&self, selector: &Selector, span: Span, back: i64, lookback: i64) -> bool {
        let ahead = if selector.reach == Reach::Smoothed { lookback } else { 0 };
        let Span { from, to, .. } = moved(span, &selector.timing, back);
        let reads = |(labels, t): &(Labels, i64)| {
            (from < *t && *t <= to + ahead) && selector.matchers.iter().all(|m| m.matches_labels(labels))
        };
        self.0.iter().any(reads)
    }
}

fn moved(span: Span, timing: &Timing, back: i64) -> Span {
    let (from, to) = match timing.at {
        None => (span.from, span.to),
        Some(At::Time(t)) => (t, t),
        // The range around an instant query has bounds of its own.
        Some(At::Start | At::End) => (span.start, span.end),
    };
    Span { from: from - timing.offset_ms - back, to: to - timing.offset_ms, ..span }
}

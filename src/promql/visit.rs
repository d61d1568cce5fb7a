//! Questions a reader of queries asks (the linter above all): which metrics and labels does it select, how far back
//! does it look, and which function looks. Answers carry spans, so that a diagnostic can point at the right words.

use super::ast::{Expr, ExprKind, Selector};
use super::error::Span;
use super::signature::Function;

/// One selector in a query, with what surrounds it.
#[derive(Debug, Clone)]
pub struct SelectorUse<'a> {
    /// The selector.
    pub selector: &'a Selector,
    /// Where it stands, without brackets and modifiers of a range.
    pub span: Span,
    /// `[5m]`, in milliseconds, when it is a range selector.
    pub range_ms: Option<i64>,
    /// The innermost function called on it, as in `rate(x[5m])`; aggregations are not functions.
    pub function: Option<&'static Function>,
}

/// One bracketed range in a query: a range selector's or a subquery's.
#[derive(Debug, Clone)]
pub struct RangeUse {
    /// Where the whole range expression stands.
    pub span: Span,
    /// How far it looks back.
    pub range_ms: i64,
    /// The function called directly on it.
    pub function: Option<&'static Function>,
    /// True for `expr[30m:1m]`.
    pub subquery: bool,
}

impl Expr {
    /// Calls `f` on this expression and everything in it, parents first.
    pub fn walk<'a>(&'a self, f: &mut impl FnMut(&'a Expr)) {
        f(self);
        for child in self.children() {
            child.walk(f);
        }
    }

    /// Every selector, in reading order.
    pub fn selectors(&self) -> Vec<SelectorUse<'_>> {
        let mut found = Vec::new();
        collect_selectors(self, None, &mut found);
        found
    }

    /// Every bracketed range, in reading order.
    pub fn ranges(&self) -> Vec<RangeUse> {
        let mut found = Vec::new();
        collect_ranges(self, None, &mut found);
        found
    }

    /// The metric names stated by equality, in reading order, repeats included.
    pub fn metric_names(&self) -> Vec<&str> {
        self.selectors().iter().filter_map(|found| found.selector.name.as_deref()).collect()
    }
}

fn collect_selectors<'a>(
    expr: &'a Expr,
    function: Option<&'static Function>,
    found: &mut Vec<SelectorUse<'a>>,
) {
    match &expr.kind {
        ExprKind::Selector(selector) => {
            found.push(SelectorUse { selector, span: expr.span(), range_ms: None, function });
        }
        ExprKind::Range(range) => found.push(SelectorUse {
            selector: &range.selector,
            span: range.selector_span.clone(),
            range_ms: Some(range.range_ms),
            function,
        }),
        ExprKind::Call(call) => {
            call.args.iter().for_each(|arg| collect_selectors(arg, Some(call.func), found));
        }
        _ => expr.children().into_iter().for_each(|child| collect_selectors(child, function, found)),
    }
}

fn collect_ranges(expr: &Expr, function: Option<&'static Function>, found: &mut Vec<RangeUse>) {
    let range = match &expr.kind {
        ExprKind::Range(range) => Some((range.range_ms, false)),
        ExprKind::Subquery(sub) => Some((sub.range_ms, true)),
        _ => None,
    };
    if let Some((range_ms, subquery)) = range {
        found.push(RangeUse { span: expr.span(), range_ms, function, subquery });
    }
    let inner = match &expr.kind {
        ExprKind::Call(call) => Some(call.func),
        // Only parentheses may stand between a function and the range it is called on.
        ExprKind::Paren(_) => function,
        _ => None,
    };
    expr.children().into_iter().for_each(|child| collect_ranges(child, inner, found));
}

#[cfg(test)]
mod tests {
    use crate::promql::parse;

    #[test]
    fn selectors_know_their_range_and_function() {
        let source = r#"sum(rate(a{b="c"}[5m])) / on() max(d) + 1"#;
        let expr = parse(source).expect("valid");
        let uses = expr.selectors();
        assert_eq!(uses.len(), 2);
        assert_eq!(&source[uses[0].span.clone()], r#"a{b="c"}"#);
        assert_eq!(uses[0].range_ms, Some(300_000));
        assert_eq!(uses[0].function.map(|f| f.name), Some("rate"));
        assert_eq!((uses[1].range_ms, uses[1].function.map(|f| f.name)), (None, None));
        assert_eq!(expr.metric_names(), ["a", "d"]);
    }

    #[test]
    fn ranges_know_the_function_called_on_them() {
        let source = "max_over_time((rate(a[5m]))[1h:])";
        let expr = parse(source).expect("valid");
        let ranges = expr.ranges();
        assert_eq!(
            ranges.iter().map(|r| r.function.map(|f| f.name)).collect::<Vec<_>>(),
            [Some("max_over_time"), Some("rate")]
        );
        assert!(ranges[0].subquery && !ranges[1].subquery);
        assert_eq!(&source[ranges[1].span.clone()], "a[5m]");
    }
}

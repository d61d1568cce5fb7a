//! The grammar by example.

use super::*;

/// The query with every operator parenthesised, so that tests can see what binds to what.
fn shape(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Number(v) => format::float(*v),
        ExprKind::String(text) => format::quote(text),
        ExprKind::Selector(s) => {
            let conditions: Vec<_> =
                s.matchers.iter().filter(|m| &*m.name != "__name__").map(|m| m.to_string()).collect();
            format!("{}{}", s.name.as_deref().unwrap_or(""), conditions.join(","))
        }
        ExprKind::Range(r) => format!("{}[{}]", r.selector.name.as_deref().unwrap_or(""), r.range_ms),
        ExprKind::Subquery(s) => format!("{}[{}:{:?}]", shape(&s.expr), s.range_ms, s.step_ms),
        ExprKind::Paren(inner) => shape(inner),
        ExprKind::Unary(negate, inner) => {
            format!("({}{})", if *negate { "-" } else { "+" }, shape(inner))
        }
        ExprKind::Binary(b) => format!("({} {} {})", shape(&b.lhs), b.op.symbol(), shape(&b.rhs)),
        ExprKind::Aggregate(a) => format!("{}{:?}({})", a.op.name(), a.grouping, shape(&a.expr)),
        ExprKind::Call(c) => {
            format!("{}({})", c.func.name, c.args.iter().map(shape).collect::<Vec<_>>().join(", "))
        }
    }
}

#[track_caller]
fn check(source: &str, want: &str) {
    match parse(source) {
        Ok(expr) => assert_eq!(shape(&expr), want, "{source}"),
        Err(error) => panic!("{source}: {error}"),
    }
}

#[track_caller]
fn check_error(source: &str, span_text: &str, message: &str) {
    let error = parse(source).expect_err(source);
    assert_eq!(error.message, message, "{source}");
    assert_eq!(&source[error.span.clone()], span_text, "{source}: span {:?}", error.span);
}

#[test]
fn operators_bind_as_in_prometheus() {
    check("1 + 2 * 3 ^ 2 ^ 2", "(1 + (2 * (3 ^ (2 ^ 2))))");
    check("-2^---1*3", "((-(2 ^ (-(-(-1))))) * 3)");
    check("a or b and c unless d", "(a or ((b and c) unless d))");
    check("a - b - c", "((a - b) - c)");
    check("a + b > c atan2 d", "((a + b) > (c atan2 d))");
    check("-a offset 5m", "(-a)");
}

#[test]
fn numbers_and_durations_are_numbers() {
    check("0x10 + 5m + .5 + Inf + 1_000", "((((16 + 300) + 0.5) + +Inf) + 1000)");
}

#[test]
fn words_with_a_meaning_are_also_names() {
    check("sum + count", "(sum + count)");
    check("sum by (by, sum, \"a b\") (end)", r#"sum["a b", "by", "sum"](end)"#);
    check_error("foo * on", "", "unexpected end of input in grouping opts, expected \"(\"");
    check("sum by (on, ignoring, atan2, a:b) (foo)", r#"sum["a:b", "atan2", "ignoring", "on"](foo)"#);
    check("offset{bool=\"x\"}", r#"offsetbool="x""#);
    check("start and end", "(start and end)");
}

#[test]
fn quoted_names_select_any_metric() {
    check(r#"{"a.b", "c d"=~'e'}"#, r#"a.bc d=~"e""#);
    check(r#"{__name__="up", job!=""}"#, r#"upjob!="""#);
}

#[test]
fn ranges_subqueries_and_modifiers_combine() {
    check("rate(a[5m] offset -1h @ end())", "rate(a[300000])");
    check("max_over_time(rate(a[1m])[10m:30s] @ 1.5)", "max_over_time(rate(a[60000])[600000:Some(30000)])");
    check("sum_over_time(a[10:1])", "sum_over_time(a[10000:Some(1000)])");
    check("avg_over_time(a[1h:])", "avg_over_time(a[3600000:None])");
}

#[test]
fn comments_and_line_breaks_are_blank() {
    check("sum( # everything\n a\n)", "sum[](a)");
}

#[test]
fn matching_reads_in_full() {
    let expr = parse("a * on (x) group_left (y) b").expect("valid");
    let ExprKind::Binary(binary) = &expr.kind else { panic!("not binary") };
    assert_eq!(binary.matching.include, ["y".into()]);
    assert!(binary.matching.on);
}

#[test]
fn errors_point_at_the_word() {
    check_error("", "", "no expression found in input");
    check_error("sum(a", "", "unclosed left parenthesis");
    check_error("a)", ")", "unexpected right parenthesis ')'");
    check_error("a{b=\"c\"", "", "unexpected end of input inside braces");
    check_error("a b", "b", "unexpected identifier \"b\"");
    check_error("1 +", "", "unexpected end of input");
    check_error("foo(a)", "foo", "unknown function with name \"foo\"");
    check_error(
        "rate(a)",
        "a",
        "expected type range vector in call to function \"rate\", got instant vector",
    );
    check_error("rate()", "rate()", "expected 1 argument(s) in call to \"rate\", got 0");
    check_error("abs(a, b)", "abs(a, b)", "expected 1 argument(s) in call to \"abs\", got 2");
    check_error("sum(1)", "1", "expected type instant vector in aggregation expression, got scalar");
    check_error(
        "topk(a)",
        "topk(a)",
        "wrong number of arguments for aggregate expression provided, expected 2, got 1",
    );
    check_error("1 > 2", ">", "comparisons between scalars must use BOOL modifier");
    check_error("a + bool b", "+", "bool modifier can only be used on comparison operators");
    check_error("1 and a", "1 and a", "set operator \"and\" not allowed in binary scalar expression");
    check_error(
        "a and on(x) group_left b",
        "a and on(x) group_left b",
        "no grouping allowed for \"and\" operation",
    );
    check_error("{}", "{}", "vector selector must contain at least one non-empty matcher");
    check_error(r#"a{"b"}"#, r#""b""#, r#"metric name must not be set twice: "a" or "b""#);
    check_error("(a)[5m]", "[5m]", "ranges only allowed for vector selectors");
    check_error("a[0s]", "0s", "duration must be greater than 0");
    check_error("a[5x]", "5x", "bad number or duration syntax: \"5x\"");
    check_error("a[5m", "", "unclosed left bracket");
    check_error(
        "1 offset 5m",
        "1",
        "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
    check_error("a{b=~\"(\"}", "b=~\"(\"", "invalid regular expression: \"(\"");
    check_error("a{b==\"c\"}", "=", "unexpected \"=\" in label matching, expected string");
    check_error("\"a\\q\"", "\"a\\q\"", "error unquoting string \"\\\"a\\\\q\\\"\": invalid syntax");
    check_error("sum by a (b)", "a", "unexpected identifier \"a\" in grouping opts, expected \"(\"");
    check_error("a[5m] + 1", "a[5m]", "binary expression must contain only scalar and instant vector types");
    check_error("rate(a[5m],)", ",", "trailing commas not allowed in function call args");
}

#[test]
fn durations_can_be_computed() {
    check("rate(a[5m+1m])", "rate(a[360000])");
    check("rate(a[2m * (10 + 5)])", "rate(a[1800000])");
    check("rate(a[-5m + 35m])", "rate(a[1800000])");
    check("rate(a[1h30m % 1h : 1m / 2])", "rate(a[1800000:Some(30000)])");
    check("rate(a[min_of(2^3, 10)])", "rate(a[8000])");
    check("a offset 2 ^ 2", "(a ^ 2)");
    check_error("a[5m - 5m]", "5m - 5m", "duration must be greater than 0");
    check_error("a[-5m]", "-5m", "duration must be greater than 0");
    check_error("a[1 / 0]", "/", "division by zero");
    check_error(
        "a[5m + b]",
        "b",
        "unexpected identifier \"b\" in subquery or range selector, expected number, duration, step(), or range()",
    );
}

#[test]
fn extended_selectors_say_which_edges_they_want() {
    let expr = parse("rate(a[5m] smoothed offset 1m)").expect("valid");
    assert_eq!(expr.selectors()[0].selector.reach, Reach::Smoothed);
    check_error(
        "a[5m] smoothed anchored",
        "a[5m] smoothed",
        "anchored and smoothed modifiers cannot be used together",
    );
    check_error("a[5m:] anchored", "a[5m:]", "anchored modifier is not supported for subqueries");
}

#[test]
fn missing_samples_can_be_filled_in() {
    let expr = parse("a + on (x) group_left () fill_right (-1) fill_left(2) b").expect("valid");
    let ExprKind::Binary(binary) = &expr.kind else { panic!("not binary") };
    assert_eq!((binary.matching.fill.left, binary.matching.fill.right), (Some(2.0), Some(-1.0)));
    check_error(
        "a + fill(0) 1",
        "a + fill(0) 1",
        "filling in missing series only allowed between instant vectors",
    );
    check("fill + fill", "(fill + fill)");
}

#[test]
fn info_takes_labels_only() {
    check("info(a, {b=\"\"})", "info(a, b=\"\")");
    check_error("info(a, b)", "b", "expected label selectors only, got vector selector instead");
}

#[test]
fn spans_cover_the_whole_expression() {
    let source = "  sum(rate(a{b=\"c\"}[5m] offset 1m)) by (b) ";
    let expr = parse(source).expect("valid");
    assert_eq!(&source[expr.span()], source.trim());
    let ExprKind::Aggregate(sum) = &expr.kind else { panic!("not a sum") };
    let ExprKind::Call(rate) = &sum.expr.kind else { panic!("not a call") };
    assert_eq!(&source[rate.args[0].span()], "a{b=\"c\"}[5m] offset 1m");
}

#[test]
fn nesting_is_bounded_however_it_is_written() {
    let deep = 100_000;
    let queries = [
        format!("{}1{}", "(".repeat(deep), ")".repeat(deep)),
        format!("{}1", "-".repeat(deep)),
        format!("a{}", " or a".repeat(deep)),
        format!("1{}", "^1".repeat(deep)),
        format!("a{}", "[1m:]".repeat(deep)),
        format!("{}a{}", "abs(".repeat(deep), ")".repeat(deep)),
        format!("{}a{}", "sum(".repeat(deep), ")".repeat(deep)),
    ];
    for query in queries {
        assert!(parse(&query).is_err());
    }
    assert!(parse(&format!("{}1{}", "(".repeat(MAX_DEPTH - 1), ")".repeat(MAX_DEPTH - 1))).is_ok());
}

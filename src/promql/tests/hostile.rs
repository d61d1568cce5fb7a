//! Input meant to break things: whatever the text, parsing ends, points into the text, and evaluation does not panic.

use proptest::prelude::*;

use crate::promql::{self, Labels, Options, Storage};

/// Pieces that queries are made of; random sequences of them get past the lexer and deep into the parser.
const PIECES: [&str; 62] = [
    "a",
    "up",
    "sum",
    "by",
    "without",
    "(",
    ")",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "[5m]",
    "[5m:1m]",
    "[1h:]",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "!=",
    ">",
    "bool",
    "and",
    "or",
    "unless",
    "atan2",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "@",
    "start",
    "end",
    "start()",
    "1",
    "0x1F",
    "5m",
    "1e9",
    "Inf",
    "NaN",
    "\"x\"",
    "'y'",
    "`z`",
    "job=\"a\"",
    "job=~\"a.*\"",
    "rate",
    "abs",
    "topk",
    "quantile",
    "count_values",
    "label_replace",
    "histogram_quantile",
    "absent",
    "time()",
    "# comment\n",
    "é",
];

const QUERIES: [&str; 12] = [
    r#"sum(rate(up{job=~"a.*"}[1m])) by (job) / on (job) group_left (x) sum(rate(up[1m])) by (job)"#,
    r#"histogram_quantile(0.95, sum(rate(b_bucket[5m])) by (le))"#,
    r#"label_replace(up, "dst", "$1-$2", "job", "(.*)-(.*)")"#,
    r#"max_over_time(rate(up[1m])[10m:30s] @ end() offset -5m) > bool 0.5"#,
    r#"topk(3, up) or bottomk by (job) (scalar(up), up) unless count_values("v", up)"#,
    r#"quantile_over_time(0.5, up[5m]) + predict_linear(up[5m], 3600) * deriv(up[5m] offset 1m)"#,
    r#"absent(up{job="x"}) and absent_over_time(up{job="y"}[5m])"#,
    r#"{"quoted.name", "label"!="x", job!~"b|c"} ^ -2 ^ 0.5 % 3 atan2 1"#,
    r#"sort_desc(label_join(up, "j", "-", "job", "instance")) >= ignoring (job) up"#,
    r#"double_exponential_smoothing(up[5m], 0.5, 0.5) - clamp(up, -1, 1) / round(up, 0.1)"#,
    r#"day_of_week() + hour(up) * timestamp(up @ 1.5) == bool vector(time())"#,
    r#"limit_ratio(0.5, up) and limitk(2, up) or stddev without (job) (up) or group(up)"#,
];

fn storage() -> Storage {
    let mut storage = Storage::new();
    let values = [0.0, 1.0, f64::NAN, f64::INFINITY, -1e300, 1e300, promql::STALE, 5.0];
    for (name, job, le) in [
        ("up", "a-1", ""),
        ("up", "b", ""),
        ("a", "c", ""),
        ("b_bucket", "d", "+Inf"),
        ("b_bucket", "d", "1"),
    ] {
        let id = storage.series_id(&Labels::metric(name, [("job", job), ("le", le)]));
        for (i, v) in values.iter().enumerate() {
            storage.append(id, i as i64 * 30_000, *v).expect("in order");
        }
    }
    storage
}

/// Parses and, when that works, evaluates.
fn swallow(query: &str) {
    let expr = match promql::parse(query) {
        Ok(expr) => expr,
        Err(error) => {
            assert!(query.get(error.span.clone()).is_some(), "{query:?}: {error:?}");
            assert!(!error.display_in(query).is_empty());
            return;
        }
    };
    expr.walk(&mut |part| assert!(query.get(part.span()).is_some(), "{query:?}: {:?}", part.span()));
    let (_, _) = (expr.selectors().len(), expr.ranges().len());
    let storage = storage();
    let options = Options { max_points: 20_000, ..Options::default() };
    for delayed_name_removal in [false, true] {
        let options = Options { delayed_name_removal, ..options.clone() };
        for t in [0, 200_000, i64::MAX, i64::MIN] {
            if let Ok(answer) = promql::instant(&expr, &storage, t, &options) {
                assert!(promql::json::data(&answer.value).starts_with('{'));
            }
        }
        let _ = promql::range(&expr, &storage, 0, 120_000, 60_000, &options);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(query in "\\PC{0,120}") {
        swallow(&query);
    }

    #[test]
    fn any_heap_of_pieces_is_survived(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        swallow(&pieces.join(" "));
    }

    #[test]
    fn any_damage_to_a_query_is_survived(
        query in prop::sample::select(&QUERIES[..]),
        from in 0usize..100,
        len in 0usize..20,
        patch in prop::sample::select(&PIECES[..]),
    ) {
        let chars: Vec<char> = query.chars().collect();
        let from = from.min(chars.len());
        let to = (from + len).min(chars.len());
        let damaged: String = chars[..from].iter().copied().chain(patch.chars()).chain(chars[to..].iter().copied()).collect();
        swallow(&damaged);
    }
}

#[test]
fn the_undamaged_queries_parse() {
    for query in QUERIES {
        assert!(promql::parse(query).is_ok(), "{query}: {:?}", promql::parse(query));
        swallow(query);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "only a thread's stack has a known size")]
fn the_deepest_query_allowed_evaluates_on_a_small_stack() {
    let depth = promql::MAX_DEPTH - 1;
    let query = format!("{}time(){}", "abs(vector(".repeat(depth / 2), "))".repeat(depth / 2));
    let query = query.replacen("time()", "1", 1);
    let run = move || swallow(&query);
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).expect("a thread");
    assert!(thread.join().is_ok());
}

#[test]
fn an_endless_subquery_is_refused() {
    let expr = promql::parse("sum_over_time(vector(1)[100y:1ms])").expect("valid");
    let error =
        promql::instant(&expr, &Storage::new(), 0, &Options { max_points: 1_000, ..Options::default() });
    assert!(error.is_err_and(|e| e.message.contains("too many samples")));
}

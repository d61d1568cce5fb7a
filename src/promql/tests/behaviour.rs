//! What functions and modifiers do, in cases of our own, written in the notation of Prometheus' test files so that
//! they read the same.

use super::promqltest;

#[track_caller]
fn check(cases: usize, text: &str) {
    promqltest::check(cases, text);
}

#[test]
fn counters_and_gauges_move_at_a_rate() {
    check(
        11,
        r#"
load 10s
  c_total 0+10x10
  r_total 0 10 20 5 15
  g 1 2 4 8 16

eval instant at 50s rate(c_total[50s])
  expect no_info
  {} 1

eval instant at 50s increase(c_total[50s])
  {} 50

eval instant at 40s increase(r_total[40s])
  {} 33.333333333

eval instant at 40s resets(r_total[50s])
  {} 1

eval instant at 40s changes(r_total[50s])
  {} 4

eval instant at 30s irate(r_total[50s])
  {} 0.5

eval instant at 40s idelta(g[30s])
  {} 8

eval instant at 40s delta(g[40s])
  {} 18.666666667

eval instant at 40s rate(g[10s])

eval instant at 40s rate(g[40s])
  expect info msg: PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "g" (1:6)
  {} 0.4

eval range from 0 to 40s step 20s increase(c_total[20s] offset 20s)
  {} _ _ 20
"#,
    );
}

#[test]
fn a_rate_reaches_only_so_far_beyond_its_samples() {
    check(
        3,
        r"
load 10s
  late_total _ _ _ _ 100 110 120
  fresh_total _ _ _ _ 2 12 22
  gap_total 100 110 120 _ _ _ _

eval instant at 60s increase(late_total[60s])
  {} 25

eval instant at 60s increase(fresh_total[60s])
  {} 22

eval instant at 60s increase(gap_total[65s])
  {} 30
",
    );
}

#[test]
fn straight_lines_and_smoothing() {
    check(
        6,
        r"
load 10s
  c 0+10x10
  flat 5x10
  high Inf Inf Inf

eval instant at 60s deriv(c[1m])
  {} 1

eval instant at 60s predict_linear(c[1m], 60)
  {} 120

eval instant at 60s predict_linear(c[1m] @ 60 offset 10s, 60)
  {} 120

eval instant at 60s deriv(flat[1m])
  {} 0

eval instant at 20s deriv(high[1m])
  {} NaN

eval instant at 60s double_exponential_smoothing(c[1m], 0.5, 0.5)
  {} 60
",
    );
}

#[test]
fn aggregations_over_time() {
    check(
        17,
        r#"
load 10s
  g 1 2 4 8 16
  n NaN 3 NaN

eval instant at 40s avg_over_time(g[50s])
  {} 6.2

eval instant at 40s sum_over_time(g[50s])
  {} 31

eval instant at 40s count_over_time(g[50s])
  {} 5

eval instant at 40s min_over_time(g[50s])
  {} 1

eval instant at 40s max_over_time(g[50s])
  {} 16

eval instant at 40s stdvar_over_time(g[50s])
  {} 29.76

eval instant at 40s stddev_over_time(g[50s])
  {} 5.455272679

eval instant at 40s quantile_over_time(0.5, g[50s])
  {} 4

eval instant at 40s quantile_over_time(1.5, g[50s])
  expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:20)
  {} Inf

eval instant at 40s mad_over_time(g[50s])
  {} 3

eval instant at 40s last_over_time(g[50s])
  g 16

eval instant at 40s first_over_time(g[50s])
  g 1

eval instant at 40s present_over_time(g[50s])
  {} 1

eval instant at 40s ts_of_max_over_time(g[50s])
  {} 40

eval instant at 20s max_over_time(n[1m])
  {} 3

eval instant at 40s absent_over_time(g{a="b", c=~"d"}[50s])
  {a="b"} 1

eval instant at 40s absent_over_time(g[50s])
"#,
    );
}

#[test]
fn histograms_give_quantiles_and_fractions() {
    check(
        7,
        r#"
load 10s
  h_bucket{le="1", pod="a"} 10
  h_bucket{le="2", pod="a"} 20
  h_bucket{le="+Inf", pod="a"} 20
  h_bucket{le="1", pod="b"} 8
  h_bucket{le="2", pod="b"} 6
  h_bucket{le="+Inf", pod="b"} 10
  h_bucket{le="none", pod="c"} 1

eval instant at 0 histogram_quantile(0.75, h_bucket{pod="a"})
  expect no_warn
  expect no_info
  {pod="a"} 1.5

eval instant at 0 histogram_quantile(0.95, sum by (le) (h_bucket{pod="a"}))
  {} 1.9

eval instant at 0 histogram_quantile(0.5, h_bucket{pod="b"})
  expect info msg: PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name "h_bucket", from buckets 2 to 2, with a max diff of 2, over 1 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z (1:25)
  {pod="b"} 0.625

eval instant at 0 histogram_quantile(0.5, h_bucket{pod="c"})
  expect warn msg: PromQL warning: bucket label "le" is missing or has a malformed value of "none" for metric name "h_bucket" (1:25)

eval instant at 0 histogram_quantile(2, h_bucket{pod="a"})
  expect warn
  {pod="a"} Inf

eval instant at 0 histogram_fraction(0, 1.5, h_bucket{pod="a"})
  {pod="a"} 0.75

eval instant at 0 histogram_count(h_bucket)
"#,
    );
}

#[test]
fn labels_can_be_rewritten() {
    check(
        9,
        r#"
load 10s
  up{instance="web-1:80", job="web"} 1
  up{instance="web-2:80", job="web"} 1

eval instant at 0 label_replace(up{instance="web-1:80"}, "host", "$1!", "instance", "(.*):\\d+")
  up{instance="web-1:80", job="web", host="web-1!"} 1

eval instant at 0 label_replace(up{instance="web-1:80"}, "port", "${p}", "instance", ".*:(?P<p>\\d+)")
  up{instance="web-1:80", job="web", port="80"} 1

eval instant at 0 label_replace(up{instance="web-1:80"}, "job", "", "", "")
  up{instance="web-1:80"} 1

eval instant at 0 label_replace(up{instance="web-1:80"}, "job", "x", "instance", "web")
  up{instance="web-1:80", job="web"} 1

eval instant at 0 label_replace(up, "instance", "same", "", "")
  expect fail msg: vector cannot contain metrics with the same labelset

eval instant at 0 label_replace(up, "a", "b", "job", "(")
  expect fail msg: invalid regular expression in label_replace(): (

eval instant at 0 label_replace(rate(up[1m]), "__name__", "kept", "", "")

eval instant at 0 label_join(up{instance="web-1:80"}, "both", "/", "job", "none", "instance")
  up{instance="web-1:80", job="web", both="web//web-1:80"} 1

eval instant at 0 label_join(up, "", "/", "job")
  expect fail
"#,
    );
}

#[test]
fn vectors_can_be_sorted() {
    check(
        4,
        r#"
load 10s
  m{pod="p-10"} 2
  m{pod="p-9"} 3
  m{pod="p-1"} NaN
  m{pod="p-2"} 1

eval instant at 0 sort(m)
  expect ordered
  m{pod="p-2"} 1
  m{pod="p-10"} 2
  m{pod="p-9"} 3
  m{pod="p-1"} NaN

eval instant at 0 sort_desc(m)
  expect ordered
  m{pod="p-9"} 3
  m{pod="p-10"} 2
  m{pod="p-2"} 1
  m{pod="p-1"} NaN

eval instant at 0 sort_by_label(m, "pod")
  expect ordered
  m{pod="p-1"} NaN
  m{pod="p-2"} 1
  m{pod="p-9"} 3
  m{pod="p-10"} 2

eval instant at 0 sort_by_label_desc(m, "pod")
  expect ordered
  m{pod="p-10"} 2
  m{pod="p-9"} 3
  m{pod="p-2"} 1
  m{pod="p-1"} NaN
"#,
    );
}

#[test]
fn single_values_are_computed_one_by_one() {
    check(
        17,
        r"
load 10s
  m -2.5

eval instant at 0 abs(m)
  {} 2.5

eval instant at 0 ceil(m) + floor(m)
  {} -5

eval instant at 0 sgn(m)
  {} -1

eval instant at 0 round(m)
  {} -2

eval instant at 0 round(m, 0.4)
  {} -2.4

eval instant at 0 clamp(m, -1, 1)
  {} -1

eval instant at 0 clamp(m, 1, -1)

eval instant at 0 clamp_min(m, NaN)
  {} NaN

eval instant at 0 clamp_max(m, -3)
  {} -3

eval instant at 0 sqrt(m)
  {} NaN

eval instant at 0 exp(ln(abs(m)))
  {} 2.5

eval instant at 0 deg(vector(pi()))
  {} 180

eval instant at 0 atanh(tanh(asinh(sinh(rad(deg(m))))))
  {} -2.5

eval instant at 0 log2(vector(8)) + log10(vector(1000))
  {} 6

eval instant at 0 scalar(m) * 2
  -5

eval instant at 0 scalar(m or vector(1))
  -2.5

eval instant at 0 scalar(nothing)
  NaN
",
    );
}

#[test]
fn dates_are_utc() {
    check(
        6,
        r"
load 10s
  m 951782400

eval instant at 0 year(m) * 10000 + month(m) * 100 + day_of_month(m)
  {} 20000229

eval instant at 0 days_in_month(m) + day_of_year(m) / 100
  {} 29.6

eval instant at 90m hour() * 100 + minute()
  {} 130

eval instant at 0 day_of_week()
  {} 4

eval instant at 15s timestamp(m)
  {} 0

eval instant at 15s timestamp(m * 1)
  {} 15
",
    );
}

#[test]
fn subqueries_evaluate_on_a_grid_of_their_own() {
    check(
        4,
        r"
load 10s
  c_total 0+1x100

eval instant at 105s count_over_time(c_total[50s:20s])
  {} 3

eval instant at 105s sum_over_time(c_total[50s:20s])
  {} 24

eval instant at 300s max_over_time(rate(c_total[1m])[2m:])
  {} 0.1

eval range from 100s to 300s step 100s max_over_time((c_total - 1)[30s:10s] @ end() offset 10s)
  {} 28 28 28
",
    );
}

#[test]
fn limits_pick_a_share_and_its_complement() {
    check(
        6,
        r#"
load 10s
  m{pod="a"} 1
  m{pod="b"} 2
  m{pod="c"} 3
  m{pod="d"} 4

eval instant at 0 count(limitk(3, m))
  {} 3

eval instant at 0 limitk(0, m)

eval instant at 0 count(limit_ratio(0.4, m) or limit_ratio(-0.6, m))
  {} 4

eval instant at 0 limit_ratio(0.4, m) and limit_ratio(-0.6, m)

eval instant at 0 count(limit_ratio(-1.5, m))
  expect warn msg: PromQL warning: ratio value should be between -1 and 1, got -1.5, capping to -1 (1:19)
  {} 4

eval instant at 0 topk(1e30, m)
  expect fail msg: Scalar value 1e+30 overflows int64
"#,
    );
}

//! The fault as a whole: what can be written, what it means, and that what is asked is what is served.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

const HOME: Request<'static> = Request::to("/");

fn fault(json: &str) -> Fault {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn prepared(json: &str) -> Prepared {
    fault(json).prepare(&Latency::healthy()).unwrap_or_else(|problems| panic!("{json}: {problems:?}"))
}

fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

// === what can be written ===

/// The whole grammar in one place; also what `insta` shows of its JSON.
const EVERYTHING: &str = r#"{
    "errors": {"rate": "8%", "statuses": {"500": 3, "503": 1}, "exception": "TimeoutException", "cohort": {"path": "/checkout"}},
    "latency": {"p50": "40ms", "p95": "120ms", "p99.9": "1s", "cohort": {"header": {"name": "x-user", "value": "beta"}}},
    "onset": {"after": "30s"},
    "ramp": "1m",
    "readiness": {"unready-after": "60s"},
    "liveness": {"fail-after": "1m30s"},
    "crash": {"after": "2m", "exit-code": 137}
}"#;

#[test]
fn the_whole_grammar_travels_as_json_and_back() {
    let first = fault(EVERYTHING);
    let json = serde_json::to_string(&first).unwrap();
    insta::assert_snapshot!(json, @r#"{"errors":{"rate":0.08,"statuses":{"500":3.0,"503":1.0},"exception":"TimeoutException","cohort":{"path":"/checkout"}},"latency":{"p50":"40ms","p95":"120ms","p99.9":"1s","cohort":{"header":{"name":"x-user","value":"beta"}}},"onset":{"after":"30s"},"ramp":"1m0s","readiness":{"unready-after":"1m0s"},"liveness":{"fail-after":"1m30s"},"crash":{"after":"2m0s","exit-code":137}}"#);
    assert_eq!(fault(&json), first);
}

#[test]
fn no_fault_is_written_as_nothing() {
    assert_eq!(serde_json::to_string(&Fault::default()).unwrap(), "{}");
    assert!(Fault::default().check().is_empty());
}

#[test]
fn never_ready_is_one_word() {
    assert_eq!(fault(r#"{"readiness": "never"}"#).readiness, Some(Readiness::Never));
}

fn refused(json: &str) -> String {
    serde_json::from_str::<Fault>(json).unwrap_err().to_string()
}

#[test]
fn unknown_keys_are_refused_at_every_level() {
    for json in [
        r#"{"error": {}}"#,
        r#"{"errors": {"rate": 1, "code": 500}}"#,
        r#"{"latency": {"p42": "1s"}}"#,
        r#"{"latency": {"distribution": {"pareto": {}}}}"#,
        r#"{"latency": {"distribution": {"uniform": {"min": "1s", "max": "2s", "mean": "1s"}}}}"#,
        r#"{"onset": {"before": "1s"}}"#,
        r#"{"readiness": {"fail-after": "1s"}}"#,
        r#"{"crash": {"after": "1s", "code": 1}}"#,
        r#"{"errors": {"rate": 1, "cohort": {"header": {"name": "a", "regex": "b"}}}}"#,
    ] {
        let message = refused(json);
        assert!(message.starts_with("unknown "), "{json}: {message}");
    }
}

#[test]
fn an_exit_code_is_a_byte() {
    assert!(refused(r#"{"crash": {"after": "1s", "exit-code": 256}}"#).contains("u8"));
}

// === what makes no sense ===

fn problems(json: &str) -> Vec<String> {
    fault(json).check().iter().map(ToString::to_string).collect()
}

fn check(json: &str, expect: &str) {
    assert_eq!(problems(json), [expect], "{json}");
}

#[test]
fn a_rate_is_a_share() {
    check(r#"{"errors": {"rate": 8}}"#, "errors.rate: a rate of 8 is not a share of all requests (write 8%)");
    check(
        r#"{"errors": {"rate": -0.1}}"#,
        "errors.rate: a rate of -0.1 is not a share of all requests (write a share between 0% and 100%)",
    );
}

#[test]
fn an_error_has_an_error_status() {
    check(
        r#"{"errors": {"rate": 1, "status": 200}}"#,
        "errors.status: 200 is not an error status (write a status from 400 to 599)",
    );
    check(
        r#"{"errors": {"rate": 1, "statuses": {"600": 1}}}"#,
        "errors.statuses.600: 600 is not an error status (write a status from 400 to 599)",
    );
}

#[test]
fn statuses_need_weights_and_company() {
    check(
        r#"{"errors": {"rate": 1, "statuses": {"500": 0}}}"#,
        "errors.statuses.500: a weight of 0 gives no share (write a number above 0, at most 1e9)",
    );
    check(
        r#"{"errors": {"rate": 1, "statuses": {}}}"#,
        "errors.statuses: there is no status to answer with (write for example {500: 3, 503: 1})",
    );
    check(
        r#"{"errors": {"rate": 1, "status": 500, "statuses": {"500": 1}}}"#,
        "errors.statuses: `status` and `statuses` exclude each other (keep one of them)",
    );
}

#[test]
fn percentiles_never_fall() {
    check(
        r#"{"latency": {"p50": "2s", "p95": "1s"}}"#,
        "latency.p95: p95 is 1s, less than the 2s of p50 (percentiles never fall)",
    );
}

#[test]
fn equal_percentiles_are_a_flat_stretch() {
    assert!(problems(r#"{"latency": {"p50": "1s", "p95": "1s"}}"#).is_empty());
}

#[test]
fn a_latency_says_something_once() {
    check(
        r#"{"latency": {}}"#,
        "latency: there is no latency in it (write for example {p50: 40ms, p95: 120ms})",
    );
    check(
        r#"{"latency": {"p50": "1s", "distribution": {"constant": "1s"}}}"#,
        "latency.distribution: percentiles and a distribution exclude each other (keep one of them)",
    );
    check(
        r#"{"latency": {"p50": "0s"}}"#,
        "latency.p50: no answer takes no time at all (write 1us, or use `distribution`)",
    );
    check(
        r#"{"latency": {"distribution": {"constant": "2h"}}}"#,
        "latency.distribution.constant: a latency of 2h0m0s is out of range (write at most 1h)",
    );
    check(
        r#"{"latency": {"distribution": {"uniform": {"min": "2s", "max": "1s"}}}}"#,
        "latency.distribution.uniform.min: 2s is more than the max of 1s (exchange them)",
    );
    check(
        r#"{"latency": {"distribution": {"log-normal": {"median": "1s", "sigma": 9}}}}"#,
        "latency.distribution.log-normal.sigma: a sigma of 9 is out of range (write a number from 0 to 3)",
    );
}

#[test]
fn a_cohort_can_be_met() {
    check(
        r#"{"errors": {"rate": 1, "cohort": {"path": "checkout"}}}"#,
        r#"errors.cohort.path: no request path begins like "checkout" (begin it with /)"#,
    );
    check(
        r#"{"errors": {"rate": 1, "cohort": {"path": "/a?b"}}}"#,
        "errors.cohort.path: a query is not part of the path (end it before the ? or #)",
    );
    check(
        r#"{"latency": {"p50": "1s", "cohort": {"header": {"name": "a b"}}}}"#,
        r#"latency.cohort.header.name: "a b" cannot be the name of a header (use letters, digits and dashes)"#,
    );
}

#[test]
fn an_onset_or_ramp_of_nothing_is_a_mistake() {
    check(
        r#"{"onset": {"after": "1s"}}"#,
        "onset: there is nothing to set on (add `errors` or `latency`, or remove the key)",
    );
    check(
        r#"{"ramp": "1s"}"#,
        "ramp: there is nothing to grow (add `errors` or `latency`, or remove the key)",
    );
}

#[test]
fn a_ramp_needs_an_onset_in_time() {
    check(
        r#"{"errors": {"rate": 1}, "onset": {"after-requests": 5}, "ramp": "1s"}"#,
        "ramp: a ramp runs in time, and an onset after requests has no time (use `onset: {after: …}`, or remove the ramp)",
    );
}

#[test]
fn the_healthy_latency_is_checked_with_the_fault() {
    let broken = fault(r#"{"errors": {"rate": 8}}"#).prepare(&Latency::default()).unwrap_err();
    assert_eq!(
        broken.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(),
        ["errors.rate", "base-latency"]
    );
}

// === what it means ===

#[test]
fn before_the_onset_the_server_is_healthy() {
    let p = prepared(r#"{"errors": {"rate": 1}, "latency": {"p50": "1s"}, "onset": {"after": "30s"}}"#);
    let at = |age| p.outcome(seconds(age), 0, &HOME, Draw(1));
    assert_eq!((at(29.999).status, at(30.0).status), (200, 500));
    assert!(at(29.999).latency < Duration::from_millis(250));
    assert!(at(30.0).latency >= Duration::from_millis(100));
}

#[test]
fn an_onset_after_requests_counts_from_zero() {
    let p = prepared(r#"{"errors": {"rate": 1}, "onset": {"after-requests": 500}}"#);
    let nth = |nth| p.error_probability(Duration::ZERO, nth, &HOME);
    assert_eq!((nth(499), nth(500)), (0.0, 1.0));
}

#[test]
fn a_ramp_grows_in_a_straight_line() {
    let p = prepared(r#"{"errors": {"rate": "8%"}, "onset": {"after": "30s"}, "ramp": "60s"}"#);
    let at = |age| p.error_probability(seconds(age), 0, &HOME);
    assert_eq!((at(30.0), at(60.0), at(90.0), at(1000.0)), (0.0, 0.04, 0.08, 0.08));
}

#[test]
fn a_ramp_moves_every_percentile_from_healthy_to_asked() {
    let p = prepared(r#"{"latency": {"p50": "105ms", "p95": "212ms"}, "ramp": "60s"}"#);
    let at = |age, q| p.latency_quantile(seconds(age), 0, &HOME, q).as_millis();
    assert_eq!((at(0.0, 0.5), at(30.0, 0.5), at(60.0, 0.5)), (5, 55, 105));
    assert_eq!((at(0.0, 0.95), at(30.0, 0.95), at(60.0, 0.95)), (12, 112, 212));
}

#[test]
fn the_share_within_a_limit_follows_the_ramp() {
    let p = prepared(r#"{"latency": {"p50": "105ms", "p95": "212ms"}, "ramp": "60s"}"#);
    for (age, limit) in [(0.0, 5), (30.0, 55), (60.0, 105)] {
        let share = p.latency_share_within(seconds(age), 0, &HOME, Duration::from_millis(limit));
        assert!((share - 0.5).abs() < 1e-6, "{age}: {share}");
    }
}

#[test]
fn only_the_cohort_is_harmed() {
    let p = prepared(
        r#"{"errors": {"rate": 1, "cohort": {"path": "/pay"}}, "latency": {"p50": "10s", "cohort": {"header": {"name": "x-beta"}}}}"#,
    );
    let beta = vec![("x-beta".to_owned(), String::new())];
    let ask = |request: Request<'_>| p.outcome(Duration::ZERO, 0, &request, Draw(3)).status;
    let slow =
        |request: Request<'_>| p.latency_quantile(Duration::ZERO, 0, &request, 0.5) > Duration::from_secs(1);
    assert_eq!((ask(Request::to("/pay")), ask(HOME)), (500, 200));
    assert!(slow(Request { path: "/", headers: &beta }));
    assert!(!slow(HOME));
    assert_eq!(p.error_probability(Duration::ZERO, 0, &HOME), 0.0);
}

#[test]
fn errors_carry_their_exception_and_successes_none() {
    let p = prepared(r#"{"errors": {"rate": "50%", "exception": "Boom"}}"#);
    for n in 0..100 {
        let outcome = p.outcome(Duration::ZERO, n, &HOME, Draw::nth(1, n));
        assert_eq!(outcome.exception.is_some(), outcome.status == 500);
    }
    assert_eq!(p.exception(), Some("Boom"));
}

fn states(json: &str, ages: &[f64]) -> Vec<(bool, bool, Option<u8>)> {
    let p = prepared(json);
    ages.iter().map(|age| p.health(seconds(*age))).map(|h| (h.ready, h.live, h.crashed)).collect()
}

#[test]
fn readiness_comes_goes_or_stays_away() {
    assert_eq!(states("{}", &[0.0]), [(true, true, None)]);
    assert_eq!(states(r#"{"readiness": "never"}"#, &[0.0, 1e6]), [(false, true, None), (false, true, None)]);
    assert_eq!(
        states(r#"{"readiness": {"after": "20s"}}"#, &[19.9, 20.0]),
        [(false, true, None), (true, true, None)]
    );
    assert_eq!(
        states(r#"{"readiness": {"unready-after": "20s"}}"#, &[19.9, 20.0]),
        [(true, true, None), (false, true, None)]
    );
}

#[test]
fn liveness_fails_and_the_process_ends() {
    assert_eq!(
        states(r#"{"liveness": {"fail-after": "60s"}}"#, &[59.9, 60.0]),
        [(true, true, None), (true, false, None)]
    );
    assert_eq!(
        states(r#"{"crash": {"after": "45s", "exit-code": 3}}"#, &[44.9, 45.0]),
        [(true, true, None), (false, false, Some(3))]
    );
    assert_eq!(states(r#"{"crash": {"after": "1s"}}"#, &[1.0]), [(false, false, Some(1))]);
}

#[test]
fn every_change_of_health_is_announced() {
    let p = prepared(
        r#"{"readiness": {"after": "20s"}, "liveness": {"fail-after": "60s"}, "crash": {"after": "90s"}}"#,
    );
    let mut ages = vec![Duration::ZERO];
    while let Some(next) = p.next_change(ages[ages.len() - 1]) {
        ages.push(next);
    }
    assert_eq!(ages, [0, 20, 60, 90].map(Duration::from_secs));
}

#[test]
fn nothing_changes_after_the_end() {
    let p = prepared(r#"{"readiness": {"after": "200s"}, "crash": {"after": "90s"}}"#);
    assert_eq!(p.next_change(Duration::from_secs(90)), None);
}

#[test]
fn changes_of_strength_are_announced() {
    let p = prepared(r#"{"errors": {"rate": 1}, "onset": {"after": "30s"}, "ramp": "60s"}"#);
    let next = |age| p.next_strength_change(Duration::from_secs(age)).map(|d| d.as_secs());
    assert_eq!((next(0), next(30), next(90)), (Some(30), Some(90), None));
    let sudden = prepared(r#"{"errors": {"rate": 1}}"#);
    assert_eq!(sudden.next_strength_change(Duration::ZERO), None);
}

#[test]
fn outcomes_are_stable_values() {
    // Anybody who keeps a recorded run relies on these; they may change only with a new major version.
    let p = prepared(
        r#"{"errors": {"rate": "50%", "statuses": {"500": 3, "503": 1}}, "latency": {"p50": "40ms", "p95": "120ms", "p99": "300ms"}}"#,
    );
    let lines: Vec<String> = (0..12)
        .map(|n| p.outcome(Duration::ZERO, n, &HOME, Draw::nth(42, n)))
        .map(|outcome| format!("{} {}", outcome.status, outcome.latency.as_nanos()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    200 36786683
    500 76936957
    503 91324997
    500 153138934
    200 28416492
    200 35818538
    200 54757783
    200 18812517
    200 99361271
    200 31326511
    200 116861378
    503 30226345
    "#);
}

// === calibration ===

const DRAWS: u64 = 100_000;

/// Is `hits` of `DRAWS` within the 99.9 % interval of a binomial with probability `p`?
fn plausible(hits: u64, p: f64) -> bool {
    let (n, hits) = (DRAWS as f64, hits as f64);
    (hits - n * p).abs() <= 3.290_5 * (n * p * (1.0 - p)).sqrt() + 0.5
}

fn count(p: &Prepared, age: Duration, nth: u64, request: Request<'_>) -> BTreeMap<u16, u64> {
    let mut counts = BTreeMap::new();
    for n in 0..DRAWS {
        *counts.entry(p.outcome(age, nth, &request, Draw::nth(20_261_123, n)).status).or_default() += 1;
    }
    counts
}

fn served(json: &str, age: f64, nth: u64, expect: &[(u16, f64)]) {
    let p = prepared(json);
    let counts = count(&p, seconds(age), nth, Request::to("/checkout/pay"));
    for (status, share) in expect {
        let hits = counts.get(status).copied().unwrap_or(0);
        assert!(plausible(hits, *share), "{json}: {hits} of {DRAWS} were {status}, asked was {share}");
    }
    assert_eq!(counts.len(), expect.iter().filter(|(_, share)| *share > 0.0).count(), "{json}: {counts:?}");
}

#[test]
fn the_asked_error_rate_is_served() {
    for (rate, share) in [
        ("0%", 0.0),
        ("0.1%", 0.001),
        ("1%", 0.01),
        ("8%", 0.08),
        ("50%", 0.5),
        ("99.5%", 0.995),
        ("100%", 1.0),
    ] {
        served(
            &format!(r#"{{"errors": {{"rate": "{rate}"}}}}"#),
            0.0,
            0,
            &[(200, 1.0 - share), (500, share)],
        );
    }
}

#[test]
fn the_asked_weights_are_served() {
    served(
        r#"{"errors": {"rate": "8%", "statuses": {"500": 3, "503": 1}}}"#,
        0.0,
        0,
        &[(200, 0.92), (500, 0.06), (503, 0.02)],
    );
    served(
        r#"{"errors": {"rate": 1, "statuses": {"429": 0.2, "500": 0.3, "504": 0.5}}}"#,
        0.0,
        0,
        &[(429, 0.2), (500, 0.3), (504, 0.5)],
    );
}

#[test]
fn the_asked_onset_and_ramp_are_served() {
    let ramp = r#"{"errors": {"rate": "8%"}, "onset": {"after": "30s"}, "ramp": "60s"}"#;
    for (age, share) in [(29.0, 0.0), (45.0, 0.02), (60.0, 0.04), (90.0, 0.08)] {
        served(ramp, age, 0, &[(200, 1.0 - share), (500, share)]);
    }
    let requests = r#"{"errors": {"rate": "8%"}, "onset": {"after-requests": 500}}"#;
    served(requests, 0.0, 499, &[(200, 1.0)]);
    served(requests, 0.0, 500, &[(200, 0.92), (500, 0.08)]);
}

#[test]
fn the_asked_cohort_is_served() {
    served(
        r#"{"errors": {"rate": "8%", "cohort": {"path": "/checkout"}}}"#,
        0.0,
        0,
        &[(200, 0.92), (500, 0.08)],
    );
    served(r#"{"errors": {"rate": "8%", "cohort": {"path": "/cart"}}}"#, 0.0, 0, &[(200, 1.0)]);
}

/// Draws latencies and compares them with what was asked in two ways: the share of 100,000 draws within each asked percentile lies in its
/// 99.9 % interval, and the percentile of a million draws lies within 1 % (of fewer, a steep p99 has more sampling error than that).
fn paced(latency: &str, expect: &[(f64, f64)]) {
    let p = prepared(&format!(r#"{{"latency": {latency}}}"#));
    let draw = |n| p.outcome(Duration::ZERO, n, &HOME, Draw::nth(20_261_123, n)).latency;
    let mut drawn: Vec<Duration> = (0..10 * DRAWS).map(draw).collect();
    for (q, millis) in expect {
        let asked = Duration::from_secs_f64(millis / 1e3);
        let within = (0..DRAWS).filter(|n| draw(*n) <= asked).count() as u64;
        assert!(plausible(within, *q), "{latency}: {within} of {DRAWS} within p{}", q * 100.0);
        let rank = ((drawn.len() as f64 * q) as usize).min(drawn.len() - 1);
        let got = drawn.select_nth_unstable(rank).1.as_secs_f64() * 1e3;
        assert!(
            (got / millis - 1.0).abs() < 0.01,
            "{latency}: p{} is {got} ms, asked was {millis} ms",
            q * 100.0
        );
    }
}

#[test]
fn the_asked_percentiles_are_served() {
    paced(r#"{"p50": "40ms", "p95": "120ms"}"#, &[(0.5, 40.0), (0.95, 120.0)]);
    paced(
        r#"{"p50": "40ms", "p75": "50ms", "p90": "70ms", "p95": "120ms", "p99": "300ms"}"#,
        &[(0.5, 40.0), (0.75, 50.0), (0.9, 70.0), (0.95, 120.0), (0.99, 300.0)],
    );
    paced(r#"{"p95": "800ms"}"#, &[(0.95, 800.0)]);
}

#[test]
fn the_asked_distributions_are_served() {
    paced(r#"{"distribution": {"constant": "50ms"}}"#, &[(1.0, 50.0)]);
    paced(
        r#"{"distribution": {"uniform": {"min": "10ms", "max": "50ms"}}}"#,
        &[(0.25, 20.0), (0.5, 30.0), (0.95, 48.0)],
    );
    paced(
        r#"{"distribution": {"log-normal": {"median": "40ms", "sigma": 0.6}}}"#,
        &[(0.5, 40.0), (0.95, 107.317), (0.99, 161.530)],
    );
}

// === robustness ===

proptest::proptest! {
    #[test]
    fn no_json_panics(json in "\\PC{0,200}") {
        if let Ok(fault) = serde_json::from_str::<Fault>(&json) {
            let _ = fault.prepare(&Latency::healthy());
        }
    }

    #[test]
    fn whatever_passes_the_check_can_be_served(
        rate in -1.0..2.0_f64, status in 0..700_u16, weight in -1.0..5.0_f64,
        p50 in 0..4_000_000_u64, p95 in 0..4_000_000_u64, onset in 0..100_u64, ramp in 0..100_u64, age in 0..300_u64, draw: u64,
    ) {
        let fault = Fault {
            errors: Some(Errors {
                rate: crate::share::Share(rate), status: None, exception: None, cohort: None,
                statuses: Some([(status, weight), (503, 1.0)].into()),
            }),
            latency: Some(Latency { p50: Some(GoDuration::from_millis(p50)), p95: Some(GoDuration::from_millis(p95)), ..Latency::default() }),
            onset: Some(Onset::After(GoDuration::from_secs(onset))),
            ramp: Some(GoDuration::from_secs(ramp)),
            ..Fault::default()
        };
        if let Ok(p) = fault.prepare(&Latency::healthy()) {
            let outcome = p.outcome(Duration::from_secs(age), 0, &HOME, Draw(draw));
            proptest::prop_assert!(outcome.status == 200 || (400..600).contains(&outcome.status));
            proptest::prop_assert!(outcome.latency <= Duration::from_secs(36_000));
        }
    }
}

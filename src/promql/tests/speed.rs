//! Figures, not assertions: `cargo test --release -- --ignored --nocapture speed`.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "it measures")]

use std::time::{Duration, Instant};

use crate::promql::{self, Labels, Options, Storage};

const ERRORS: &str = r#"sum(rate(http_server_requests_seconds_count{status=~"5.."}[1m])) / sum(rate(http_server_requests_seconds_count[1m]))"#;
const LATENCY: &str = "histogram_quantile(0.95, sum(rate(http_server_requests_seconds_bucket[5m])) by (le))";

/// Twelve series of each metric, scraped every 15 seconds for ten minutes.
fn storage() -> Storage {
    let mut storage = Storage::new();
    for i in 0..12 {
        let status = if i % 4 == 0 { "503" } else { "200" };
        let pod = (i / 4).to_string();
        let common = [
            ("job", "app"),
            ("pod", pod.as_str()),
            ("uri", "/orders"),
            ("method", "GET"),
            ("status", status),
        ];
        let bound = ["0.05", "0.1", "0.5", "+Inf"][i % 4];
        let all = [
            Labels::metric(
                "http_server_requests_seconds_count",
                common.into_iter().chain([("shard", bound)]),
            ),
            Labels::metric("http_server_requests_seconds_bucket", common.into_iter().chain([("le", bound)])),
        ];
        for labels in &all {
            let id = storage.series_id(labels);
            for scrape in 0..40_i64 {
                storage.append(id, scrape * 15_000, (scrape * 10) as f64).expect("in order");
            }
        }
    }
    storage
}

#[test]
#[ignore = "prints figures"]
#[allow(clippy::print_stderr, reason = "it prints")]
fn figures() {
    let storage = storage();
    let options = Options::default();
    for query in [ERRORS, LATENCY] {
        let parse = time(|| promql::parse(query).map(|_| ()).expect("valid"), 100_000);
        let expr = promql::parse(query).expect("valid");
        let eval = time(
            || promql::instant(&expr, &storage, 595_000, &options).map(|_| ()).expect("an answer"),
            100_000,
        );
        let answer = promql::instant(&expr, &storage, 595_000, &options).expect("an answer");
        eprintln!("{query}\n  parse {parse:?}, evaluate {eval:?} → {}", promql::json::data(&answer.value));
    }
}

/// Mean duration of one call.
fn time(mut f: impl FnMut(), times: u32) -> Duration {
    let start = Instant::now();
    (0..times).for_each(|_| f());
    start.elapsed() / times
}

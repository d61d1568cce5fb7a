//! What one outcome costs: `cargo run --release -p fake-app --example draws`.

#![allow(clippy::print_stdout, reason = "an example tells by printing")]

use std::time::Duration;

use fake_app::fault::{Draw, Fault, Latency, Request};
use tokio::time::Instant;

const DRAWS: u64 = 20_000_000;

fn main() -> Result<(), serde_json::Error> {
    for json in [
        "{}",
        r#"{"errors": {"rate": "8%", "statuses": {"500": 3, "503": 1}}, "latency": {"p50": "40ms", "p95": "120ms"}}"#,
        r#"{"errors": {"rate": "8%"}, "latency": {"p50": "40ms", "p95": "120ms"}, "ramp": "1h"}"#,
    ] {
        let fault: Fault = serde_json::from_str(json)?;
        let prepared = fault.prepare(&Latency::healthy()).expect("the faults above make sense");
        let start = Instant::now();
        let (mut failed, mut waited) = (0_u64, Duration::ZERO);
        for n in 0..DRAWS {
            let outcome = prepared.outcome(Duration::from_secs(60), n, &Request::to("/"), Draw::nth(1, n));
            failed += u64::from(outcome.status >= 400);
            waited += outcome.latency;
        }
        let nanos = start.elapsed().as_secs_f64() * 1e9 / DRAWS as f64;
        println!("{nanos:.1} ns per outcome ({failed} failed, {waited:?} in all) under {json}");
    }
    Ok(())
}

//! A small open-loop load, to measure the server and not the client: how many requests it answers, and how exactly it keeps its latency.
//!
//! ```sh
//! cargo build --release -p fake-app --bins --example load
//! BASE_LATENCY='{"distribution":{"constant":"20ms"}}' PORTS=8099 taskset -c 0 target/release/fake-app &
//! taskset -c 1 target/release/examples/load 127.0.0.1:8099 10000 10 20
//! ```
//!
//! Arguments: address, requests per second, seconds, the injected latency in milliseconds. Requests leave when they are due, whether or not
//! earlier ones were answered; each takes an idle connection or opens one.

#![allow(clippy::print_stdout, reason = "an example tells by printing")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

type Pool = Arc<Mutex<Vec<SendRequest<Body>>>>;
type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, rate, seconds, injected] = &args[..] else {
        return Err("usage: load <address> <requests per second> <seconds> <injected ms>".into());
    };
    let (rate, seconds, injected): (f64, f64, f64) = (rate.parse()?, seconds.parse()?, injected.parse()?);
    let pool: Pool = Pool::default();
    let mut flying = JoinSet::new();
    let start = Instant::now();
    let total = (rate * seconds) as u64;
    let mut sent = 0;
    while sent < total {
        let due = (start.elapsed().as_secs_f64() * rate) as u64;
        while sent < due.min(total) {
            flying.spawn(one(address.clone(), Arc::clone(&pool)));
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let sending = start.elapsed().as_secs_f64();
    let results = flying.join_all().await;
    tell(&results, sending, injected, pool.lock().map_or(0, |pool| pool.len()));
    Ok(())
}

/// One request; its latency in milliseconds.
async fn one(address: String, pool: Pool) -> Result<f64, Error> {
    let idle = pool.lock().map_err(|_| "poisoned")?.pop();
    let mut connection = match idle {
        Some(connection) if !connection.is_closed() => connection,
        _ => connect(&address).await?,
    };
    let request = Request::get("/").header("host", &address).body(Body::empty())?;
    let start = Instant::now();
    let response = connection.send_request(request).await?;
    let latency = start.elapsed().as_secs_f64() * 1e3;
    let status = response.status();
    to_bytes(Body::new(response.into_body()), 1 << 16).await?;
    connection.ready().await?;
    pool.lock().map_err(|_| "poisoned")?.push(connection);
    if status.is_success() { Ok(latency) } else { Err(status.to_string().into()) }
}

async fn connect(address: &str) -> Result<SendRequest<Body>, Error> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn tell(results: &[Result<f64, Error>], seconds: f64, injected: f64, connections: usize) {
    let mut late: Vec<f64> = results.iter().flatten().map(|latency| latency - injected).collect();
    late.sort_by(f64::total_cmp);
    let at = |q: f64| late.get((late.len() as f64 * q) as usize).or(late.last()).copied().unwrap_or(f64::NAN);
    println!(
        "answered {} of {} in {seconds:.2} s: {:.0}/s, {connections} connections",
        late.len(),
        results.len(),
        late.len() as f64 / seconds
    );
    println!(
        "later than asked, ms: min {:.3} p50 {:.3} p90 {:.3} p99 {:.3} max {:.3}",
        at(0.0),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    if let Some(Err(error)) = results.iter().find(|result| result.is_err()) {
        println!("first failure: {error}");
    }
}

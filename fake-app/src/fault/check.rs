//! What makes no sense in a fault that could nevertheless be read.
//!
//! All problems are collected, each with the key it belongs to, so that an embedder can point at the place in its own file.

use std::fmt;
use std::time::Duration;

use super::latency::Distribution;
use super::{Cohort, Errors, Fault, Latency, Onset};
use crate::duration::GoDuration;

/// Something that makes no sense, where it stands, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, with dots: `errors.statuses.700`.
    pub path: String,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.path, self.message, self.help)
    }
}

/// Longer than anybody waits; it also keeps sums of nanoseconds far from overflow.
const LONGEST: Duration = Duration::from_secs(3600);
/// A log-normal wider than this spans more than twelve decades.
const WIDEST_SIGMA: f64 = 3.0;

pub(super) fn fault(fault: &Fault) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Some(asked) = &fault.errors {
        errors(asked, &mut found);
    }
    if let Some(asked) = &fault.latency {
        found.extend(asked.check("latency"));
    }
    timing(fault, &mut found);
    found
}

fn errors(errors: &Errors, found: &mut Vec<Problem>) {
    let rate = errors.rate.0;
    if !(0.0..=1.0).contains(&rate) {
        let help = if rate > 1.0 && rate <= 100.0 {
            format!("write {rate}%")
        } else {
            "write a share between 0% and 100%".to_owned()
        };
        found.push(Problem::new(
            "errors.rate",
            format!("a rate of {rate} is not a share of all requests"),
            help,
        ));
    }
    if errors.status.is_some() && errors.statuses.is_some() {
        found.push(Problem::new(
            "errors.statuses",
            "`status` and `statuses` exclude each other",
            "keep one of them",
        ));
    }
    if let Some(code) = errors.status {
        status("errors.status".to_owned(), code, found);
    }
    weights(errors, found);
    if errors.exception.as_ref().is_some_and(|name| name.trim().is_empty()) {
        found.push(Problem::new(
            "errors.exception",
            "an exception needs a name",
            "name it, or remove the key",
        ));
    }
    cohort("errors", errors.cohort.as_ref(), found);
}

fn weights(errors: &Errors, found: &mut Vec<Problem>) {
    let Some(statuses) = &errors.statuses else { return };
    if statuses.is_empty() {
        found.push(Problem::new(
            "errors.statuses",
            "there is no status to answer with",
            "write for example {500: 3, 503: 1}",
        ));
    }
    for (code, weight) in statuses {
        let path = format!("errors.statuses.{code}");
        if !(weight.is_finite() && *weight > 0.0 && *weight <= 1e9) {
            found.push(Problem::new(
                path.clone(),
                format!("a weight of {weight} gives no share"),
                "write a number above 0, at most 1e9",
            ));
        }
        status(path, *code, found);
    }
}

fn status(path: String, code: u16, found: &mut Vec<Problem>) {
    if !(400..=599).contains(&code) {
        found.push(Problem::new(
            path,
            format!("{code} is not an error status"),
            "write a status from 400 to 599",
        ));
    }
}

fn cohort(of: &str, cohort: Option<&Cohort>, found: &mut Vec<Problem>) {
    match cohort {
        Some(Cohort::Path(path)) if !path.starts_with('/') => {
            found.push(Problem::new(
                format!("{of}.cohort.path"),
                format!("no request path begins like {path:?}"),
                "begin it with /",
            ));
        }
        Some(Cohort::Path(path)) if path.contains(['?', '#']) => {
            found.push(Problem::new(
                format!("{of}.cohort.path"),
                "a query is not part of the path",
                "end it before the ? or #",
            ));
        }
        Some(Cohort::Header(header)) if !is_token(&header.name) => {
            let message = format!("{:?} cannot be the name of a header", header.name);
            found.push(Problem::new(
                format!("{of}.cohort.header.name"),
                message,
                "use letters, digits and dashes",
            ));
        }
        _ => {}
    }
}

/// RFC 9110, 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn timing(fault: &Fault, found: &mut Vec<Problem>) {
    let harmless = fault.errors.is_none() && fault.latency.is_none();
    if harmless && fault.onset.is_some() {
        found.push(Problem::new(
            "onset",
            "there is nothing to set on",
            "add `errors` or `latency`, or remove the key",
        ));
    }
    if harmless && fault.ramp.is_some() {
        found.push(Problem::new(
            "ramp",
            "there is nothing to grow",
            "add `errors` or `latency`, or remove the key",
        ));
    }
    if fault.ramp.is_some() && matches!(fault.onset, Some(Onset::AfterRequests(_))) {
        let message = "a ramp runs in time, and an onset after requests has no time";
        found.push(Problem::new("ramp", message, "use `onset: {after: …}`, or remove the ramp"));
    }
}

impl Latency {
    /// Everything that makes no sense in this latency; `of` is the key it stands under.
    #[must_use]
    pub fn check(&self, of: &str) -> Vec<Problem> {
        let mut found = Vec::new();
        match &self.distribution {
            Some(distribution) => named(of, distribution, &mut found),
            None => percentiles(of, self, &mut found),
        }
        if self.distribution.is_some() && !self.points().is_empty() {
            let path = format!("{of}.distribution");
            found.push(Problem::new(
                path,
                "percentiles and a distribution exclude each other",
                "keep one of them",
            ));
        }
        cohort(of, self.cohort.as_ref(), &mut found);
        found
    }
}

fn named(of: &str, distribution: &Distribution, found: &mut Vec<Problem>) {
    let path = |key: &str| format!("{of}.distribution.{key}");
    match distribution {
        Distribution::Constant(value) => bounded(path("constant"), *value, found),
        Distribution::Uniform { min, max } => {
            bounded(path("uniform.max"), *max, found);
            if min > max {
                found.push(Problem::new(
                    path("uniform.min"),
                    format!("{min} is more than the max of {max}"),
                    "exchange them",
                ));
            }
        }
        Distribution::LogNormal { median, sigma } => {
            bounded(path("log-normal.median"), *median, found);
            if !(0.0..=WIDEST_SIGMA).contains(sigma) {
                found.push(Problem::new(
                    path("log-normal.sigma"),
                    format!("a sigma of {sigma} is out of range"),
                    "write a number from 0 to 3",
                ));
            }
        }
    }
}

fn percentiles(of: &str, latency: &Latency, found: &mut Vec<Problem>) {
    let points = latency.points();
    if points.is_empty() {
        found.push(Problem::new(
            of,
            "there is no latency in it",
            "write for example {p50: 40ms, p95: 120ms}",
        ));
    }
    for (key, _, value) in &points {
        bounded(format!("{of}.{key}"), *value, found);
        if value.0.is_zero() {
            // The curve between percentiles lives on a logarithmic scale, where there is no zero.
            found.push(Problem::new(
                format!("{of}.{key}"),
                "no answer takes no time at all",
                "write 1us, or use `distribution`",
            ));
        }
    }
    for pair in points.windows(2) {
        let ((lower, _, low), (upper, _, high)) = (pair[0], pair[1]);
        if low > high {
            let message = format!("{upper} is {high}, less than the {low} of {lower}");
            found.push(Problem::new(format!("{of}.{upper}"), message, "percentiles never fall"));
        }
    }
}

fn bounded(path: String, value: GoDuration, found: &mut Vec<Problem>) {
    if value.0 > LONGEST {
        found.push(Problem::new(path, format!("a latency of {value} is out of range"), "write at most 1h"));
    }
}

//! gRPC servers.
//!
//! Names and labels of go-grpc-prometheus (`server_metrics.go`, v1.2 and its successor in go-grpc-middleware). The answers are still HTTP;
//! a status becomes the code that google/rpc/code.proto maps to it, and a path `/package.Service/Method` the two labels.

use std::borrow::Cow;

use super::custom::Unit;
use super::family::{Family, Measure, Source, buckets};
use crate::metrics::Style;

const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

pub(super) fn families() -> Vec<Family> {
    let call = [
        ("grpc_method", Source::GrpcMethod),
        ("grpc_service", Source::GrpcService),
        ("grpc_type", Source::Fixed(Cow::Borrowed("unary"))),
    ];
    let mut handled = call.to_vec();
    handled.push(("grpc_code", Source::GrpcCode));
    let time = Measure::Time(Unit::Seconds, buckets(&BOUNDS, Style::Go));
    vec![
        Family::new("grpc_server_started_total", "Calls that were begun.", Measure::Count, &call),
        Family::new(
            "grpc_server_handled_total",
            "Calls that were answered, whatever the code.",
            Measure::Count,
            &handled,
        ),
        Family::new("grpc_server_handling_seconds", "Duration of calls.", time, &call),
    ]
}

/// The code for a status.
pub(super) fn code(status: u16) -> &'static str {
    match status {
        200..=299 => "OK",
        400 => "InvalidArgument",
        401 => "Unauthenticated",
        403 => "PermissionDenied",
        404 => "NotFound",
        409 => "Aborted",
        412 => "FailedPrecondition",
        416 => "OutOfRange",
        429 => "ResourceExhausted",
        499 => "Canceled",
        500 => "Internal",
        501 => "Unimplemented",
        503 => "Unavailable",
        504 => "DeadlineExceeded",
        _ => "Unknown",
    }
}

/// Service and method of a path; a path that is none of gRPC's has unknown ones, as in go-grpc-prometheus.
pub(super) fn route(path: &str) -> (&str, &str) {
    match path.trim_start_matches('/').rsplit_once('/') {
        Some((service, method)) if !method.is_empty() => (service, method),
        _ => ("unknown", "unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_as_grpc_routes() {
        assert_eq!(route("/shop.v1.Cart/Add"), ("shop.v1.Cart", "Add"));
        assert_eq!(route("/"), ("unknown", "unknown"));
        assert_eq!(route("/health"), ("unknown", "unknown"));
    }
}

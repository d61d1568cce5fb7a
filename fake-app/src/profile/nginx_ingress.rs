//! The nginx ingress controller.
//!
//! Names and labels of `internal/ingress/metric/collectors/socket.go` (ingress-nginx controller v1.12, without a label per host); the bounds are client_golang's
//! defaults. The controller exports these for the servers behind it; here the server stands in for the controller.

use super::custom::Unit;
use super::family::{Family, Measure, Source, buckets};
use crate::metrics::Style;

const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

pub(super) fn families() -> Vec<Family> {
    use Source::Identity;
    let labels = [
        ("canary", Identity(&["canary"], "")),
        ("controller_class", Identity(&["controller_class"], "k8s.io/ingress-nginx")),
        ("controller_namespace", Identity(&["controller_namespace"], "ingress-nginx")),
        ("controller_pod", Identity(&["controller_pod"], "ingress-nginx-controller")),
        ("ingress", Identity(&["ingress", "service"], "unknown")),
        ("method", Source::Method),
        ("namespace", Identity(&["namespace"], "unknown")),
        ("path", Identity(&["ingress_path"], "/")),
        ("service", Identity(&["service"], "unknown")),
        ("status", Source::Status),
    ];
    let time = || Measure::Time(Unit::Seconds, buckets(&BOUNDS, Style::Go));
    vec![
        Family::new("nginx_ingress_controller_requests", "Requests of clients.", Measure::Count, &labels),
        Family::new(
            "nginx_ingress_controller_request_duration_seconds",
            "Duration of requests.",
            time(),
            &labels,
        ),
        Family::new(
            "nginx_ingress_controller_response_duration_seconds",
            "Time until the server had answered.",
            time(),
            &labels,
        ),
    ]
}

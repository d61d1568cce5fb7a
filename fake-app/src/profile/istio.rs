//! Istio's standard metrics.
//!
//! Names and labels as istio.io/latest/docs/reference/config/metrics lists them; bounds as Envoy's stats filter has them by default. Each request is reported twice,
//! as in a mesh where both ends have a proxy: `reporter="destination"` by the server's and `reporter="source"` by the client's.
//! A query that names no reporter counts double there, and does so here.

use std::borrow::Cow;

use super::custom::Unit;
use super::family::{Family, Measure, Source, buckets};
use crate::metrics::Style;

const BOUNDS: [f64; 19] = [
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

pub(super) fn families() -> Vec<Family> {
    let time = Measure::Time(Unit::Milliseconds, buckets(&BOUNDS, Style::Go));
    ["destination", "source"]
        .into_iter()
        .flat_map(|reporter| {
            let labels = labels(reporter);
            [
                Family::new("istio_requests_total", "Requests handled by a proxy.", Measure::Count, &labels),
                Family::new(
                    "istio_request_duration_milliseconds",
                    "Duration of requests.",
                    time.clone(),
                    &labels,
                ),
            ]
        })
        .collect()
}

const UNKNOWN: &str = "unknown";

fn labels(reporter: &'static str) -> [(&'static str, Source); 25] {
    use Source::Identity;
    let fixed = |value| Source::Fixed(Cow::Borrowed(value));
    // A client's proxy cannot vouch for how the server's end was secured.
    let policy = if reporter == "destination" { "mutual_tls" } else { UNKNOWN };
    [
        ("reporter", fixed(reporter)),
        ("source_workload", Identity(&["source_workload"], UNKNOWN)),
        ("source_workload_namespace", Identity(&["source_workload_namespace"], UNKNOWN)),
        ("source_principal", Identity(&["source_principal"], UNKNOWN)),
        ("source_app", Identity(&["source_app"], UNKNOWN)),
        ("source_version", Identity(&["source_version"], UNKNOWN)),
        ("source_cluster", Identity(&["source_cluster", "cluster"], UNKNOWN)),
        ("source_canonical_service", Identity(&["source_canonical_service", "source_app"], UNKNOWN)),
        ("source_canonical_revision", Identity(&["source_canonical_revision", "source_version"], "latest")),
        ("destination_workload", Identity(&["destination_workload", "workload"], UNKNOWN)),
        (
            "destination_workload_namespace",
            Identity(&["destination_workload_namespace", "namespace"], UNKNOWN),
        ),
        ("destination_principal", Identity(&["destination_principal"], UNKNOWN)),
        ("destination_app", Identity(&["destination_app", "app"], UNKNOWN)),
        ("destination_version", Identity(&["destination_version", "version"], UNKNOWN)),
        ("destination_cluster", Identity(&["destination_cluster", "cluster"], UNKNOWN)),
        ("destination_service", Identity(&["destination_service", "service"], UNKNOWN)),
        ("destination_service_name", Identity(&["destination_service_name", "service"], UNKNOWN)),
        ("destination_service_namespace", Identity(&["destination_service_namespace", "namespace"], UNKNOWN)),
        ("destination_canonical_service", Identity(&["destination_canonical_service", "app"], UNKNOWN)),
        (
            "destination_canonical_revision",
            Identity(&["destination_canonical_revision", "version"], "latest"),
        ),
        ("request_protocol", fixed("http")),
        ("response_code", Source::Status),
        ("response_flags", fixed("-")),
        ("grpc_response_status", fixed("")),
        ("connection_security_policy", fixed(policy)),
    ]
}

//! Metric profiles: under which names a server's requests are counted.
//!
//! ```text
//! names in queries ── choose ──► profiles ──► Recorder ── record(track, age, latency, times) ──► Registry
//! ```
//!
//! People's queries ask for the names of the framework, mesh or proxy they run. A [`Profile`] is a table of families with, for every label,
//! where its value comes from; one interpreter, the [`Recorder`], serves all of them. [`Profile::families`] is the same table for a linter
//! that wants to know which series exist. What a scrape adds (`instance`, `job`, …) is the scraper's business and not found here.

mod choose;
mod custom;
mod family;
mod grpc;
mod http;
mod istio;
mod micrometer;
mod nginx_ingress;
mod recorder;

use serde::{Deserialize, Serialize};

pub use choose::{Choice, choose};
pub use custom::{Carried, Custom, CustomHistogram, Unit};
pub use family::{Family, Measure, Source};
pub use recorder::{Key, Recorder, Track};

use crate::fault::Problem;

/// A set of names under which requests are counted.
///
/// Example: `micrometer`, `istio`, `{custom: {counter: shop_requests_total, labels: {code: status}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Profile {
    /// Spring Boot with Micrometer: `http_server_requests_seconds_{count,sum,bucket,max}`.
    Micrometer,
    /// The names most hand-written exporters use: `http_requests_total`, `http_request_duration_seconds_*`.
    Http,
    /// Istio's standard metrics: `istio_requests_total`, `istio_request_duration_milliseconds_*`.
    Istio,
    /// The nginx ingress controller: `nginx_ingress_controller_requests`, `nginx_ingress_controller_request_duration_seconds_*`.
    NginxIngress,
    /// gRPC servers: `grpc_server_handled_total`, `grpc_server_handling_seconds_*`.
    Grpc,
    /// Names of one's own. Example: `custom: {counter: shop_requests_total, labels: {code: status}}`.
    Custom(Custom),
}

impl Profile {
    /// The profiles that need no description.
    pub const BUILT_IN: [Self; 5] =
        [Self::Micrometer, Self::Http, Self::Istio, Self::NginxIngress, Self::Grpc];

    /// What is exported, with the labels of each family.
    #[must_use]
    pub fn families(&self) -> Vec<Family> {
        match self {
            Self::Micrometer => micrometer::families(),
            Self::Http => http::families(),
            Self::Istio => istio::families(),
            Self::NginxIngress => nginx_ingress::families(),
            Self::Grpc => grpc::families(),
            Self::Custom(custom) => custom.families(),
        }
    }

    /// Everything that makes no sense in the profile; only a custom one can be wrong.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        match self {
            Self::Custom(custom) => custom.check(),
            _ => Vec::new(),
        }
    }

    /// The name, as it is written.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Micrometer => "micrometer",
            Self::Http => "http",
            Self::Istio => "istio",
            Self::NginxIngress => "nginx-ingress",
            Self::Grpc => "grpc",
            Self::Custom(_) => "custom",
        }
    }
}

#[cfg(test)]
mod tests;

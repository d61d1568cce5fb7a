//! `spec.strategy.canary.trafficRouting.istio`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Istio: VirtualServices whose routes are shared out, and perhaps a DestinationRule whose subsets are the revisions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Istio {
    /// The VirtualService.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_service: Option<IstioVirtualService>,
    /// The DestinationRule, if subsets are the revisions and not Services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_rule: Option<IstioDestinationRule>,
    /// Several VirtualServices instead of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_services: Option<Vec<IstioVirtualService>>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A VirtualService, and which of its routes are shared out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioVirtualService {
    /// Its name, perhaps with its namespace after a dot.
    pub name: String,
    /// Names of HTTP routes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// TLS routes, by what they match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tls_routes: Vec<IstioTlsRoute>,
    /// TCP routes, by what they match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp_routes: Vec<IstioTcpRoute>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A TLS route.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioTlsRoute {
    /// The port it matches, zero for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: i64,
    /// The names it matches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sni_hosts: Vec<String>,
}

/// A TCP route.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioTcpRoute {
    /// The port it matches, zero for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: i64,
}

/// A DestinationRule, and which of its subsets are the revisions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioDestinationRule {
    /// Its name.
    pub name: String,
    /// The subset of the new revision.
    pub canary_subset_name: String,
    /// The subset of the stable revision.
    pub stable_subset_name: String,
    /// Subsets whose weights are somebody else's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_subset_names: Vec<String>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Istio {
    /// The VirtualServices, one or several.
    pub fn services(&self) -> impl Iterator<Item = &IstioVirtualService> {
        let one = self.virtual_service.as_ref().filter(|_| self.virtual_services.is_none());
        self.virtual_services.iter().flatten().chain(one)
    }
}

impl IstioVirtualService {
    /// Its name, and its namespace unless that is the Rollout's (`GetVirtualServiceNamespaceName` in
    /// utils/istio/istio.go v1.9.1).
    #[must_use]
    pub fn place(&self) -> (&str, Option<&str>) {
        let mut fields = self.name.split('.');
        (fields.next().unwrap_or(""), fields.next().filter(|namespace| !namespace.is_empty()))
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

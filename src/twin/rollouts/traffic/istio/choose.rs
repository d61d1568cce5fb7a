//! Which routes of a VirtualService are shared out, and what is wrong with them (`get…RouteIndexesToPatch` and
//! `Validate…Routes` in rollout/trafficrouting/istio/istio.go v1.9.1).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{name_of, routes, services};
use crate::argo::rollout::{IstioTcpRoute, IstioTlsRoute, IstioVirtualService, Rollout};
use crate::twin::store::text_at;

/// The HTTP routes with these names; without names the only one, or the first that has no name.
pub(super) fn http(names: &[String], routes: &[Value]) -> Result<Vec<usize>, String> {
    if names.is_empty() {
        let only = (routes.len() == 1).then_some(0);
        let nameless = || routes.iter().position(|route| name_of(route).is_empty());
        return Ok(only.or_else(nameless).into_iter().collect());
    }
    let find = |name: &String| {
        let missing = || format!("HTTP Route '{name}' is not found in the defined Virtual Service.");
        routes.iter().position(|route| name_of(route) == name).ok_or_else(missing)
    };
    names.iter().map(find).collect()
}

/// The TLS routes that match these ports and names; without any the first.
pub(super) fn tls(wanted: &[IstioTlsRoute], routes: &[Value]) -> Result<Vec<usize>, String> {
    find_all(wanted, routes, "TLS", |one, route| {
        let hosts: BTreeSet<&str> = one.sni_hosts.iter().map(String::as_str).collect();
        port_of(route) == Some(one.port) && hosts_of(route) == hosts
    })
}

/// The TCP routes that match these ports; without any the first.
pub(super) fn tcp(wanted: &[IstioTcpRoute], routes: &[Value]) -> Result<Vec<usize>, String> {
    find_all(wanted, routes, "TCP", |one, route| port_of(route) == Some(one.port))
}

fn find_all<T>(
    wanted: &[T],
    routes: &[Value],
    kind: &str,
    is_it: impl Fn(&T, &Value) -> bool,
) -> Result<Vec<usize>, String> {
    if wanted.is_empty() {
        return Ok(if routes.is_empty() { vec![] } else { vec![0] });
    }
    let mut all = vec![];
    for one in wanted {
        let before = all.len();
        all.extend(routes.iter().enumerate().filter(|(_, route)| is_it(one, route)).map(|(index, _)| index));
        if all.len() == before {
            return Err(format!("No matching {kind} routes found in the defined Virtual Service."));
        }
    }
    Ok(all)
}

fn matches_of(route: &Value) -> impl Iterator<Item = &Value> {
    route["match"].as_array().into_iter().flatten()
}

/// The one port a route matches, zero for any; `None` for several.
fn port_of(route: &Value) -> Option<i64> {
    let ports: BTreeSet<i64> = matches_of(route).map(|one| one["port"].as_i64().unwrap_or(0)).collect();
    (ports.len() <= 1).then(|| ports.first().copied().unwrap_or(0))
}

fn hosts_of(route: &Value) -> BTreeSet<&str> {
    let hosts = matches_of(route).filter_map(|one| one["sniHosts"].as_array());
    hosts.flatten().filter_map(Value::as_str).collect()
}

/// The first thing wrong with a VirtualService's routes (`ValidateVirtualService` in
/// pkg/apis/rollouts/validation/validation_references.go v1.9.1).
pub(in super::super::super) fn validate(
    rollout: &Rollout,
    named: &IstioVirtualService,
    service: &Value,
) -> Result<(), String> {
    let lists = ["http", "tls", "tcp"].map(|kind| routes(service, kind));
    if lists.iter().all(Option::is_none) {
        return Err("Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService".into());
    }
    let kinds = [("HTTP", validate_http as Check), ("TLS", validate_tls), ("TCP", validate_tcp)];
    for ((kind, check), routes) in kinds.into_iter().zip(lists) {
        let wrong = |error| format!("Istio VirtualService has invalid {kind} routes. Error: {error}");
        routes.map_or(Ok(()), |routes| check(rollout, named, routes)).map_err(wrong)?;
    }
    Ok(())
}

type Check = fn(&Rollout, &IstioVirtualService, &[Value]) -> Result<(), String>;

/// `ValidateHTTPRoutes`: managed routes do not count when the only route is meant.
pub(super) fn validate_http(
    rollout: &Rollout,
    named: &IstioVirtualService,
    routes: &[Value],
) -> Result<(), String> {
    validate_chosen(rollout, &http(&named.routes, routes)?, routes)?;
    let routing = rollout.spec.strategy.canary.as_ref().and_then(|canary| canary.traffic_routing.as_ref());
    let is_managed = |route: &&Value| {
        let mut managed = routing.into_iter().flat_map(|routing| &routing.managed_routes);
        managed.any(|managed| managed.name == name_of(route))
    };
    let own = routes.iter().filter(|route| !is_managed(route)).count();
    only_one("http", "routes", named.routes.is_empty() && own > 1)
}

/// `ValidateTlsRoutes`.
pub(super) fn validate_tls(
    rollout: &Rollout,
    named: &IstioVirtualService,
    routes: &[Value],
) -> Result<(), String> {
    validate_chosen(rollout, &tls(&named.tls_routes, routes)?, routes)?;
    only_one("tls", "tlsRoutes", named.tls_routes.is_empty() && routes.len() > 1)
}

/// `ValidateTcpRoutes`.
pub(super) fn validate_tcp(
    rollout: &Rollout,
    named: &IstioVirtualService,
    routes: &[Value],
) -> Result<(), String> {
    validate_chosen(rollout, &tcp(&named.tcp_routes, routes)?, routes)?;
    only_one("tcp", "tcpRoutes", named.tcp_routes.is_empty() && routes.len() > 1)
}

fn only_one(kind: &str, field: &str, several: bool) -> Result<(), String> {
    if several {
        return Err(format!(
            "spec.{kind}[] should be set in VirtualService and it must have exactly one route when omitting spec.strategy.canary.trafficRouting.istio.virtualService.{field}"
        ));
    }
    Ok(())
}

/// `validateVirtualServiceRouteDestinations`: both revisions are there, as Services or as subsets.
fn validate_chosen(rollout: &Rollout, chosen: &[usize], routes: &[Value]) -> Result<(), String> {
    let (stable, canary) = services(rollout);
    let routing = rollout.spec.strategy.canary.as_ref().and_then(|canary| canary.traffic_routing.as_ref());
    let rule = routing.and_then(|routing| routing.istio.as_ref()?.destination_rule.as_ref());
    for route in chosen.iter().filter_map(|index| routes.get(*index)) {
        let all = route["route"].as_array().map_or(&[][..], Vec::as_slice);
        let has_host = |name: &str| !name.is_empty() && all.iter().any(|one| host_of(one) == name);
        let has_subset = |name: &str| !name.is_empty() && all.iter().any(|one| subset_of(one) == name);
        let missing = match rule {
            Some(rule) if !has_subset(&rule.canary_subset_name) => {
                format!("Canary DestinationRule subset '{}' not found in route", rule.canary_subset_name)
            }
            Some(rule) if !has_subset(&rule.stable_subset_name) => {
                format!("Stable DestinationRule subset '{}' not found in route", rule.stable_subset_name)
            }
            None if !has_host(canary) => format!("Canary Service '{canary}' not found in route"),
            None if !has_host(stable) => format!("Stable Service '{stable}' not found in route"),
            _ => continue,
        };
        return Err(missing);
    }
    Ok(())
}

/// The first label of a destination's host: the Service's name (`getHost`).
pub(super) fn host_of(destination: &Value) -> &str {
    let host = text_at(destination, "/destination/host");
    host.split('.').next().unwrap_or("")
}

pub(super) fn subset_of(destination: &Value) -> &str {
    text_at(destination, "/destination/subset")
}

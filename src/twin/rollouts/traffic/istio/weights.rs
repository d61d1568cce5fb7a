//! Sharing out the routes of a VirtualService (`reconcileVirtualService` in rollout/trafficrouting/istio/istio.go
//! v1.9.1).

use serde_json::{Value, json};

use super::super::Target;
use super::choose::{self, host_of, subset_of};
use super::{name_of, routes, services};
use crate::argo::rollout::{IstioDestinationRule, IstioVirtualService, Rollout, WeightDestination};

/// Sets the weights of all routes that are shared out; whether any was different.
pub(super) fn share_out(
    service: &mut Value,
    rollout: &Rollout,
    named: &IstioVirtualService,
    target: &Target,
) -> Result<bool, String> {
    let mut changed = false;
    let shares = Shares::new(rollout, target);
    for (kind, chosen) in chosen(service, rollout, named)? {
        let Some(routes) = service["spec"][kind].as_array_mut() else { continue };
        // All changes are found before the first is made; a route that is listed twice is changed twice.
        let found: Vec<(usize, Vec<Change>)> = chosen
            .into_iter()
            .filter_map(|index| Some((index, shares.changes(routes.get(index)?["route"].as_array()?))))
            .collect();
        for (index, changes) in found {
            changed |= !changes.is_empty();
            if let Some(destinations) = routes.get_mut(index).and_then(|route| route["route"].as_array_mut())
            {
                changes.into_iter().for_each(|change| change.make(destinations));
            }
        }
    }
    Ok(changed)
}

/// The routes that are shared out, by kind. Mirrors that were begun by a step share like the routes they copy; when no
/// routes are named they are the only ones that do, as upstream.
fn chosen(
    service: &Value,
    rollout: &Rollout,
    named: &IstioVirtualService,
) -> Result<Vec<(&'static str, Vec<usize>)>, String> {
    let mut all = vec![];
    if let Some(http) = routes(service, "http") {
        choose::validate_http(rollout, named, http)?;
        let canary = rollout.spec.strategy.canary.as_ref();
        let managed = canary.and_then(|canary| canary.traffic_routing.as_ref()).into_iter();
        let managed: Vec<&str> =
            managed.flat_map(|routing| &routing.managed_routes).map(|route| route.name.as_str()).collect();
        let mirrors = http.iter().filter(|route| !route["mirror"].is_null()).map(name_of);
        let mut names = named.routes.clone();
        names.extend(mirrors.filter(|name| managed.contains(name)).map(str::to_owned));
        all.push(("http", choose::http(&names, http).unwrap_or_default()));
    }
    if let Some(tls) = routes(service, "tls") {
        choose::validate_tls(rollout, named, tls)?;
        all.push(("tls", choose::tls(&named.tls_routes, tls)?));
    }
    if let Some(tcp) = routes(service, "tcp") {
        choose::validate_tcp(rollout, named, tcp)?;
        all.push(("tcp", choose::tcp(&named.tcp_routes, tcp)?));
    }
    Ok(all)
}

/// Who is to get how much.
struct Shares<'a> {
    stable: &'a str,
    canary: &'a str,
    rule: Option<&'a IstioDestinationRule>,
    target: &'a Target,
}

impl<'a> Shares<'a> {
    fn new(rollout: &'a Rollout, target: &'a Target) -> Shares<'a> {
        let (stable, canary) = services(rollout);
        let routing = rollout.spec.strategy.canary.as_ref().and_then(|one| one.traffic_routing.as_ref());
        let rule = routing.and_then(|routing| routing.istio.as_ref()?.destination_rule.as_ref());
        Shares { stable, canary, rule, target }
    }

    /// `processRoutes`: the changes that one route needs. Destinations that nobody knows go.
    fn changes(&self, destinations: &[Value]) -> Vec<Change> {
        let (mut changes, mut missing) = (vec![], self.target.additional.iter().collect::<Vec<_>>());
        let stable = self.stable_weight(destinations);
        for (index, destination) in destinations.iter().enumerate() {
            let (host, subset, weight) =
                (host_of(destination), subset_of(destination), weight_of(destination));
            let is = |service: &str, named: fn(&IstioDestinationRule) -> &String| {
                host == service || (!subset.is_empty() && self.rule.is_some_and(|rule| subset == named(rule)))
            };
            if host.is_empty() {
                continue;
            }
            let wanted = if is(self.canary, |rule| &rule.canary_subset_name) {
                Some(i64::from(self.target.weight))
            } else if is(self.stable, |rule| &rule.stable_subset_name) {
                Some(stable)
            } else if let Some(nth) = missing.iter().position(|one| one.service_name == host) {
                Some(i64::from(missing.remove(nth).weight))
            } else if self.is_somebody_elses(subset) {
                Some(weight)
            } else {
                None
            };
            if wanted.unwrap_or(0) != weight {
                changes.push(Change { index, weight: wanted, host: host.to_owned() });
            }
        }
        changes
            .extend(missing.into_iter().enumerate().map(|(nth, one)| added(destinations.len() + nth, one)));
        changes
    }

    fn stable_weight(&self, destinations: &[Value]) -> i64 {
        let additional = self.target.additional.iter().map(|one| i64::from(one.weight));
        let others = destinations.iter().filter(|one| self.is_somebody_elses(subset_of(one))).map(weight_of);
        let taken = additional.chain(others).fold(i64::from(self.target.weight), i64::saturating_add);
        100_i64.saturating_sub(taken).max(0)
    }

    fn is_somebody_elses(&self, subset: &str) -> bool {
        let named =
            self.rule.is_some_and(|rule| rule.additional_subset_names.iter().any(|one| one == subset));
        !subset.is_empty() && named
    }
}

fn weight_of(destination: &Value) -> i64 {
    destination["weight"].as_i64().unwrap_or(0)
}

fn added(index: usize, one: &WeightDestination) -> Change {
    Change { index, weight: Some(i64::from(one.weight)), host: one.service_name.clone() }
}

/// A change of one route: the destination at this place gets this weight, or goes without one.
///
/// Places are those before any destination went, as upstream: once one went, the next change meets its neighbour, and
/// behind the last one it adds a destination.
struct Change {
    index: usize,
    weight: Option<i64>,
    host: String,
}

impl Change {
    fn make(self, destinations: &mut Vec<Value>) {
        let Change { index, weight, host } = self;
        match (destinations.get_mut(index), weight) {
            (Some(_), None) => drop(destinations.remove(index)),
            (Some(found), Some(weight)) => found["weight"] = json!(weight),
            (None, weight) => {
                destinations.push(json!({"weight": weight.unwrap_or(0), "destination": {"host": host}}));
            }
        }
    }
}

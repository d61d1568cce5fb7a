//! Istio: weights in the routes of VirtualServices, revisions in the subsets of a DestinationRule
//! (rollout/trafficrouting/istio/istio.go v1.9.1).
//!
//! Neighbours: [`choose`] finds the routes that are shared out and what is wrong with them, [`weights`] shares them
//! out, [`managed`] begins and ends routes by header and mirrors, [`rule`] keeps the subsets.

mod choose;
mod managed;
mod rule;
#[cfg(test)]
mod tests;
mod weights;

use serde_json::Value;

use super::super::context::{Context, Outcome, Stop};
use super::Target;
use crate::argo::rollout::{HeaderRoute, Istio, IstioVirtualService, MirrorRoute, Rollout};
use crate::twin::effect::WRITTEN;
use crate::twin::store::{ApiError, Key, Kind, Part, text_at};

pub(in super::super) use self::choose::validate as validate_routes;
pub(in super::super) use self::rule::{cleaned as cleaned_rule, refers_to as rule_refers_to};

/// The Services of the stable and the new revision: those the strategy names, or else ping and pong in their present
/// roles (`GetStableAndCanaryServices` in rollout/trafficrouting/service_helper.go v1.9.1).
fn services(rollout: &Rollout) -> (&str, &str) {
    let Some(canary) = &rollout.spec.strategy.canary else { return ("", "") };
    match &canary.ping_pong {
        Some(pair) if canary.stable_service.is_empty() && canary.canary_service.is_empty() => {
            let stable_is_ping = rollout.status.canary.stable_ping_pong == "ping";
            let (ping, pong) = (pair.ping_service.as_str(), pair.pong_service.as_str());
            if stable_is_ping { (ping, pong) } else { (pong, ping) }
        }
        _ => (&canary.stable_service, &canary.canary_service),
    }
}

/// Where a VirtualService is, for a Rollout with this key.
pub(in super::super) fn key_of(rollout: &Key, named: &IstioVirtualService) -> Key {
    let (name, namespace) = named.place();
    Key::new(Kind::VirtualService, namespace.unwrap_or(&rollout.namespace), name)
}

/// A list of routes of a VirtualService; `None` when it has none of the kind.
fn routes<'a>(service: &'a Value, kind: &str) -> Option<&'a Vec<Value>> {
    service.get("spec")?.get(kind)?.as_array()
}

fn name_of(route: &Value) -> &str {
    text_at(route, "/name")
}

impl Context<'_> {
    /// `SetWeight`.
    pub(super) fn set_istio_weight(&mut self, istio: &Istio, target: &Target) -> Outcome {
        for named in istio.services() {
            let mut service = self.virtual_service(named)?;
            if weights::share_out(&mut service, &self.rollout, named, target).map_err(Stop)? {
                managed::order(&mut service, self.managed_routes());
                let message =
                    format!("VirtualService `{}` set to desiredWeight '{}'", named.place().0, target.weight);
                self.put_virtual_service(service, message);
            }
        }
        Ok(())
    }

    /// `SetHeaderRoute`: written in every reconcile of the step, whether or not it changes anything.
    pub(super) fn set_istio_header_route(&mut self, istio: &Istio, route: &HeaderRoute) -> Outcome {
        self.set_managed_route(istio, ("SetHeaderRoute", "headerRoute", &route.name), |service, named, to| {
            managed::set_header(service, named, route, to)
        })
    }

    /// `SetMirrorRoute`.
    pub(super) fn set_istio_mirror_route(&mut self, istio: &Istio, route: &MirrorRoute) -> Outcome {
        self.set_managed_route(istio, ("SetMirrorRoute", "mirrorRoute", &route.name), |service, named, to| {
            managed::set_mirror(service, named, route, to)
        })
    }

    fn set_managed_route(
        &mut self,
        istio: &Istio,
        (stage, words, name): (&str, &str, &str),
        set: impl Fn(&mut Value, &IstioVirtualService, &managed::Canary) -> Result<(), String>,
    ) -> Outcome {
        for named in istio.services() {
            let mut service = self.virtual_service(named)?;
            let canary = self.istio_canary(istio)?;
            set(&mut service, named, &canary).map_err(|error| Stop(format!("[{stage}] failed: {error}")))?;
            managed::order(&mut service, self.managed_routes());
            let message = format!("VirtualService `{}` set {words} '{name}'", named.place().0);
            self.put_virtual_service(service, message);
        }
        Ok(())
    }

    /// `RemoveManagedRoutes`. Upstream stops at the first VirtualService that has none.
    pub(super) fn remove_istio_managed_routes(&mut self, istio: &Istio) -> Outcome {
        for named in istio.services() {
            let mut service = self.virtual_service(named)?;
            if !managed::remove_all(&mut service, self.managed_routes()) {
                return Ok(());
            }
            let message = format!("VirtualService `{}` removed all managed routes.", named.place().0);
            self.put_virtual_service(service, message);
        }
        Ok(())
    }

    fn managed_routes(&self) -> Vec<String> {
        let routing = self.canary().traffic_routing.iter();
        routing.flat_map(|routing| &routing.managed_routes).map(|route| route.name.clone()).collect()
    }

    /// Where routes by header and mirrors lead to.
    fn istio_canary(&mut self, istio: &Istio) -> Outcome<managed::Canary> {
        let mut canary =
            managed::Canary { host: services(&self.rollout).1.to_owned(), subset: String::new() };
        if let Some(named) = &istio.destination_rule {
            let host = text_at(&self.destination_rule(named)?, "/spec/host").to_owned();
            if !host.is_empty() {
                canary.host = host;
            }
            canary.subset.clone_from(&named.canary_subset_name);
        }
        Ok(canary)
    }

    /// The VirtualService as it will be after the effects so far.
    fn virtual_service(&mut self, named: &IstioVirtualService) -> Outcome<Value> {
        let key = key_of(&self.key, named);
        if let Some(known) = self.routes.get(&key) {
            return Ok(known.clone());
        }
        let found = self.store.get(&key).map(|object| (**object).clone());
        found.ok_or_else(|| {
            self.warn("VirtualServiceNotFound", format!("VirtualService `{}` not found", key.name));
            Stop(ApiError::not_found(&key).message)
        })
    }

    /// A VirtualService may be written several times in one reconcile; each time upstream's cache knows the last.
    fn put_virtual_service(&mut self, mut service: Value, message: String) {
        self.update(Kind::VirtualService, Part::Main, service.clone());
        self.event("Updated VirtualService", message);
        service["metadata"]["resourceVersion"] = WRITTEN.into();
        let place = |pointer: &str| text_at(&service, pointer).to_owned();
        let (namespace, name) = (place("/metadata/namespace"), place("/metadata/name"));
        self.routes.insert(Key::new(Kind::VirtualService, &namespace, &name), service);
    }
}

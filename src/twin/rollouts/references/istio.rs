//! VirtualServices that Istio is to share out (`GetReferencedVirtualServices` in
//! rollout/trafficrouting/istio/controller.go and `ValidateVirtualService` in
//! pkg/apis/rollouts/validation/validation_references.go v1.9.1). A DestinationRule is looked for when it is needed.

use serde_json::json;

use super::super::context::Context;
use super::super::traffic::istio::{key_of, validate_routes};
use super::super::validation::invalid;
use crate::argo::rollout::{Istio, IstioVirtualService};
use crate::twin::store::{ApiError, Object};

const PATH: &str = "spec.strategy.canary.trafficRouting.istio";

fn istio<'a>(context: &'a Context<'_>) -> Option<&'a Istio> {
    context.canary().traffic_routing.as_ref()?.istio.as_ref()
}

fn field(istio: &Istio) -> String {
    let field = if istio.virtual_services.is_some() { "virtualServices" } else { "virtualService" };
    format!("{PATH}.{field}.name")
}

/// The VirtualServices, if they are named one way or the other and all there.
pub(super) fn find(context: &Context<'_>) -> Result<Vec<(IstioVirtualService, Object)>, String> {
    let Some(istio) = istio(context) else { return Ok(vec![]) };
    if istio.virtual_service.is_some() == istio.virtual_services.is_some() {
        let must = "either VirtualService or VirtualServices must be configured";
        return Err(format!("{PATH}: Internal error: {must}"));
    }
    let find = |named: &IstioVirtualService| {
        let key = key_of(&context.key, named);
        let missing = || invalid(&field(istio), &json!(&*key.name), &ApiError::not_found(&key).message);
        Ok((named.clone(), context.store.get(&key).cloned().ok_or_else(missing)?))
    };
    istio.services().map(find).collect()
}

/// Their routes lead to both revisions.
pub(super) fn validate(
    context: &Context<'_>,
    services: &[(IstioVirtualService, Object)],
) -> Result<(), String> {
    let Some(istio) = istio(context) else { return Ok(()) };
    services.iter().try_for_each(|(named, service)| {
        validate_routes(&context.rollout, named, service)
            .map_err(|error| invalid(&field(istio), &json!(named.place().0), &error))
    })
}

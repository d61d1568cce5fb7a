//! Ingresses that ingress-nginx is to share out (`getReferencedNginxIngresses` in rollout/controller.go and
//! `ValidateIngress` in pkg/apis/rollouts/validation/validation_references.go v1.9.1).

use serde_json::{Value, json};

use super::super::context::Context;
use super::super::validation::invalid;
use crate::argo::rollout::Nginx;
use crate::twin::store::{Kind, Object, text_at};

const PATH: &str = "spec.strategy.canary.trafficRouting.nginx";

fn nginx<'a>(context: &'a Context<'_>) -> Option<&'a Nginx> {
    context.canary().traffic_routing.as_ref()?.nginx.as_ref()
}

/// The stable Ingresses, if they are named one way or the other and all there.
pub(super) fn find(context: &Context<'_>) -> Result<Vec<Object>, String> {
    let Some(nginx) = nginx(context) else { return Ok(vec![]) };
    let must = format!("{PATH}: Internal error: Either StableIngress or StableIngresses must be configured.");
    match (nginx.stable_ingress.is_empty(), nginx.stable_ingresses.is_empty()) {
        (false, false) => return Err(format!("{must} Both are configured.")),
        (true, true) => return Err(format!("{must} Neither are configured.")),
        _ => {}
    }
    nginx.ingresses().map(|name| find_one(context, nginx, name)).collect()
}

fn find_one(context: &Context<'_>, nginx: &Nginx, name: &str) -> Result<Object, String> {
    let missing = || {
        let detail = format!("ingress.networking.k8s.io \"{name}\" not found");
        if nginx.stable_ingresses.is_empty() {
            invalid(&format!("{PATH}.stableIngress"), &json!(name), &detail)
        } else {
            invalid(&format!("{PATH}.StableIngresses"), &json!(nginx.stable_ingresses), &detail)
        }
    };
    context.store.get(&context.key.sibling(Kind::Ingress, name)).cloned().ok_or_else(missing)
}

/// Each leads to the stable Service somewhere.
pub(super) fn validate(context: &Context<'_>, ingresses: &[Object]) -> Result<(), String> {
    let Some(nginx) = nginx(context) else { return Ok(()) };
    let field = if nginx.stable_ingresses.is_empty() { "stableIngress" } else { "stableIngresses" };
    let service = &context.canary().stable_service;
    let Some(ingress) = ingresses.iter().find(|ingress| !leads_to(ingress, service)) else { return Ok(()) };
    let name = text_at(ingress, "/metadata/name");
    let detail = format!("ingress `{name}` has no rules using service {service} backend");
    Err(invalid(&format!("{PATH}.{field}"), &json!(name), &detail))
}

/// `HasRuleWithService`.
fn leads_to(ingress: &Value, service: &str) -> bool {
    let rules = ingress.pointer("/spec/rules").and_then(Value::as_array);
    let paths = rules.into_iter().flatten().filter_map(|rule| rule.pointer("/http/paths")?.as_array());
    paths.flatten().any(|path| text_at(path, "/backend/service/name") == service)
}

//! Who carries out the weights (`TrafficRoutingReconciler` in rollout/trafficrouting/trafficroutingutil.go v1.9.1).

use super::super::context::{Context, Outcome};
use super::Target;
use crate::argo::rollout::{HeaderRoute, Istio, MirrorRoute, Nginx, TrafficRouting};

/// One router. A Rollout may name several; then each gets the same orders.
///
/// A router to come gets a variant here and a file beside [`super::nginx`], and leaves `unsupported`.
#[derive(Debug, Clone)]
pub(in super::super) enum Router {
    /// Istio: weights in the routes of VirtualServices.
    Istio(Istio),
    /// ingress-nginx: an Ingress of its own for the new revision, with a weight in an annotation.
    Nginx(Nginx),
}

impl Router {
    /// The routers a Rollout names, in the order of `NewTrafficRoutingReconciler`. Those that are not imitated are
    /// refused before (`unsupported`).
    pub(super) fn all(routing: &TrafficRouting) -> Vec<Router> {
        let istio = routing.istio.iter().cloned().map(Router::Istio);
        istio.chain(routing.nginx.iter().cloned().map(Router::Nginx)).collect()
    }

    /// Gives every destination its share.
    pub(super) fn set_weight(&self, context: &mut Context<'_>, target: &Target) -> Outcome {
        match self {
            Router::Istio(istio) => context.set_istio_weight(istio, target),
            Router::Nginx(nginx) => context.set_nginx_weight(nginx, target.weight),
        }
    }

    /// Tells which revisions the shares are for. An Ingress knows only Services.
    pub(super) fn update_hash(&self, context: &mut Context<'_>, target: &Target) -> Outcome {
        match self {
            Router::Istio(istio) => context.update_istio_hash(istio, target),
            Router::Nginx(_) => Ok(()),
        }
    }

    /// Begins or ends a route by header; validation has refused it for ingress-nginx.
    pub(super) fn set_header_route(&self, context: &mut Context<'_>, route: &HeaderRoute) -> Outcome {
        match self {
            Router::Istio(istio) => context.set_istio_header_route(istio, route),
            Router::Nginx(_) => Ok(()),
        }
    }

    /// Begins or ends a mirror; validation has refused it for ingress-nginx.
    pub(super) fn set_mirror_route(&self, context: &mut Context<'_>, route: &MirrorRoute) -> Outcome {
        match self {
            Router::Istio(istio) => context.set_istio_mirror_route(istio, route),
            Router::Nginx(_) => Ok(()),
        }
    }

    /// Ends all routes named in `managedRoutes`.
    pub(super) fn remove_managed_routes(&self, context: &mut Context<'_>) -> Outcome {
        match self {
            Router::Istio(istio) => context.remove_istio_managed_routes(istio),
            Router::Nginx(_) => Ok(()),
        }
    }
}

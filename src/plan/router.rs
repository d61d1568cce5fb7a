//! The router of a canary: which object shares requests out, and what it leads to.
//!
//! What `trafficRouting` names is what the controller sets weights in (argo-rollouts v1.9.1, rollout/trafficrouting), so it is
//! what users come in by when a scenario says `to: router`. Whether the twin follows its rules is decided here as well: a match
//! that it would have to ignore is refused.

use serde::Serialize;
use serde_json::Value;

use super::Desk;
use super::objects::{Manifest, list, text};
use super::rollout::Rollout;
use crate::diag::Diagnostic;
use crate::scenario::Target;

/// The object that shares out the requests of a canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Router {
    /// ingress-nginx.
    #[serde(rename_all = "kebab-case")]
    Nginx {
        /// The stable Ingress; the first, if there are several.
        ingress: String,
        /// What the annotations of canaries begin with.
        prefix: String,
    },
    /// Istio.
    #[serde(rename_all = "kebab-case")]
    Istio {
        /// The namespace of the VirtualService.
        namespace: String,
        /// Its name; the first, if there are several.
        virtual_service: String,
    },
}

/// What ingress-nginx looks for unless it is told otherwise.
const PREFIX: &str = "nginx.ingress.kubernetes.io";
/// What the twin understands of a VirtualService's matches; `name`, `gateways` and `port` tell apart no two requests of a load.
const MATCHES: [&str; 8] =
    ["uri", "headers", "withoutHeaders", "method", "ignoreUriCase", "name", "gateways", "port"];

impl Router {
    fn kind(&self) -> &'static str {
        match self {
            Router::Nginx { .. } => "Ingress",
            Router::Istio { .. } => "VirtualService",
        }
    }

    fn name(&self) -> &str {
        match self {
            Router::Nginx { ingress, .. } => ingress,
            Router::Istio { virtual_service, .. } => virtual_service,
        }
    }
}

impl Rollout<'_> {
    /// Whether anything sets weights, in a router of any kind.
    pub(super) fn has_router(&self) -> bool {
        self.strategy_field("/trafficRouting").and_then(Value::as_object).is_some_and(|all| !all.is_empty())
    }

    /// The router that its `trafficRouting` names, if it is of a kind that requests can follow.
    fn router(&self, namespace: &str) -> Option<Router> {
        let routing = self.strategy_field("/trafficRouting")?;
        if let Some(nginx) = routing.get("nginx") {
            let several = list(nginx, "/stableIngresses").first().and_then(Value::as_str);
            let ingress = several.unwrap_or(text(nginx, "/stableIngress")).to_owned();
            let prefix = Some(text(nginx, "/annotationPrefix")).filter(|prefix| !prefix.is_empty());
            return Some(Router::Nginx { ingress, prefix: prefix.unwrap_or(PREFIX).to_owned() });
        }
        let istio = routing.get("istio")?;
        let several = list(istio, "/virtualServices").first().map(|one| text(one, "/name"));
        let name = several.unwrap_or(text(istio, "/virtualService/name"));
        // `name.namespace` is a VirtualService elsewhere (utils/istio v1.9.1, `GetVirtualServiceNamespaceName`).
        let (name, namespace) = name.split_once('.').unwrap_or((name, namespace));
        Some(Router::Istio { namespace: namespace.to_owned(), virtual_service: name.to_owned() })
    }
}

impl Desk<'_> {
    /// The router that users come in by, where the scenario says that they do; `None` when it cannot be used.
    #[expect(clippy::option_option, reason = "nothing to go through is not the same as nothing usable")]
    pub(super) fn router(&mut self, rollout: &Rollout<'_>) -> Option<Option<Router>> {
        if self.scenario.traffic.to.value != Target::Router {
            return Some(None);
        }
        let namespace = self.namespace(rollout);
        let Some(router) = rollout.router(&namespace) else {
            let title = "the strategy sets no weights in an Ingress or a VirtualService";
            let help =
                "add `trafficRouting` to the canary, or name the Service that users reach: `to: stable`";
            self.no_router(title.into(), rollout.manifest, help);
            return None;
        };
        let (kind, name) = (router.kind(), router.name());
        let Some(manifest) = self.manifests.iter().find(|m| m.kind() == kind && m.name() == name) else {
            let title = format!("there is no {kind} `{name}` in the manifests");
            let help = "add its manifest to the policy: users come in by it, and the controller copies or changes it";
            self.no_router(title, rollout.manifest, help);
            return None;
        };
        self.followed(manifest).then_some(Some(router))
    }

    fn no_router(&mut self, title: String, rollout: &Manifest, help: &str) {
        let to = self.span(self.scenario.traffic.to.place);
        let diagnostic = Diagnostic::error("no-router", title).at(to, "users come in by it");
        self.report(diagnostic.and_at(rollout.span.clone(), "this Rollout").help(help));
    }

    /// Whether the twin's requests can follow everything that this VirtualService tells requests apart by.
    fn followed(&mut self, manifest: &Manifest) -> bool {
        let routes = list(&manifest.object, "/spec/http").iter();
        let matches = routes.flat_map(|route| list(route, "/match")).filter_map(Value::as_object);
        let mut keys = matches.flat_map(|one| one.keys());
        let Some(key) = keys.find(|key| !MATCHES.contains(&key.as_str())) else { return true };
        let title = format!("the twin does not imitate this: requests are not matched by `{key}`");
        let diagnostic =
            Diagnostic::error("unsupported", title).at(manifest.span.clone(), "this VirtualService");
        self.report(diagnostic.help("match by uri, method or headers, or run it on a cluster"));
        false
    }

    /// The Service that a router leads to while nothing is released.
    pub(super) fn behind_router(&self, rollout: &Rollout<'_>) -> Option<String> {
        let named = ["/stableService", "/pingPong/pingService"];
        let named = named.iter().find_map(|field| rollout.strategy_field(field)?.as_str());
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            return Some(name.to_owned());
        }
        // Subsets of one Service, which only the DestinationRule names.
        let rule = rollout.strategy_field("/trafficRouting/istio/destinationRule/name")?.as_str()?;
        let rule = self.manifests.iter().find(|m| m.kind() == "DestinationRule" && m.name() == rule)?;
        Some(text(&rule.object, "/spec/host").split('.').next()?.to_owned())
    }
}

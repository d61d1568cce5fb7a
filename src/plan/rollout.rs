//! Which Rollout, which Service, which container: everything a strange policy may leave open or contradict.

use serde_json::Value;

use super::objects::{Manifest, list, text};
use super::{Desk, Strategy};
use crate::diag::Diagnostic;
use crate::scenario::{Port, Target};
use crate::suggest::nearest;

/// The Rollout under test.
pub(super) struct Rollout<'a> {
    pub(super) manifest: &'a Manifest,
    /// The object whose pod template it borrows.
    pub(super) lender: Option<&'a Manifest>,
    pub(super) name: String,
    pub(super) strategy: Strategy,
}

/// The Service that users talk to, with the port they use.
pub(super) struct Service {
    pub(super) name: String,
    pub(super) port: u16,
    /// By number or by name, as Kubernetes writes it.
    pub(super) target: Value,
}

/// The container that serves.
pub(super) struct Serving {
    pub(super) index: usize,
    pub(super) name: String,
}

impl<'a> Rollout<'a> {
    /// The object with the pod template: what a release changes.
    pub(super) fn template(&self) -> &'a Manifest {
        self.lender.unwrap_or(self.manifest)
    }

    /// Where in that object the pod template is.
    pub(super) fn template_pointer(&self) -> &'static str {
        template_pointer(self.template())
    }

    /// The containers of that template.
    pub(super) fn containers(&self) -> &'a [Value] {
        containers(self.template())
    }

    /// A field of the strategy.
    pub(super) fn strategy_field(&self, pointer: &str) -> Option<&Value> {
        let strategy = match self.strategy {
            Strategy::BlueGreen => "/spec/strategy/blueGreen",
            Strategy::Canary => "/spec/strategy/canary",
        };
        self.manifest.object.pointer(&format!("{strategy}{pointer}"))
    }

    /// The Service that users reach in a blue-green rollout.
    pub(super) fn active_service(&self) -> Option<String> {
        self.strategy_field("/activeService")?.as_str().map(str::to_owned)
    }

    /// Whether any analysis is part of the strategy.
    pub(super) fn is_analysed(&self) -> bool {
        let inline = self.strategy_field("/steps").and_then(Value::as_array).into_iter().flatten();
        let fields = ["/prePromotionAnalysis", "/postPromotionAnalysis", "/analysis"];
        fields.iter().any(|field| self.strategy_field(field).is_some())
            || inline
                .into_iter()
                .any(|step| step.get("analysis").is_some() || step.get("experiment").is_some())
    }

    /// Whether promotion waits for a person: `autoPromotionEnabled: false`, or a canary pause without an end.
    pub(super) fn leaves_promotion_to_a_person(&self) -> bool {
        let mut steps = self.strategy_field("/steps").and_then(Value::as_array).into_iter().flatten();
        self.strategy_field("/autoPromotionEnabled") == Some(&Value::Bool(false))
            || steps.any(|step| step.get("pause").is_some_and(|pause| pause.get("duration").is_none()))
    }
}

impl<'a> Desk<'a> {
    pub(super) fn rollout(&mut self) -> Option<Rollout<'a>> {
        let all: Vec<&'a Manifest> = self.manifests.iter().filter(|m| m.is_argo("Rollout")).collect();
        let names = || all.iter().map(|m| m.name()).collect::<Vec<_>>();
        let wanted = self.scenario.policy.rollout.as_ref();
        let found = match wanted {
            Some(name) => all.iter().find(|m| m.name() == name.value).copied(),
            None if all.len() == 1 => all.first().copied(),
            None => None,
        };
        let Some(manifest) = found else {
            let place = wanted.map_or(self.scenario.name.place, |name| name.place);
            let (title, label) = match (wanted, all.len()) {
                (_, 0) => ("the manifests hold no Rollout".into(), "nothing to test"),
                (Some(name), _) => (format!("there is no Rollout `{}`", name.value), "not in the manifests"),
                (None, n) => (format!("the manifests hold {n} Rollouts"), "which one?"),
            };
            let near = wanted.and_then(|name| nearest(name, names()));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("set `policy.rollout` to one of: {}", or_nothing(&names())),
            };
            self.report(Diagnostic::error("no-rollout", title).at(self.span(place), label).help(help));
            return None;
        };
        self.supported(manifest)
    }

    fn supported(&mut self, manifest: &'a Manifest) -> Option<Rollout<'a>> {
        let spec = &manifest.object["spec"];
        let refuse = |title: &str, help: &str| {
            Diagnostic::error("unsupported-rollout", title)
                .at(manifest.span.clone(), "this Rollout")
                .help(help)
        };
        let lender = match spec.get("workloadRef").filter(|reference| !reference.is_null()) {
            Some(reference) => Some(self.lender(manifest, reference)?),
            None => None,
        };
        let (owner, who) = lender.map_or((manifest, "this Rollout"), |lender| (lender, "what it refers to"));
        if containers(owner).is_empty() {
            let title = format!("{who} has no containers");
            let place = template_pointer(owner).trim_start_matches('/').replace('/', ".");
            self.report(refuse(&title, &format!("write them under `{place}.spec.containers`")));
            return None;
        }
        let strategy = match (spec.pointer("/strategy/blueGreen"), spec.pointer("/strategy/canary")) {
            (Some(_), None) => Strategy::BlueGreen,
            (None, Some(_)) => Strategy::Canary,
            _ => {
                self.report(refuse(
                    "this Rollout has no one strategy",
                    "write either `blueGreen` or `canary` under `spec.strategy`",
                ));
                return None;
            }
        };
        Some(Rollout { manifest, lender, name: manifest.name().to_owned(), strategy })
    }

    /// The object that `workloadRef` names.
    fn lender(&mut self, rollout: &Manifest, reference: &Value) -> Option<&'a Manifest> {
        let (kind, name) = (text(reference, "/kind"), text(reference, "/name"));
        let refuse = |title: String, help: &str| {
            let diagnostic = Diagnostic::error("unsupported-rollout", title);
            diagnostic.at(rollout.span.clone(), "this Rollout").help(help)
        };
        if !["Deployment", "ReplicaSet", "PodTemplate"].contains(&kind) {
            let help = "refer to a Deployment, or move the pod template into the Rollout";
            self.report(refuse(format!("`workloadRef` to a {kind} is not supported"), help));
            return None;
        }
        let found = self.manifests.iter().find(|m| m.kind() == kind && m.name() == name);
        if found.is_none() {
            let help = "add its manifest to the policy: firedrill has to replace its image";
            self.report(refuse(format!("{kind} `{name}` of `workloadRef` is not in the manifests"), help));
        }
        found
    }

    pub(super) fn namespace(&self, rollout: &Rollout<'_>) -> String {
        let written = text(&rollout.manifest.object, "/metadata/namespace");
        match &self.scenario.policy.namespace {
            Some(namespace) => namespace.value.clone(),
            None if written.is_empty() => "default".into(),
            None => written.to_owned(),
        }
    }

    // === the Service ===

    pub(super) fn service(&mut self, rollout: &Rollout<'_>) -> Option<Service> {
        let name = self.service_name(rollout)?;
        let services: Vec<&Manifest> = self.manifests.iter().filter(|m| m.kind() == "Service").collect();
        let Some(service) = services.iter().find(|service| service.name() == name) else {
            let names: Vec<&str> = services.iter().map(|service| service.name()).collect();
            let to = self.span(self.scenario.traffic.to.place);
            let diagnostic =
                Diagnostic::error("no-service", format!("there is no Service `{name}` in the manifests"))
                    .at(to, "traffic is sent there")
                    .and_at(rollout.manifest.span.clone(), "this Rollout");
            self.report(diagnostic.help(match nearest(&name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the manifests hold: {}", or_nothing(&names)),
            }));
            return None;
        };
        self.port(service, name)
    }

    /// The name the strategy knows the Service by.
    fn service_name(&mut self, rollout: &Rollout<'_>) -> Option<String> {
        let to = &self.scenario.traffic.to;
        let (strategy, key) = match &to.value {
            Target::Service(name) => return Some(name.clone()),
            Target::Active => ("blueGreen", "activeService"),
            Target::Preview => ("blueGreen", "previewService"),
            Target::Stable => ("canary", "stableService"),
            Target::Canary => ("canary", "canaryService"),
            Target::Router => {
                if let Some(name) = self.behind_router(rollout) {
                    return Some(name);
                }
                ("canary", "stableService")
            }
        };
        let name = text(&rollout.manifest.object, &format!("/spec/strategy/{strategy}/{key}"));
        if name.is_empty() {
            let diagnostic =
                Diagnostic::error("no-service", format!("the strategy has no `{strategy}.{key}`"))
                    .at(self.span(to.place), format!("`{}` means that Service", to.value))
                    .and_at(rollout.manifest.span.clone(), "this Rollout");
            self.report(diagnostic.help("name the Service that users reach: `to: service/<name>`"));
            return None;
        }
        Some(name.to_owned())
    }

    fn port(&mut self, service: &Manifest, name: String) -> Option<Service> {
        let ports = list(&service.object, "/spec/ports");
        let number = |port: &Value| port["port"].as_u64().and_then(|n| u16::try_from(n).ok());
        let wanted = self.scenario.traffic.port.as_ref();
        let fits = |port: &&Value| match wanted.map(|port| &port.value) {
            Some(Port::Number(wanted)) => number(port) == Some(*wanted),
            Some(Port::Name(wanted)) => port["name"].as_str() == Some(wanted),
            None => true,
        };
        let fitting: Vec<&Value> = ports.iter().filter(fits).collect();
        if let ([port], Some(number)) = (fitting.as_slice(), fitting.first().and_then(|port| number(port))) {
            let target = port.get("targetPort").cloned().unwrap_or_else(|| number.into());
            return Some(Service { name, port: number, target });
        }
        let all: Vec<String> = ports
            .iter()
            .map(|p| p["name"].as_str().map_or_else(|| p["port"].to_string(), str::to_owned))
            .collect();
        let place = wanted.map_or(self.scenario.traffic.to.place, |port| port.place);
        let title = match (wanted, fitting.len()) {
            (Some(port), 0) => format!("Service `{name}` has no port `{}`", port.value),
            (_, 0) => format!("Service `{name}` has no ports"),
            _ => format!("Service `{name}` has several ports"),
        };
        let diagnostic = Diagnostic::error("no-port", title).at(self.span(place), "which port?");
        self.report(
            diagnostic
                .and_at(service.span.clone(), "this Service")
                .help(format!("set `traffic.port` to one of: {}", all.join(", "))),
        );
        None
    }

    // === the container ===

    pub(super) fn serving(&mut self, rollout: &Rollout<'_>, service: &Service) -> Option<Serving> {
        let containers = rollout.containers();
        let names: Vec<&str> = containers.iter().map(|container| text(container, "/name")).collect();
        let serving = |index: usize| Serving { index, name: names[index].to_owned() };
        if let Some(wanted) = &self.scenario.policy.container {
            if let Some(index) = names.iter().position(|name| *name == wanted.value) {
                return Some(serving(index));
            }
            let title = format!("there is no container `{}` in the pod template", wanted.value);
            let diagnostic =
                Diagnostic::error("no-container", title).at(self.span(wanted.place), "not in the template");
            self.report(diagnostic.help(format!("set `policy.container` to one of: {}", names.join(", "))));
            return None;
        }
        let by_port: Vec<usize> =
            (0..containers.len()).filter(|i| listens(&containers[*i], &service.target)).collect();
        match (by_port.as_slice(), containers.len()) {
            ([index], _) => Some(serving(*index)),
            (_, 1) => Some(serving(0)),
            _ => {
                let title =
                    format!("which of {} containers serves the traffic cannot be told", containers.len());
                let diagnostic = Diagnostic::error("no-container", title)
                    .at(rollout.manifest.span.clone(), "this Rollout");
                self.report(
                    diagnostic.help(format!("set `policy.container` to one of: {}", names.join(", "))),
                );
                None
            }
        }
    }
}

/// Whether a container declares the port that a Service sends to.
fn listens(container: &Value, target: &Value) -> bool {
    list(container, "/ports").iter().any(|port| match target {
        Value::String(name) => port["name"].as_str() == Some(name),
        number => port["containerPort"] == *number,
    })
}

/// Where an object has its pod template.
fn template_pointer(owner: &Manifest) -> &'static str {
    if owner.kind() == "PodTemplate" { "/template" } else { "/spec/template" }
}

fn containers(owner: &Manifest) -> &[Value] {
    list(&owner.object, &format!("{}/spec/containers", template_pointer(owner)))
}

fn or_nothing(names: &[&str]) -> String {
    if names.is_empty() { "nothing of the kind".into() } else { names.join(", ") }
}

//! What a drill needs of a cluster, asked for before anything is changed. Everything that is missing is named at once,
//! each with the command that mends it.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams, PostParams};

use super::marks;
use crate::diag::Diagnostic;

/// What the runs to come need beside the common things.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// The addresses of Prometheus, as the policies' measurements ask them.
    pub prometheus: BTreeSet<String>,
    /// Kinds that the policies bring, by group and plural, where they are no common ones.
    pub kinds: BTreeSet<(String, String)>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The version of Kubernetes.
    pub kubernetes: String,
    /// The version of Argo Rollouts, where its image tells.
    pub argo: Option<String>,
    /// Whether the controller reads notification services from the namespace of a Rollout, too.
    pub self_service: bool,
}

/// The flag by which a controller does that (argo-rollouts v1.9.1, cmd/rollouts-controller/main.go).
const SELF_SERVICE: &str = "--self-service-notification-enabled";
/// The oldest version whose behaviour is known here.
const OLDEST: (u32, u32) = (1, 8);
/// How Argo Rollouts is installed, for those who have not.
const INSTALL: &str = "install it: kubectl create namespace argo-rollouts; kubectl apply -n argo-rollouts -f install.yaml (of its release page)";
/// What gives a run its rights.
const GRANT: &str = "an administrator grants it: firedrill rbac | kubectl apply -f -";

/// What a run does, by verb, group, resource and, where it is the only one, the namespace.
const RIGHTS: [(&str, &str, &str, &str); 16] = [
    ("create", "", "namespaces", ""),
    ("delete", "", "namespaces", ""),
    ("create", "argoproj.io", "rollouts", ""),
    ("patch", "argoproj.io", "rollouts/status", ""),
    ("create", "argoproj.io", "analysistemplates", ""),
    ("watch", "argoproj.io", "analysisruns", ""),
    ("create", "", "services", ""),
    ("create", "", "configmaps", ""),
    ("watch", "", "pods", ""),
    ("watch", "", "events", ""),
    ("watch", "apps", "replicasets", ""),
    ("watch", "discovery.k8s.io", "endpointslices", ""),
    ("create", "", "pods", marks::HOME),
    ("create", "", "secrets", marks::HOME),
    ("create", "", "services/proxy", marks::HOME),
    ("create", "coordination.k8s.io", "leases", marks::HOME),
];

/// Asks for everything. What is missing is in the second half, and nothing has been changed.
pub async fn preflight(client: &kube::Client, needs: &Needs) -> (Found, Vec<Diagnostic>) {
    let mut desk = Desk { client, found: Found::default(), missing: vec![] };
    if desk.version().await {
        desk.kinds(needs).await;
        desk.controller().await;
        desk.home().await;
        desk.rights(needs).await;
        for address in &needs.prometheus {
            desk.prometheus(address).await;
        }
    }
    (desk.found, desk.missing)
}

struct Desk<'a> {
    client: &'a kube::Client,
    found: Found,
    missing: Vec<Diagnostic>,
}

impl Desk<'_> {
    fn miss(&mut self, title: impl Into<String>, help: impl Into<String>) {
        self.missing.push(Diagnostic::error("cluster-lacks", title.into()).help(help.into()));
    }

    /// A question that got no answer is as bad as a bad one.
    fn unanswered(&mut self, what: &str, error: &kube::Error) {
        let help = match error {
            kube::Error::Api(status) if status.is_forbidden() => GRANT.to_owned(),
            _ => "look at the API server".to_owned(),
        };
        self.miss(format!("cannot ask {what}: {}", sentence(error)), help);
    }

    async fn version(&mut self) -> bool {
        match self.client.apiserver_version().await {
            Ok(version) => {
                self.found.kubernetes = version.git_version;
                true
            }
            Err(error) => {
                self.unanswered("the API server for its version", &error);
                false
            }
        }
    }

    async fn kinds(&mut self, needs: &Needs) {
        let argo = ["rollouts", "analysisruns", "analysistemplates"];
        let mut wanted: BTreeSet<(String, String)> =
            argo.iter().map(|plural| ("argoproj.io".to_owned(), (*plural).to_owned())).collect();
        wanted.extend(needs.kinds.iter().cloned());
        let groups: BTreeSet<String> = wanted.iter().map(|(group, _)| group.clone()).collect();
        for group in groups {
            let known = self.plurals(&group).await;
            for (_, plural) in wanted.iter().filter(|(of, plural)| *of == group && !known.contains(plural)) {
                let help = if group == "argoproj.io" {
                    INSTALL.to_owned()
                } else {
                    format!("install what owns {group}")
                };
                self.miss(format!("the custom resource {plural}.{group} is missing"), help);
            }
        }
    }

    /// The resources of a group, in whatever version is preferred.
    async fn plurals(&mut self, group: &str) -> BTreeSet<String> {
        let groups = match self.client.list_api_groups().await {
            Ok(groups) => groups.groups,
            Err(error) => {
                self.unanswered("for the API groups", &error);
                return BTreeSet::new();
            }
        };
        let found = groups.into_iter().find(|found| found.name == group);
        let mut plurals = BTreeSet::new();
        for version in found.into_iter().flat_map(|found| found.versions) {
            if let Ok(listed) = self.client.list_api_group_resources(&version.group_version).await {
                plurals.extend(listed.resources.into_iter().map(|resource| resource.name));
            }
        }
        plurals
    }

    async fn controller(&mut self) {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), marks::CONTROLLER);
        let named = ListParams::default().labels("app.kubernetes.io/name=argo-rollouts");
        let listed = match deployments.list(&named).await {
            Ok(listed) => listed.items,
            Err(error) => return self.unanswered("for the rollouts controller", &error),
        };
        // The dashboard carries the same name.
        let controller = listed.iter().find(|found| !name(found).contains("dashboard"));
        let Some(controller) = controller else {
            return self
                .miss(format!("no rollouts controller runs in namespace {}", marks::CONTROLLER), INSTALL);
        };
        let ready = controller.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0);
        if ready == 0 {
            let (name, namespace) = (name(controller), marks::CONTROLLER);
            self.miss(
                format!("the rollouts controller {name} has no pod that is available"),
                format!("look why: kubectl -n {namespace} describe deployment {name}"),
            );
        }
        self.controllers_container(controller);
    }

    fn controllers_container(&mut self, controller: &Deployment) {
        let spec = controller.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let Some(container) = spec.and_then(|spec| spec.containers.first()) else { return };
        let args = container.args.iter().flatten().chain(container.command.iter().flatten());
        self.found.self_service = args
            .into_iter()
            .any(|arg| arg.strip_prefix(SELF_SERVICE).is_some_and(|value| matches!(value, "" | "=true")));
        let version = container.image.as_deref().and_then(version);
        if let Some((version, numbers)) = version {
            if numbers < OLDEST {
                let (major, minor) = OLDEST;
                self.miss(
                    format!("Argo Rollouts {version} is too old: it is not known how it behaves"),
                    format!("install {major}.{minor} or newer"),
                );
            }
            self.found.argo = Some(version);
        }
    }

    async fn home(&mut self) {
        let home = marks::HOME;
        match Api::<Namespace>::all(self.client.clone()).get_opt(home).await {
            Ok(Some(_)) => {}
            Ok(None) => self.miss(format!("the namespace `{home}` is missing, where agents live"), GRANT),
            Err(error) => self.unanswered(&format!("for the namespace {home}"), &error),
        }
    }

    async fn rights(&mut self, needs: &Needs) {
        let own = needs.kinds.iter().map(|(group, plural)| ("create", group.as_str(), plural.as_str(), ""));
        let mut denied = vec![];
        for (verb, group, resource, namespace) in RIGHTS.into_iter().chain(own) {
            match self.may(verb, group, resource, namespace).await {
                Ok(true) => {}
                Ok(false) => denied.push(describe(verb, group, resource, namespace)),
                Err(error) => return self.unanswered("what may be done here", &error),
            }
        }
        if !denied.is_empty() {
            self.miss(format!("you may not: {}", denied.join(", ")), GRANT);
        }
    }

    async fn may(
        &self,
        verb: &str,
        group: &str,
        resource: &str,
        namespace: &str,
    ) -> Result<bool, kube::Error> {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let attributes = ResourceAttributes {
            verb: text(verb),
            group: text(group),
            resource: text(resource),
            subresource: text(subresource),
            namespace: text(namespace),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = Api::all(self.client.clone()).create(&PostParams::default(), &review).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    /// Asks the Prometheus that the policy asks, by the Service its address names.
    async fn prometheus(&mut self, address: &str) {
        let Some(service) = Service::of(address) else {
            let title =
                format!("Prometheus at {address} is no Service of this cluster, so nobody has asked it");
            let help = "that no measurement is taken will be noticed, but only at the end";
            return self.missing.push(Diagnostic::note("unasked-prometheus", title).help(help));
        };
        let path = format!("{}/api/v1/query?query=vector(1)", service.proxy());
        let request = http::Request::get(path).body(vec![]).map_err(kube::Error::HttpError);
        let answer = match request {
            Ok(request) => self.client.request_text(request).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(text) if text.contains("\"success\"") => {}
            Ok(_) => self.miss(
                format!("what answers at {address} is no Prometheus"),
                "every measurement of the policy would end in an error: correct the address",
            ),
            Err(error) => self.miss(
                format!("Prometheus at {address} does not answer: {}", sentence(&error)),
                format!("look at it: kubectl -n {} get service,pod", service.namespace),
            ),
        }
    }
}

/// What a cluster says, without the Rust around it.
pub(super) fn sentence(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.trim().to_owned(),
        other => other.to_string(),
    }
}

fn name(deployment: &Deployment) -> &str {
    deployment.metadata.name.as_deref().unwrap_or_default()
}

fn describe(verb: &str, group: &str, resource: &str, namespace: &str) -> String {
    let resource = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    if namespace.is_empty() {
        format!("{verb} {resource}")
    } else {
        format!("{verb} {resource} in {namespace}")
    }
}

/// The version an image's tag tells, and its first two numbers.
fn version(image: &str) -> Option<(String, (u32, u32))> {
    let image = image.split('@').next().unwrap_or(image);
    let (_, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let mut numbers = tag.trim_start_matches('v').split(['.', '-', '+']);
    let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some((tag.to_owned(), (major, minor)))
}

/// A Service of the cluster, as an address inside of it names it.
#[derive(Debug, PartialEq, Eq)]
struct Service {
    scheme: String,
    name: String,
    namespace: String,
    port: u16,
    prefix: String,
}

impl Service {
    /// `None` when the host is no Service's. A single word is one of the controller's own namespace.
    fn of(address: &str) -> Option<Service> {
        let uri: http::Uri = address.parse().ok()?;
        let scheme = uri.scheme_str().unwrap_or("http").to_owned();
        let host = uri.host()?;
        let mut parts = host.trim_end_matches('.').split('.');
        let name = parts.next().filter(|name| name.parse::<u8>().is_err())?.to_owned();
        let namespace = parts.next().unwrap_or(marks::CONTROLLER).to_owned();
        let rest: Vec<&str> = parts.collect();
        let ours = matches!(rest[..], [] | ["svc"] | ["svc", "cluster", "local"]);
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let prefix = uri.path().trim_end_matches('/').to_owned();
        ours.then_some(Service { scheme, name, namespace, port, prefix })
    }

    /// The path by which the API server passes requests on to it.
    fn proxy(&self) -> String {
        let Service { scheme, name, namespace, port, prefix } = self;
        let scheme = if scheme == "https" { "https:" } else { "" };
        format!("/api/v1/namespaces/{namespace}/services/{scheme}{name}:{port}/proxy{prefix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(address: &str) -> Option<String> {
        Service::of(address).map(|service| service.proxy())
    }

    #[test]
    fn an_address_inside_is_a_service() {
        let path = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy";
        assert_eq!(proxy("http://prometheus.monitoring:9090").as_deref(), Some(path));
        assert_eq!(proxy("http://prometheus.monitoring.svc.cluster.local:9090/").as_deref(), Some(path));
        let path = "/api/v1/namespaces/argo-rollouts/services/https:prom:443/proxy/select/0/prometheus";
        assert_eq!(proxy("https://prom/select/0/prometheus").as_deref(), Some(path));
    }

    #[test]
    fn an_address_outside_is_none() {
        assert_eq!(proxy("https://prometheus.example.com"), None);
        assert_eq!(proxy("http://10.0.0.7:9090"), None);
        assert_eq!(proxy("not an address"), None);
    }

    #[test]
    fn a_tag_tells_a_version_and_a_digest_does_not() {
        let numbers = |image| version(image).map(|(_, numbers)| numbers);
        assert_eq!(numbers("quay.io/argoproj/argo-rollouts:v1.7.2"), Some((1, 7)));
        assert_eq!(numbers("host:5000/argo-rollouts:1.9.1-rc1"), Some((1, 9)));
        assert_eq!(numbers("host:5000/argo-rollouts@sha256:0123"), None);
        assert_eq!(numbers("argo-rollouts:latest"), None);
    }
}

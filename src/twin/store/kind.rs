//! The kinds the twin serves.

/// A kind of object, in the order in which `Store` keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the Kubernetes kind of the same name")]
pub enum Kind {
    Namespace,
    Node,
    Service,
    Pod,
    ConfigMap,
    Secret,
    ServiceAccount,
    Event,
    ReplicaSet,
    Deployment,
    EndpointSlice,
    Lease,
    Job,
    Ingress,
    VirtualService,
    DestinationRule,
    Rollout,
    AnalysisTemplate,
    ClusterAnalysisTemplate,
    AnalysisRun,
    Experiment,
    CustomResourceDefinition,
    PodTemplate,
}

/// What discovery says about a kind.
#[derive(Debug)]
pub struct KindInfo {
    /// Which kind this describes.
    pub id: Kind,
    /// API group, empty for core.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// The kind's name.
    pub kind: &'static str,
    /// The plural in URLs.
    pub plural: &'static str,
    /// The singular that `kubectl` accepts.
    pub singular: &'static str,
    /// Short names that `kubectl` accepts.
    pub short_names: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether `/status` is a subresource. AnalysisRuns and Experiments have none (spec 1.1).
    pub status_subresource: bool,
    /// Whether `/scale` is a subresource.
    pub scale_subresource: bool,
}

macro_rules! kinds {
    ($($id:ident $group:literal $version:literal $plural:literal $singular:literal [$($short:literal)*] $ns:literal $status:literal $scale:literal;)*) => {
        impl Kind {
            /// Every kind, in order.
            pub const ALL: &'static [Kind] = &[$(Kind::$id),*];

            /// What discovery says about it.
            #[must_use]
            pub fn info(self) -> &'static KindInfo {
                match self {
                    $(Kind::$id => {
                        const INFO: KindInfo = KindInfo {
                            id: Kind::$id, group: $group, version: $version, kind: stringify!($id), plural: $plural,
                            singular: $singular, short_names: &[$($short),*], namespaced: $ns,
                            status_subresource: $status, scale_subresource: $scale,
                        };
                        &INFO
                    })*
                }
            }
        }
    };
}

kinds! {
    // kind            group                       version     plural           singular  short      namespaced status scale
    Namespace          ""                          "v1"        "namespaces" "namespace"     ["ns"]     false true  false;
    Node               ""                          "v1"        "nodes" "node"          ["no"]     false true  false;
    Service            ""                          "v1"        "services" "service"       ["svc"]    true  true  false;
    Pod                ""                          "v1"        "pods" "pod"           ["po"]     true  true  false;
    ConfigMap          ""                          "v1"        "configmaps" "configmap"     ["cm"]     true  false false;
    Secret             ""                          "v1"        "secrets" "secret"        []         true  false false;
    ServiceAccount     ""                          "v1"        "serviceaccounts" "serviceaccount" ["sa"]    true  false false;
    Event              ""                          "v1"        "events" "event"         ["ev"]     true  false false;
    ReplicaSet         "apps"                      "v1"        "replicasets" "replicaset"    ["rs"]     true  true  true;
    Deployment         "apps"                      "v1"        "deployments" "deployment"    ["deploy"] true  true  true;
    EndpointSlice      "discovery.k8s.io"          "v1"        "endpointslices" "endpointslice" []         true  false false;
    Lease              "coordination.k8s.io"       "v1"        "leases" "lease"         []         true  false false;
    Job                "batch"                     "v1"        "jobs" "job"           []         true  true  false;
    Ingress            "networking.k8s.io"         "v1"        "ingresses" "ingress"      ["ing"]    true  true  false;
    VirtualService     "networking.istio.io"       "v1alpha3"  "virtualservices" "virtualservice" ["vs"]    true  true  false;
    DestinationRule    "networking.istio.io"       "v1alpha3"  "destinationrules" "destinationrule" ["dr"]   true  true  false;
    Rollout            "argoproj.io"               "v1alpha1"  "rollouts" "rollout"       ["ro"]     true  true  true;
    AnalysisTemplate   "argoproj.io"               "v1alpha1"  "analysistemplates" "analysistemplate" ["at"]  true  false false;
    ClusterAnalysisTemplate "argoproj.io"          "v1alpha1"  "clusteranalysistemplates" "clusteranalysistemplate" ["cat"] false false false;
    AnalysisRun        "argoproj.io"               "v1alpha1"  "analysisruns" "analysisrun"   ["ar"]     true  false false;
    Experiment         "argoproj.io"               "v1alpha1"  "experiments" "experiment"    ["exp"]    true  false false;
    CustomResourceDefinition "apiextensions.k8s.io" "v1"       "customresourcedefinitions" "customresourcedefinition" ["crd" "crds"] false true false;
    PodTemplate        ""                          "v1"        "podtemplates" "podtemplate"   []         true  false false;
}

impl Kind {
    /// Whether a CustomResourceDefinition brought it: such a kind knows no strategic merge patch, for instance.
    #[must_use]
    pub fn is_custom(self) -> bool {
        matches!(self.info().group, "argoproj.io" | "networking.istio.io")
    }

    /// Whether its objects carry `metadata.generation`.
    #[must_use]
    pub fn has_generation(self) -> bool {
        use Kind::{ConfigMap, Event, Lease, Namespace, Node, Secret, Service, ServiceAccount};
        !matches!(self, Namespace | Node | Service | ConfigMap | Secret | ServiceAccount | Event | Lease)
    }

    /// The kind with this group and name, in any version.
    #[must_use]
    pub fn find(group: &str, kind: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|id| id.info().group == group && id.info().kind == kind)
    }

    /// The kind of an object's `apiVersion` and `kind`.
    #[must_use]
    pub fn of_type(api_version: &str, kind: &str) -> Option<Kind> {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        Kind::find(group, kind)
    }
}

impl KindInfo {
    /// `group/version`, or `version` for core.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.into() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The versions under which it is served, the stored one first. Istio's are one schema under several names (Istio
    /// 1.24, manifests/charts/base/files/crd-all.gen.yaml), and policies use each of them.
    pub fn versions(&self) -> impl Iterator<Item = &'static str> {
        let others: &[&str] = if self.group == "networking.istio.io" { &["v1", "v1beta1"] } else { &[] };
        std::iter::once(self.version).chain(others.iter().copied())
    }

    /// Whether it is served under this version.
    #[must_use]
    pub fn is_served_as(&self, version: &str) -> bool {
        self.versions().any(|one| one == version)
    }

    /// `plural.group`, as error messages name a resource.
    #[must_use]
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.into() } else { format!("{}.{}", self.plural, self.group) }
    }
}

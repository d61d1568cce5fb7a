//! The fields of the built-in and Istio kinds that policies contain.
//!
//! From k8s.io/api v0.34 (`core/v1`, `apps/v1`, `networking/v1`) and istio.io/api v1.27 (`networking/v1alpha3`). Where
//! a subtree says nothing about a rollout it is `any`: there a misspelt field is not found, and is kept.

use std::sync::OnceLock;

use super::super::kind::Kind;
use super::{Schema, load, notation};

const METADATA: &str = "{annotations:<s> creationTimestamp:s deletionGracePeriodSeconds:i deletionTimestamp:s
    finalizers:[s] generateName:s generation:i labels:<s> managedFields:any name:s namespace:s
    ownerReferences:[{apiVersion:s blockOwnerDeletion:b controller:b kind:s name:s uid:s}]
    resourceVersion:s selfLink:s uid:s}";

const NAMESPACE: &str = "{spec:{finalizers:[s]} status:o}";

const CONFIG_MAP: &str = "{data:<s> binaryData:<s> immutable:b}";

const SECRET: &str = "{data:<s> stringData:<s> immutable:b type:s}";

const SERVICE: &str = "{status:o spec:{allocateLoadBalancerNodePorts:b clusterIP:s clusterIPs:[s] externalIPs:[s]
    externalName:s externalTrafficPolicy:s healthCheckNodePort:i internalTrafficPolicy:s ipFamilies:[s]
    ipFamilyPolicy:s loadBalancerClass:s loadBalancerIP:s loadBalancerSourceRanges:[s]
    ports:[{appProtocol:s name:s nodePort:i port!:i protocol:s targetPort:x}]
    publishNotReadyAddresses:b selector:<s> sessionAffinity:s sessionAffinityConfig:{clientIP:{timeoutSeconds:i}}
    trafficDistribution:s type:s}}";

const LABEL_SELECTOR: &str = "{matchLabels:<s> matchExpressions:[{key!:s operator!:s values:[s]}]}";

/// Without `template` and `selector`, too.
const REPLICA_SET_SPEC: &str = "{minReadySeconds:i replicas:i}";

/// Without `template` and `selector`, which are shared.
const DEPLOYMENT_SPEC: &str = "{minReadySeconds:i paused:b progressDeadlineSeconds:i replicas:i
    revisionHistoryLimit:i strategy:{type:s rollingUpdate:{maxSurge:x maxUnavailable:x}}}";

const INGRESS: &str = "{status:o spec:{ingressClassName:s defaultBackend:{resource:any
        service:{name!:s port:{name:s number:i}}} tls:[{hosts:[s] secretName:s}]
    rules:[{host:s http:{paths!:[{path:s pathType!:s backend!:{resource:any
        service:{name!:s port:{name:s number:i}}}}]}}]}}";

const VIRTUAL_SERVICE: &str = "{status:o spec:{exportTo:[s] gateways:[s] hosts:[s]
    http:[{name:s match:[any] corsPolicy:any delegate:{name:s namespace:s} directResponse:any fault:any
        headers:{request:any response:any} mirror:{host!:s port:{number:i} subset:s} mirrorPercent:any
        mirror_percent:any mirrorPercentage:{value:n}
        mirrors:[{destination!:{host!:s port:{number:i} subset:s} percentage:{value:n}}]
        redirect:any retries:any rewrite:any timeout:s
        route:[{destination!:{host!:s port:{number:i} subset:s} weight:i headers:{request:any response:any}}]}]
    tcp:[{match:[any] route:[{destination!:{host!:s port:{number:i} subset:s} weight:i}]}]
    tls:[{match!:[any] route:[{destination!:{host!:s port:{number:i} subset:s} weight:i}]}]}}";

const DESTINATION_RULE: &str = "{status:o spec:{exportTo:[s] host!:s trafficPolicy:any workloadSelector:any
    subsets:[{name!:s labels:<s> trafficPolicy:any}]}}";

/// The schema of `metadata`.
pub(super) fn metadata() -> Schema {
    notation::schema(METADATA)
}

/// The schema of a kind that is not one of Argo's.
pub(super) fn schema(kind: Kind) -> &'static Schema {
    static LOADED: [OnceLock<Schema>; 11] = [const { OnceLock::new() }; 11];
    let (slot, text) = match kind {
        Kind::Namespace => (0, NAMESPACE),
        Kind::ConfigMap => (1, CONFIG_MAP),
        Kind::Secret => (2, SECRET),
        Kind::Service => (3, SERVICE),
        Kind::Deployment => (4, "{status:o}"),
        Kind::Ingress => (5, INGRESS),
        Kind::VirtualService => (6, VIRTUAL_SERVICE),
        Kind::DestinationRule => (7, DESTINATION_RULE),
        Kind::ReplicaSet => (8, "{status:o}"),
        Kind::PodTemplate => (10, "{}"),
        _ => (9, "{spec:o status:o}"),
    };
    LOADED[slot].get_or_init(|| {
        let mut schema = notation::schema(text);
        for (name, field) in [("apiVersion", "s"), ("kind", "s"), ("metadata", METADATA)] {
            schema.properties.insert(name.into(), notation::schema(field));
        }
        schema.preserve_unknown = slot == 9;
        if kind == Kind::PodTemplate {
            schema.properties.insert("template".into(), load::pod_template());
        }
        let workload = match kind {
            Kind::Deployment => Some(DEPLOYMENT_SPEC),
            Kind::ReplicaSet => Some(REPLICA_SET_SPEC),
            _ => None,
        };
        if let Some(spec) = workload {
            schema.required.push("spec".into());
            schema.properties.insert("spec".into(), workload_spec(spec));
        }
        schema
    })
}

fn workload_spec(text: &'static str) -> Schema {
    let mut spec = notation::schema(text);
    spec.properties.insert("selector".into(), notation::schema(LABEL_SELECTOR));
    spec.properties.insert("template".into(), load::pod_template());
    spec.required = vec!["selector".into(), "template".into()];
    spec
}

//! What a new connection to a Service reaches: the endpoints, a moment after the `EndpointSlice` says so.
//!
//! kube-proxy's part (Kubernetes v1.34 pkg/proxy): only ready endpoints get new connections; without any, a
//! connection is refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::store::{Key, Kind, Object, text_at};

/// The rules in force, by Service.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    services: BTreeMap<Key, Vec<Key>>,
}

impl Routing {
    /// Puts a slice's rules in force, or removes them with the slice.
    pub(crate) fn apply(&mut self, key: &Key, slice: Option<&Object>) {
        let Some(slice) = slice else {
            let prefix = key.name.trim_end_matches("-slice");
            self.services.remove(&key.sibling(Kind::Service, prefix));
            return;
        };
        let labels = slice.pointer("/metadata/labels");
        let service =
            labels.and_then(|labels| labels.get("kubernetes.io/service-name")).and_then(Value::as_str);
        let Some(service) = service else { return };
        let endpoints = slice["endpoints"].as_array().into_iter().flatten();
        let ready =
            endpoints.filter(|endpoint| endpoint.pointer("/conditions/ready") == Some(&Value::Bool(true)));
        let pods = ready.map(|endpoint| key.sibling(Kind::Pod, text_at(endpoint, "/targetRef/name")));
        self.services.insert(key.sibling(Kind::Service, service), pods.collect());
    }

    /// The pods that a new connection to this Service may reach.
    #[must_use]
    pub(crate) fn endpoints(&self, service: &Key) -> &[Key] {
        self.services.get(service).map_or(&[], Vec::as_slice)
    }
}

//! What a request reaches: the endpoints of a Service, a moment after the `EndpointSlice` says so, or what a router in
//! front of several Services makes of it, a moment after its object says so.
//!
//! kube-proxy's part (Kubernetes v1.34 pkg/proxy): only ready endpoints get new connections; without any, a
//! connection is refused. The routers' parts are in [`nginx`] and [`istio`]: each reads its objects for the one kind of
//! request that a load sends and says how such requests are shared out ([`Split`]). Nobody here draws: that is for
//! `traffic`. Nobody writes, either: weights are the rollouts controller's business.

mod istio;
mod nginx;
mod split;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use self::split::{Mirror, Split};
use super::store::{Key, Kind, Object, labels_of, text_at};
use crate::agent::wire::Router;

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    /// The ready pods of every Service.
    services: BTreeMap<Key, Vec<Key>>,
    /// The objects that routers obey.
    routers: BTreeMap<Key, Object>,
    /// The labels of pods, by which a subset of a Service is told.
    labels: BTreeMap<Key, BTreeMap<String, String>>,
    version: u64,
}

/// What a router sees of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a str,
    /// With its query, if it has one.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(String, String)],
}

impl<'a> Incoming<'a> {
    /// The value of a header, whose name knows no case.
    fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path without its query.
    fn bare_path(&self) -> &'a str {
        self.path.split('?').next().unwrap_or(self.path)
    }
}

/// Whether routers read objects of this kind.
pub(crate) fn is_routing(kind: Kind) -> bool {
    matches!(kind, Kind::Ingress | Kind::VirtualService | Kind::DestinationRule)
}

impl Routing {
    /// Puts a slice's rules in force, or removes them with the slice.
    pub(crate) fn apply(&mut self, key: &Key, slice: Option<&Object>) {
        self.version += 1;
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

    /// Puts a router's object in force, or removes it.
    pub(crate) fn obey(&mut self, key: &Key, object: Option<Object>) {
        self.version += 1;
        match object {
            Some(object) => self.routers.insert(key.clone(), object),
            None => self.routers.remove(key),
        };
    }

    /// Learns the labels of a pod, or forgets them with it.
    pub(crate) fn label(&mut self, key: &Key, pod: Option<&Object>) {
        let labels = pod.map(|pod| {
            let labels = labels_of(pod).into_iter();
            labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
        });
        if self.labels.get(key) == labels.as_ref() {
            return;
        }
        self.version += 1;
        match labels {
            Some(labels) => self.labels.insert(key.clone(), labels),
            None => self.labels.remove(key),
        };
    }

    /// Grows with every change, so that what was derived from the rules can be kept until then.
    #[must_use]
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// How a router shares out requests like this one on their way to this Service.
    #[must_use]
    pub(crate) fn split(&self, service: &Key, router: &Router, request: &Incoming<'_>) -> Split {
        match router {
            Router::Nginx { ingress, prefix } => {
                nginx::split(self, &service.sibling(Kind::Ingress, ingress), prefix, request)
            }
            Router::Istio { namespace, virtual_service } => {
                let key = Key::new(Kind::VirtualService, namespace, virtual_service);
                istio::split(self, service, &key, request)
            }
        }
    }
}

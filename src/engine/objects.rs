//! Finding the API of an object by what it says it is.

use std::collections::BTreeMap;
use std::fmt;

use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::discovery::{Scope, pinned_kind};
use serde_json::Value;

use crate::cluster::Trouble;

/// An object of the policy and where it lives.
#[derive(Clone)]
pub(super) struct Installed {
    pub(super) api: Api<DynamicObject>,
    pub(super) kind: String,
    pub(super) name: String,
}

impl Installed {
    /// Whether a person who writes `kind/name` means this one.
    pub(super) fn is(&self, kind: &str, name: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.name == name
    }
}

impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// The kinds this API server knows, as far as they were asked for.
pub(super) struct Objects {
    client: kube::Client,
    known: BTreeMap<(String, String, String), Option<(ApiResource, bool)>>,
}

impl Objects {
    pub(super) fn new(client: kube::Client) -> Objects {
        Objects { client, known: BTreeMap::new() }
    }

    /// The API an object belongs to; `None` when this API server has no such kind.
    pub(super) async fn locate(&mut self, object: &Value) -> Result<Option<Installed>, Trouble> {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, name, namespace) = (text("/kind"), text("/metadata/name"), text("/metadata/namespace"));
        let Some((resource, namespaced)) = self.kind(&text("/apiVersion"), &kind).await? else {
            return Ok(None);
        };
        let api = match namespaced {
            true => Api::namespaced_with(self.client.clone(), &namespace, &resource),
            false => Api::all_with(self.client.clone(), &resource),
        };
        Ok(Some(Installed { api, kind, name }))
    }

    async fn kind(&mut self, api_version: &str, kind: &str) -> Result<Option<(ApiResource, bool)>, Trouble> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let id = (group.to_owned(), version.to_owned(), kind.to_owned());
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let found = match pinned_kind(&self.client, &GroupVersionKind::gvk(group, version, kind)).await {
            Ok((resource, capabilities)) => Some((resource, capabilities.scope == Scope::Namespaced)),
            Err(kube::Error::Discovery(_)) => None,
            Err(kube::Error::Api(status)) if status.is_not_found() => None,
            Err(error) => {
                return Err(Trouble::Api { what: format!("look up the kind {kind}"), source: error });
            }
        };
        self.known.insert(id, found.clone());
        Ok(found)
    }
}

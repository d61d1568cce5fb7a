//! One object of a manifest, and where it stands.

use std::sync::Arc;

use super::{NO_OBJECT, UNKNOWN_KIND};
use crate::diag::{Diagnostic, Source, Span};
use crate::suggest;
use crate::twin::store::Kind;
use crate::yaml::Node;

/// One object of a manifest.
#[derive(Debug, Clone)]
pub struct Object {
    /// What it is, when it is something the twin serves.
    pub kind: Option<Kind>,
    /// `apiVersion`, as written.
    pub api_version: String,
    /// `kind`, as written.
    pub kind_name: String,
    /// `metadata.name`; a `generateName` counts, since no two objects get the same name from it.
    pub name: String,
    /// `metadata.namespace`; without one the object goes wherever the others go.
    pub namespace: Option<String>,
    /// The object with its places.
    pub node: Node,
    /// The text it was read from.
    pub source: Arc<Source>,
    /// The same as JSON, as it would be sent to a cluster.
    pub value: serde_json::Value,
}

impl Object {
    /// The place of its name, or of its beginning.
    #[must_use]
    pub fn name_span(&self) -> Span {
        let named =
            self.node.pointer("/metadata/name").or_else(|| self.node.pointer("/metadata/generateName"));
        self.span(&named.unwrap_or(&self.node).span)
    }

    /// `Rollout "shop"`, as messages name it.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} `{}`", self.kind_name, self.name)
    }

    /// Whether the two end up in the same namespace, as far as they say.
    #[must_use]
    pub fn is_near(&self, other: &Object) -> bool {
        let cluster_wide = |object: &Object| object.kind.is_some_and(|kind| !kind.info().namespaced);
        cluster_wide(self)
            || cluster_wide(other)
            || match (&self.namespace, &other.namespace) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            }
    }

    /// Reads one document, and says what is odd about it. `None` when it is no object at all.
    pub(super) fn read(source: &Arc<Source>, node: Node, found: &mut Vec<Diagnostic>) -> Option<Object> {
        let text = |pointer: &str| node.pointer(pointer).and_then(Node::as_str).map(str::to_string);
        let (Some(api_version), Some(kind_name), Some(name)) = (
            text("/apiVersion"),
            text("/kind"),
            text("/metadata/name").or_else(|| text("/metadata/generateName")),
        ) else {
            found.push(no_object(source, &node));
            return None;
        };
        let kind = Kind::of_type(&api_version, &kind_name);
        let namespace = text("/metadata/namespace");
        let value = node.to_json();
        let source = Arc::clone(source);
        let object = Object { kind, api_version, kind_name, name, namespace, node, source, value };
        found.extend(unknown_kind(&object));
        Some(object)
    }
}

fn no_object(source: &Arc<Source>, node: &Node) -> Diagnostic {
    let lacks: Vec<&str> = ["apiVersion", "kind", "metadata/name"]
        .into_iter()
        .filter(|path| node.pointer(&format!("/{path}")).and_then(Node::as_str).is_none())
        .collect();
    let at = Span { source: Arc::clone(source), range: node.span.clone() };
    let label = format!("no {}", lacks.join(", no ").replace('/', "."));
    // Dashboards and values files lie among manifests; half an object is a mistake.
    if lacks.len() == 3 {
        return Diagnostic::note(NO_OBJECT, "this document is no Kubernetes object and is left out")
            .at(at, label);
    }
    Diagnostic::error(NO_OBJECT, "this document is not a whole Kubernetes object")
        .at(at, label)
        .help("every object has `apiVersion`, `kind` and `metadata.name`")
}

/// A kind that nobody serves is a slip when it is nearly one that somebody serves, and left out otherwise.
fn unknown_kind(object: &Object) -> Option<Diagnostic> {
    if object.kind.is_some() {
        return None;
    }
    let written = object.node.get("kind").unwrap_or(&object.node);
    let at = object.span(&written.span);
    let known = Kind::ALL.iter().map(|kind| kind.info());
    let group = object.api_version.split('/').next().unwrap_or_default();
    if let Some(info) =
        known.clone().find(|info| info.kind == object.kind_name && is_misplaced(info.group, group))
    {
        let at = object.span(&object.node.get("apiVersion").unwrap_or(&object.node).span);
        let title = format!("`{}` is not of the group `{}`", info.kind, object.api_version);
        return Some(
            Diagnostic::error(UNKNOWN_KIND, title).at(at, format!("write `{}`", info.api_version())),
        );
    }
    // Knative's Service is no slip of ServiceAccount: a name that exists is meant.
    let exists = known.clone().any(|info| info.kind == object.kind_name);
    let names = known.filter(|info| info.group == group || info.group.is_empty()).map(|info| info.kind);
    if let Some(near) = suggest::nearest(&object.kind_name, names).filter(|_| !exists) {
        let title = format!("no such kind: `{}`", object.kind_name);
        return Some(Diagnostic::error(UNKNOWN_KIND, title).at(at, format!("did you mean `{near}`?")));
    }
    let title = format!("`{}` plays no part in a drill and is left out", object.kind_name);
    Some(Diagnostic::note(UNKNOWN_KIND, title).at(at, "not served by the twin"))
}

/// Other projects have kinds called Service and Ingress; a wrong group is a slip only for Argo's and built-in groups.
fn is_misplaced(right: &str, written: &str) -> bool {
    let ours = |group: &str| !group.contains('.') || group.ends_with("k8s.io") || group == "argoproj.io";
    ours(written) && (right == "argoproj.io" || ours(right))
}

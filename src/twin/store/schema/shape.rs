//! A place in a schema, for those who walk an object beside it: which lists are maps, and which objects are one value.

use serde_json::Value;

use super::super::kind::Kind;
use super::{Schema, load};

/// A place in the schema of a kind; in the open, where the schema says nothing, every question has the plain answer.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Shape<'a> {
    schema: Option<&'a Schema>,
    extra: Extra,
}

/// What the notation of built-in kinds does not say (k8s.io/api v0.34, `listType`, `listMapKey` and `mapType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extra {
    None,
    Metadata,
    ServiceSpec,
    /// A list that is a map by these keys.
    By(&'static [&'static str]),
    /// A list of values that is a set.
    Set,
    /// An object that is one value.
    Atomic,
    Root(Kind),
}

/// How an object or a list is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Manner<'a> {
    /// Field by field, or as one value where it is no object.
    Granular,
    /// As one value.
    Atomic,
    /// A list that is a map by these keys.
    By(Vec<&'a str>),
    /// A list that is a set.
    Set,
}

impl Shape<'static> {
    /// The whole object.
    pub(in super::super) fn of(kind: Kind) -> Shape<'static> {
        Shape { schema: Some(load::schema(kind)), extra: Extra::Root(kind) }
    }
}

impl<'a> Shape<'a> {
    /// The place of a field.
    pub(in super::super) fn field(self, name: &str) -> Shape<'a> {
        let extra = match (self.extra, name) {
            (Extra::Root(_), "metadata") => Extra::Metadata,
            (Extra::Root(Kind::Service), "spec") => Extra::ServiceSpec,
            (Extra::ServiceSpec, "ports") => Extra::By(&["port", "protocol"]),
            (Extra::ServiceSpec, "selector") => Extra::Atomic,
            (Extra::Metadata, "ownerReferences") => Extra::By(&["uid"]),
            (Extra::Metadata, "finalizers") => Extra::Set,
            _ => Extra::None,
        };
        Shape { schema: self.schema.and_then(|schema| schema.field(name)), extra }
    }

    /// The place of a list's items.
    pub(in super::super) fn items(self) -> Shape<'a> {
        Shape { schema: self.schema.and_then(|schema| schema.items.as_deref()), extra: Extra::None }
    }

    /// How what is here is merged.
    pub(in super::super) fn manner(self) -> Manner<'a> {
        let keys = self.schema.map_or(&[][..], |schema| &schema.map_keys);
        match self.extra {
            Extra::Atomic => Manner::Atomic,
            Extra::Set => Manner::Set,
            Extra::By(keys) => Manner::By(keys.to_vec()),
            _ if !keys.is_empty() => Manner::By(keys.iter().map(String::as_str).collect()),
            _ if self.is_label_selector() => Manner::Atomic,
            _ => Manner::Granular,
        }
    }

    /// What the key of an item is when the item does not say.
    pub(in super::super) fn default(self, key: &str) -> Option<Value> {
        let field = self.schema.and_then(|schema| schema.field(key));
        let default = field.and_then(|field| field.default.clone());
        default.or_else(|| (key == "protocol").then(|| "TCP".into()))
    }

    /// Label selectors are one value wherever they stand (k8s.io/apimachinery v0.34 `meta/v1.LabelSelector`).
    fn is_label_selector(self) -> bool {
        let has = |schema: &Schema, name| schema.properties.contains_key(name);
        self.schema.is_some_and(|schema| has(schema, "matchLabels") && has(schema, "matchExpressions"))
    }
}

//! A value together with the place it was written at.
//!
//! `At<T>` is invisible in the schema and in what is written out: it reads, shows and describes itself as its value does.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use super::node::{Origin, Place};

/// The name by which [`super::de`] recognises a request for a place.
pub(super) const AT: &str = "$firedrill::At";
/// What it answers with: three numbers, then the value.
pub(super) const FIELDS: &[&str] = &["origin", "start", "end", "value"];

/// A value and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<At<T>, D::Error> {
        deserializer.deserialize_struct(AT, FIELDS, AtVisitor(PhantomData))
    }
}

struct AtVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
    type Value = At<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value read from a scenario, which has a place")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<At<T>, A::Error> {
        let mut field = |name: &'static str| -> Result<usize, A::Error> {
            map.next_entry::<String, usize>()?.map(|(_, n)| n).ok_or_else(|| de::Error::missing_field(name))
        };
        let origin = if field("origin")? == 0 { Origin::Written } else { Origin::Defaults };
        let place = Place { origin, start: field("start")?, end: field("end")? };
        let value = map.next_entry::<String, T>()?.ok_or_else(|| de::Error::missing_field("value"))?.1;
        Ok(At { value, place })
    }
}

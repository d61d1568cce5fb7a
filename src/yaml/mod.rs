//! Reading YAML so that every complaint can point at the text.
//!
//! The only module that names the YAML library. It has two readers, because two kinds of text come in: manifests are
//! read as `kubectl` reads them (YAML 1.1 booleans, aliases, many documents) into [`Node`]s that keep their spans;
//! scenarios are ours and are read strictly (YAML 1.2, no aliases) into types.
//!
//! It refuses to write YAML, to resolve includes, and to guess what unrendered templates would become.

mod error;
mod manifest;
mod node;
mod split;
mod strict;
#[cfg(test)]
mod tests;

/// A value that remembers where it was written. It does not work under serde's `tag`, `untagged` and `flatten`.
pub use serde_saphyr::Spanned;

pub use self::manifest::documents;
pub use self::node::{Key, Node, NodeValue};
pub use self::strict::{from_str_strict, span_of};

/// The text is not YAML.
pub const SYNTAX: &str = "FD101";
/// The text is YAML, but not of the shape that is asked for.
pub const SHAPE: &str = "FD102";
/// The text is larger or more deeply nested than anything a person writes.
pub const LIMITS: &str = "FD103";
/// The text is a template that has not been rendered.
pub const TEMPLATE: &str = "FD104";

/// The largest text that is read. The API server refuses objects above 1.5 MiB, so this is a generous file of them.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

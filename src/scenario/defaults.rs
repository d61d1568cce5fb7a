//! What a scenario means where it says nothing: `defaults.yaml`, read as any other text and laid under what was written.

use std::sync::{Arc, LazyLock};

use super::node::{self, Kind, Node, Origin};
use crate::diag::Source;

/// The file itself, for `firedrill explain defaults` and for places that point into it.
pub static SOURCE: LazyLock<Arc<Source>> = LazyLock::new(|| {
    Arc::new(Source { name: "defaults.yaml".into(), text: include_str!("defaults.yaml").into() })
});

static NODE: LazyLock<Node> = LazyLock::new(|| {
    node::parse(&SOURCE, Origin::Defaults).expect("the embedded defaults are YAML: a test reads them")
});

pub(super) fn node() -> &'static Node {
    &NODE
}

/// Adds to `written` every default for a key it does not have. What is written always wins.
pub(super) fn lay_under(written: &mut Node) {
    lay(written, &NODE);
}

/// Bounded by the depth of `defaults.yaml`.
fn lay(written: &mut Node, defaults: &Node) {
    let (Kind::Map(entries), Kind::Map(defaults)) = (&mut written.kind, &defaults.kind) else { return };
    for default in defaults {
        match entries.iter_mut().find(|entry| entry.key == default.key) {
            Some(entry) => lay(&mut entry.value, &default.value),
            None => entries.push(default.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key of the file with the line it stands on.
    fn keys(node: &Node, path: &str, out: &mut Vec<(String, usize, bool)>) {
        let Kind::Map(entries) = &node.kind else { return };
        for entry in entries {
            let path = format!("{path}/properties/{}", entry.key);
            let line = SOURCE.text[..entry.key_place.start].matches('\n').count() + 1;
            out.push((path.clone(), line, matches!(entry.value.kind, Kind::Map(_))));
            keys(&entry.value, &path, out);
        }
    }

    #[test]
    fn every_default_says_why() {
        let lines: Vec<&str> = SOURCE.text.lines().collect();
        let mut all = Vec::new();
        keys(&NODE, "", &mut all);
        assert!(all.len() > 10);
        for (key, line, mapping) in all {
            let above = lines[line - 2].trim_start();
            assert!(mapping || above.starts_with('#'), "{key} at line {line} has no comment above it");
        }
    }

    #[test]
    fn every_default_is_a_key_of_the_schema() {
        let mut all = Vec::new();
        keys(&NODE, "", &mut all);
        for (key, ..) in all {
            let mut schema = &*super::super::schema::SCHEMA;
            for part in key.split("/properties/").skip(1) {
                schema = super::super::schema::resolve(&schema["properties"][part]);
                assert!(schema.is_object(), "{key} is not in the schema");
            }
        }
    }
}

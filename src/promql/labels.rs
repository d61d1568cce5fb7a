//! Label sets: the identity of a series. Sorted by label name, without duplicates or empty values, cheap to
//! clone. Compares the way Prometheus does (name, then value, then length), so sorted order here is its order.
//! Knows nothing about time or values.

use std::fmt;
use std::sync::Arc;

use super::format;

/// The label that holds the metric name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds a classic histogram's upper bound.
pub const BUCKET_LABEL: &str = "le";

/// Labels that describe the metric rather than the thing measured; functions that change the meaning of a
/// value drop them (Prometheus `schema.IsMetadataLabel`, v3).
const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// One label: name and value.
pub type Label = (Arc<str>, Arc<str>);

/// A sorted set of labels. Cloning is a reference count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Labels(Arc<[Label]>);

impl Labels {
    /// Builds a set from pairs in any order. A later duplicate wins, an empty value removes the label.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut all: Vec<Label> = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        // A stable sort keeps duplicates in the order given; of those the last one is meant.
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let mut kept: Vec<Label> = Vec::with_capacity(all.len());
        for label in all {
            if kept.last().is_some_and(|last| last.0 == label.0) {
                kept.pop();
            }
            kept.push(label);
        }
        kept.retain(|(_, value)| !value.is_empty());
        Self(kept.into())
    }

    /// A metric name with further labels.
    pub fn metric<'a>(name: &'a str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::new(pairs.into_iter().chain([(METRIC_NAME, name)]))
    }

    /// The value of one label; absent labels are `None`.
    pub fn get(&self, name: &str) -> Option<&str> {
        // Label sets are small; a scan beats a binary search up to about twenty labels.
        self.0.iter().find(|(n, _)| &**n == name).map(|(_, v)| &**v)
    }

    /// The value of one label, the empty string when absent, which is what matchers see.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The metric name, if there is one.
    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// The labels in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (&**n, &**v))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no labels at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the set names a metric, or carries other metadata that a computed value must not claim.
    pub(crate) fn has_metadata(&self) -> bool {
        self.0.iter().any(|(n, _)| METADATA.contains(&&**n))
    }

    /// The set without metric name, type and unit.
    pub fn without_metadata(&self) -> Self {
        if !self.has_metadata() {
            return self.clone();
        }
        self.filter(|name| !METADATA.contains(&name))
    }

    /// Only the labels whose name passes.
    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(n, _)| keep(n)).cloned().collect())
    }

    /// The set with one label set, replaced, or (given an empty value) removed.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut all: Vec<Label> = self.0.iter().filter(|(n, _)| &**n != name).cloned().collect();
        if !value.is_empty() {
            let at = all.partition_point(|(n, _)| **n < *name);
            all.insert(at, (name.into(), value.into()));
        }
        Self(all.into())
    }

    /// The form people read: `name{a="b"}`, `{a="b"}` or `name`.
    pub fn pretty(&self) -> String {
        let name = self.metric_name().filter(|name| format::is_legacy_metric_name(name));
        let rest = if name.is_some() { self.filter(|n| n != METRIC_NAME) } else { self.clone() };
        match (name, rest.is_empty()) {
            (Some(name), true) => name.to_owned(),
            (Some(name), false) => format!("{name}{rest}"),
            (None, _) => rest.to_string(),
        }
    }
}

impl fmt::Display for Labels {
    /// `{a="b", c="d"}`, as `labels.Labels.String` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            if format::is_legacy_label_name(name) {
                f.write_str(name)?;
            } else {
                f.write_str(&format::quote(name))?;
            }
            write!(f, "={}", format::quote(value))?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_the_last_duplicate_wins() {
        let labels = Labels::new([("b", "1"), ("a", "2"), ("b", "3"), ("c", "")]);
        assert_eq!(labels.to_string(), r#"{a="2", b="3"}"#);
    }

    #[test]
    fn setting_an_empty_value_removes_the_label() {
        let labels = Labels::metric("up", [("job", "a")]);
        assert_eq!(labels.with("job", "").pretty(), "up");
        assert_eq!(labels.with("env", "x").pretty(), r#"up{env="x", job="a"}"#);
    }

    #[test]
    fn names_outside_the_old_alphabet_are_quoted() {
        assert_eq!(Labels::metric("a.b", [("c d", "e")]).pretty(), r#"{__name__="a.b", "c d"="e"}"#);
    }

    #[test]
    fn metadata_is_name_type_and_unit() {
        let labels = Labels::new([("__name__", "x"), ("__type__", "counter"), ("__unit__", "s"), ("a", "b")]);
        assert_eq!(labels.without_metadata().to_string(), r#"{a="b"}"#);
    }
}

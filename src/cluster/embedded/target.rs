//! What a path means.

use crate::twin::store::{Kind, Part};

/// A resource in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Its kind.
    pub(super) kind: Kind,
    /// The namespace in the path; `None` means all of them, or a kind that has none.
    pub(super) namespace: Option<String>,
    /// The name in the path; `None` means the collection.
    pub(super) name: Option<String>,
    /// What of it is meant.
    pub(super) sub: Sub,
}

/// What of a resource is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sub {
    /// The object or one of its subresources that the store knows.
    Part(Part),
    /// `pods/{name}/eviction`.
    Eviction,
    /// `services/{name}/proxy`.
    Proxy,
    /// `pods/{name}/log` and others that lead into a container.
    Inside,
}

/// The segments of a path, percent-decoded. `None` when that fails.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
}

/// The resource behind `[group, version]` and the rest of the path.
pub(super) fn resource(group: &str, version: &str, rest: &[String]) -> Option<Target> {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let in_namespace = match *rest.as_slice() {
        [] | ["namespaces", _, "status" | "finalize"] => None,
        ["namespaces", namespace, _, ..] => Some(namespace),
        _ => None,
    };
    let rest = if in_namespace.is_some() { &rest[2..] } else { &rest[..] };
    let (plural, rest) = rest.split_first()?;
    let kind = Kind::ALL.iter().copied().find(|kind| {
        let info = kind.info();
        info.group == group && info.is_served_as(version) && info.plural == *plural
    })?;
    let (name, sub) = match *rest {
        [] => (None, None),
        [name] => (Some(name), None),
        [name, sub, ..] => (Some(name), Some((sub, rest.len()))),
    };
    // A namespaced object has no address without its namespace, and a cluster-wide one none with.
    let namespaced = kind.info().namespaced;
    if in_namespace.is_some() != namespaced && (name.is_some() || !namespaced) {
        return None;
    }
    let sub = match sub {
        None => Sub::Part(Part::Main),
        Some(("status", 2)) if kind.info().status_subresource => Sub::Part(Part::Status),
        Some(("scale", 2)) if kind.info().scale_subresource => Sub::Part(Part::Scale),
        Some(("eviction", 2)) if kind == Kind::Pod => Sub::Eviction,
        Some(("log" | "exec" | "attach" | "portforward", _)) if kind == Kind::Pod => Sub::Inside,
        Some(("proxy", _)) if kind == Kind::Service => Sub::Proxy,
        Some(_) => return None,
    };
    Some(Target { kind, namespace: in_namespace.map(str::to_owned), name: name.map(str::to_owned), sub })
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok())?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        group: &str,
        version: &str,
        path: &str,
        expected: Option<(Kind, Option<&str>, Option<&str>, Sub)>,
    ) {
        let target = resource(group, version, &segments(path).expect("decodes"));
        let shown =
            target.as_ref().map(|t| (t.kind, t.namespace.as_deref(), t.name.as_deref(), t.sub.clone()));
        assert_eq!(shown, expected, "{path}");
    }

    #[test]
    fn collections_and_objects_have_addresses() {
        let main = || Sub::Part(Part::Main);
        check("", "v1", "pods", Some((Kind::Pod, None, None, main())));
        check("", "v1", "namespaces/a/pods", Some((Kind::Pod, Some("a"), None, main())));
        check("", "v1", "namespaces/a/pods/x%2dy", Some((Kind::Pod, Some("a"), Some("x-y"), main())));
        check("", "v1", "namespaces", Some((Kind::Namespace, None, None, main())));
        check("", "v1", "namespaces/a", Some((Kind::Namespace, None, Some("a"), main())));
        check(
            "",
            "v1",
            "namespaces/a/status",
            Some((Kind::Namespace, None, Some("a"), Sub::Part(Part::Status))),
        );
    }

    #[test]
    fn subresources_belong_to_kinds() {
        let rollouts = "namespaces/a/rollouts/r";
        let sub = |part| Some((Kind::Rollout, Some("a"), Some("r"), Sub::Part(part)));
        check("argoproj.io", "v1alpha1", &format!("{rollouts}/status"), sub(Part::Status));
        check("argoproj.io", "v1alpha1", &format!("{rollouts}/scale"), sub(Part::Scale));
        check("argoproj.io", "v1alpha1", "namespaces/a/analysisruns/r/status", None);
        check(
            "",
            "v1",
            "namespaces/a/pods/p/eviction",
            Some((Kind::Pod, Some("a"), Some("p"), Sub::Eviction)),
        );
        check(
            "",
            "v1",
            "namespaces/a/services/s:80/proxy/x/y",
            Some((Kind::Service, Some("a"), Some("s:80"), Sub::Proxy)),
        );
    }

    #[test]
    fn what_nobody_serves_has_no_address() {
        for path in
            ["", "pods/x", "nodes/a/b", "namespaces/a/nodes", "colors", "namespaces/a/pods/p/status/x"]
        {
            check("", "v1", path, None);
        }
        check("apps", "v1beta1", "namespaces/a/deployments", None);
        assert_eq!(segments("/a/%zz"), None);
        assert_eq!(segments("/a/%ff"), None);
    }
}

//! Who is harmed: a request as the fault sees it, and the part of all requests that a fault is meant for.

use serde::{Deserialize, Serialize};

/// The requests that a fault touches; all others are answered as by a healthy server.
///
/// Example: `cohort: {header: {name: x-user, value: beta}}`, `cohort: {path: /checkout}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cohort {
    /// Requests that carry a header. Example: `header: {name: x-user, value: beta}`.
    Header(HeaderMatch),
    /// Requests for this path and what lies below it: `/checkout` is also `/checkout/pay`, and not `/checkouts`. Example: `path: /checkout`.
    Path(String),
}

/// A header to look for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HeaderMatch {
    /// The header's name, in any case. Example: `name: x-user`.
    pub name: String,
    /// The exact value; without it, any value will do. Example: `value: beta`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A request, as far as a fault cares.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The path, without query.
    pub path: &'a str,
    /// The headers, asked only when a cohort needs them.
    pub headers: &'a dyn Headers,
}

/// Headers that can be asked; a server and a simulation keep theirs differently.
pub trait Headers {
    /// Is there a header of this name, with this value if one is given? Names compare without case, values exactly.
    fn has(&self, name: &str, value: Option<&str>) -> bool;
}

impl Headers for () {
    fn has(&self, _: &str, _: Option<&str>) -> bool {
        false
    }
}

impl Headers for Vec<(String, String)> {
    fn has(&self, name: &str, value: Option<&str>) -> bool {
        self.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && value.is_none_or(|value| value == v))
    }
}

impl Request<'static> {
    /// A request for this path without headers.
    #[must_use]
    pub const fn to(path: &'static str) -> Self {
        Self { path, headers: &() }
    }
}

impl Cohort {
    /// Does the request belong to the cohort?
    #[must_use]
    pub fn contains(&self, request: &Request<'_>) -> bool {
        match self {
            Self::Header(header) => request.headers.has(&header.name, header.value.as_deref()),
            Self::Path(prefix) => below(request.path, prefix),
        }
    }
}

fn below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_path(prefix: &str, path: &'static str) -> bool {
        Cohort::Path(prefix.to_owned()).contains(&Request::to(path))
    }

    fn by_header(value: Option<&str>) -> bool {
        let headers = vec![("X-User".to_owned(), "beta".to_owned())];
        let header = HeaderMatch { name: "x-user".to_owned(), value: value.map(str::to_owned) };
        Cohort::Header(header).contains(&Request { path: "/", headers: &headers })
    }

    #[test]
    fn a_path_covers_itself_and_what_lies_below() {
        assert!(by_path("/checkout", "/checkout"));
        assert!(by_path("/checkout", "/checkout/pay"));
        assert!(by_path("/checkout/", "/checkout"));
        assert!(by_path("/", "/anything"));
    }

    #[test]
    fn a_path_does_not_cover_its_namesakes() {
        assert!(!by_path("/checkout", "/checkouts"));
        assert!(!by_path("/checkout", "/cart/checkout"));
    }

    #[test]
    fn a_header_matches_by_name_without_case_and_by_exact_value() {
        assert!(by_header(Some("beta")));
        assert!(by_header(None));
        assert!(!by_header(Some("BETA")));
    }
}

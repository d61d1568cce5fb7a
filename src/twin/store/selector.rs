//! Label and field selectors, as query strings and as objects write them.
//!
//! Labels as in k8s.io/apimachinery v0.34 `pkg/labels`: `=`, `==`, `!=`, `in`, `notin`, `key`, `!key`, and the numeric
//! `<` and `>`. Fields: `=`, `==` and `!=` on the paths that API servers index for the served kinds; another path is
//! refused, as there.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::error::ApiError;
use super::kind::Kind;
use super::object::{labels_of, text_at};

/// One condition on labels.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Less(String, i64),
    Greater(String, i64),
}

/// A label selector: every requirement must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector(Vec<Requirement>);

impl LabelSelector {
    /// Reads `app=a,tier in (x,y),!canary`.
    ///
    /// # Errors
    /// 400 when it is not a selector.
    pub fn parse(text: &str) -> Result<LabelSelector, ApiError> {
        let parts = split_outside_parentheses(text);
        let requirements = parts.iter().map(|part| requirement(part)).collect::<Option<Vec<_>>>();
        requirements.map(LabelSelector).ok_or_else(|| {
            ApiError::bad_request(format!("unable to parse requirement: invalid label selector {text:?}"))
        })
    }

    /// Reads `matchLabels` and `matchExpressions`. `None` when an operator is unknown.
    #[must_use]
    pub fn of_object(selector: &Value) -> Option<LabelSelector> {
        let pairs = selector["matchLabels"].as_object().into_iter().flatten();
        let mut requirements: Vec<Requirement> = pairs
            .map(|(key, value)| {
                Requirement::In(key.clone(), vec![value.as_str().unwrap_or_default().to_owned()])
            })
            .collect();
        for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
            requirements.push(expression_of(expression)?);
        }
        Some(LabelSelector(requirements))
    }

    /// Whether the labels satisfy it.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<&str, &str>) -> bool {
        let number = |key: &str| labels.get(key).and_then(|value| value.parse::<i64>().ok());
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => {
                labels.get(key.as_str()).is_some_and(|value| values.iter().any(|wanted| wanted == value))
            }
            Requirement::NotIn(key, values) => {
                labels.get(key.as_str()).is_none_or(|value| values.iter().all(|unwanted| unwanted != value))
            }
            Requirement::Exists(key) => labels.contains_key(key.as_str()),
            Requirement::Absent(key) => !labels.contains_key(key.as_str()),
            Requirement::Less(key, limit) => number(key).is_some_and(|value| value < *limit),
            Requirement::Greater(key, limit) => number(key).is_some_and(|value| value > *limit),
        })
    }
}

/// As a query string.
impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match requirement {
                Requirement::In(key, values) if values.len() == 1 => write!(f, "{comma}{key}={}", values[0])?,
                Requirement::In(key, values) => write!(f, "{comma}{key} in ({})", values.join(","))?,
                Requirement::NotIn(key, values) if values.len() == 1 => {
                    write!(f, "{comma}{key}!={}", values[0])?
                }
                Requirement::NotIn(key, values) => write!(f, "{comma}{key} notin ({})", values.join(","))?,
                Requirement::Exists(key) => write!(f, "{comma}{key}")?,
                Requirement::Absent(key) => write!(f, "{comma}!{key}")?,
                Requirement::Less(key, limit) => write!(f, "{comma}{key}<{limit}")?,
                Requirement::Greater(key, limit) => write!(f, "{comma}{key}>{limit}")?,
            }
        }
        Ok(())
    }
}

fn expression_of(expression: &Value) -> Option<Requirement> {
    let key = text_at(expression, "/key").to_owned();
    let values = expression["values"].as_array().into_iter().flatten();
    let values = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
    match text_at(expression, "/operator") {
        "In" => Some(Requirement::In(key, values)),
        "NotIn" => Some(Requirement::NotIn(key, values)),
        "Exists" => Some(Requirement::Exists(key)),
        "DoesNotExist" => Some(Requirement::Absent(key)),
        _ => None,
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    let parts: Vec<&str> = parts.map(str::trim).collect();
    if parts == [""] { vec![] } else { parts }
}

fn requirement(part: &str) -> Option<Requirement> {
    if let Some(key) = part.strip_prefix('!') {
        return Some(Requirement::Absent(label_key(key)?));
    }
    if let Some(set) = part.strip_suffix(')') {
        let (head, values) = set.split_once('(')?;
        let values = values.split(',').map(label_value).collect::<Option<Vec<_>>>()?;
        let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
        return match operator {
            "in" => Some(Requirement::In(label_key(key)?, values)),
            "notin" => Some(Requirement::NotIn(label_key(key)?, values)),
            _ => None,
        };
    }
    for (operator, negative) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(operator) {
            let (key, values) = (label_key(key)?, vec![label_value(value)?]);
            return Some(if negative {
                Requirement::NotIn(key, values)
            } else {
                Requirement::In(key, values)
            });
        }
    }
    if let Some((key, limit)) = part.split_once('<') {
        return Some(Requirement::Less(label_key(key)?, limit.trim().parse().ok()?));
    }
    if let Some((key, limit)) = part.split_once('>') {
        return Some(Requirement::Greater(label_key(key)?, limit.trim().parse().ok()?));
    }
    label_key(part).map(Requirement::Exists)
}

fn label_key(text: &str) -> Option<String> {
    let text = text.trim();
    is_qualified_name(text).then(|| text.to_owned())
}

fn label_value(text: &str) -> Option<String> {
    let text = text.trim();
    is_label_value(text).then(|| text.to_owned())
}

/// `name` or `prefix/name`, as labels and annotations are called.
#[must_use]
pub(super) fn is_qualified_name(text: &str) -> bool {
    let (prefix, name) = text.rsplit_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let prefixed = prefix.is_none_or(|prefix| {
        !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    });
    prefixed && !name.is_empty() && is_label_value(name)
}

/// At most 63 of `[A-Za-z0-9_.-]`, an alphanumeric at both ends, or nothing.
#[must_use]
pub(super) fn is_label_value(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let end = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    text.len() <= 63 && text.bytes().all(inside) && end(text.bytes().next()) && end(text.bytes().last())
}

/// A field selector: every term must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    /// Reads `metadata.name=a,status.phase!=Running`.
    ///
    /// # Errors
    /// 400 when it is not a selector, or selects by a field that the kind is not indexed by.
    pub fn parse(kind: Kind, text: &str) -> Result<FieldSelector, ApiError> {
        let mut terms = vec![];
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let term = [("!=", false), ("==", true), ("=", true)]
                .iter()
                .find_map(|(operator, equal)| Some((part.split_once(operator)?, *equal)));
            let ((field, value), equal) = term.ok_or_else(|| {
                ApiError::bad_request(format!("invalid field selector: {part:?}; can't understand it"))
            })?;
            if !is_indexed(kind, field) {
                return Err(ApiError::bad_request(format!("field label not supported: {field}")));
            }
            terms.push((field.to_owned(), equal, value.to_owned()));
        }
        Ok(FieldSelector(terms))
    }

    /// Whether the object satisfies it.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, equal, value)| (text_of(object, field) == *value) == *equal)
    }

    /// The one name it asks for, if it does.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|(field, equal, _)| field == "metadata.name" && *equal)
            .map(|(_, _, name)| name.as_str())
    }
}

/// The field labels of k8s.io/kubernetes v1.34 `pkg/apis/*/v1/conversion.go`.
fn is_indexed(kind: Kind, field: &str) -> bool {
    let more: &[&str] = match kind {
        Kind::Pod => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        Kind::Event => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        Kind::Namespace => &["status.phase"],
        Kind::Secret => &["type"],
        Kind::Service => &["spec.clusterIP", "spec.type"],
        Kind::Node => &["spec.unschedulable"],
        Kind::ReplicaSet => &["status.replicas"],
        Kind::Job => &["status.successful"],
        _ => &[],
    };
    ["metadata.name", "metadata.namespace"].contains(&field) || more.contains(&field)
}

fn text_of(object: &Value, field: &str) -> String {
    let field = if field == "source" { "source.component" } else { field };
    let value = field.split('.').try_fold(object, |value, key| value.get(key));
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// What a list, a watch or a deletion of many looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// By labels.
    pub labels: LabelSelector,
    /// By fields.
    pub fields: FieldSelector,
}

impl Selection {
    /// Whether the object is selected.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.labels.matches(&labels_of(object)) && self.fields.matches(object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(selector: &str, expected: bool) {
        let labels = BTreeMap::from([("app", "a"), ("tier", "web"), ("n", "5"), ("argoproj.io/x", "")]);
        assert_eq!(LabelSelector::parse(selector).expect(selector).matches(&labels), expected, "{selector}");
    }

    #[test]
    fn labels_are_selected_by_every_operator() {
        for yes in [
            "",
            "app=a",
            "app==a",
            "app = a",
            "app!=b",
            "other!=b",
            "app in (a,b)",
            "app notin (b, c)",
            "x notin (a)",
            "tier",
            "!x",
            "app=a,tier=web",
            "app in (a, b),!x,tier",
            "n>4",
            "n<6",
            "argoproj.io/x=",
            "argoproj.io/x",
        ] {
            check(yes, true);
        }
        for no in
            ["app=b", "app!=a", "x", "!app", "app in (b)", "app notin (a)", "app=a,tier=db", "n>5", "app<3"]
        {
            check(no, false);
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for bad in
            ["=a", "app=a b", "app in a", "app of (a)", ",", "a,,b", "a b", "x/=1", "n>x", "app in (a", "-a"]
        {
            assert_eq!(LabelSelector::parse(bad).expect_err(bad).code, 400, "{bad}");
        }
    }

    #[test]
    fn objects_write_selectors_too() {
        let selector = json!({"matchLabels": {"app": "a"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["web"]}, {"key": "x", "operator": "DoesNotExist"}]});
        let selector = LabelSelector::of_object(&selector).expect("known operators");
        assert!(selector.matches(&BTreeMap::from([("app", "a"), ("tier", "web")])));
        assert!(!selector.matches(&BTreeMap::from([("app", "a"), ("tier", "web"), ("x", "")])));
        assert_eq!(
            LabelSelector::of_object(&json!({"matchExpressions": [{"key": "a", "operator": "Is"}]})),
            None
        );
    }

    #[test]
    fn fields_are_selected_where_the_kind_is_indexed() {
        let pod = json!({"metadata": {"name": "a"}, "status": {"phase": "Running"}});
        let matches =
            |text: &str| FieldSelector::parse(Kind::Pod, text).map(|selector| selector.matches(&pod));
        assert_eq!(matches("metadata.name=a,status.phase==Running"), Ok(true));
        assert_eq!(matches("status.phase!=Running"), Ok(false));
        assert_eq!(matches("spec.nodeName="), Ok(true));
        assert_eq!(matches("spec.color=red").expect_err("not indexed").code, 400);
        assert_eq!(matches("metadata.name").expect_err("no operator").code, 400);
    }
}

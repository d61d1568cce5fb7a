//! Kubernetes label selectors in their text form: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
//!
//! Upstream: `labels.Parse` of apimachinery. The comparisons `>` and `<` are refused by name.

use std::collections::BTreeMap;

/// A parsed selector; the empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// A sentence naming the requirement that is none.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let parts = split(text).into_iter().map(str::trim).filter(|part| !part.is_empty());
        parts.map(requirement).collect::<Result<_, _>>().map(Selector)
    }

    /// Whether an object with these labels is meant.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<&str, &str>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => {
                labels.get(key.as_str()).is_some_and(|label| values.iter().any(|value| value == label))
            }
            Requirement::NotIn(key, values) => {
                labels.get(key.as_str()).is_none_or(|label| values.iter().all(|value| value != label))
            }
            Requirement::Exists(key) => labels.contains_key(key.as_str()),
            Requirement::Absent(key) => !labels.contains_key(key.as_str()),
        })
    }
}

/// At commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .collect()
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let refused = || format!("unable to parse requirement: {text:?}");
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement::Absent(name(key).ok_or_else(refused)?));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Requirement::NotIn(name(key).ok_or_else(refused)?, one(value)));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Requirement::In(name(key).ok_or_else(refused)?, one(value)));
    }
    let Some((key, rest)) = text.split_once(char::is_whitespace) else {
        return name(text).map(Requirement::Exists).ok_or_else(refused);
    };
    let key = name(key).ok_or_else(refused)?;
    let rest = rest.trim();
    let (negative, list) = match (rest.strip_prefix("notin"), rest.strip_prefix("in")) {
        (Some(list), _) => (true, list),
        (None, Some(list)) => (false, list),
        (None, None) => return Err(refused()),
    };
    let list = list.trim().strip_prefix('(').and_then(|list| list.strip_suffix(')')).ok_or_else(refused)?;
    let values = list.split(',').map(|value| value.trim().to_owned()).collect();
    Ok(if negative { Requirement::NotIn(key, values) } else { Requirement::In(key, values) })
}

fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selector: &str, expect: bool) {
        let labels = BTreeMap::from([("app", "web"), ("tier", "front")]);
        assert_eq!(Selector::parse(selector).unwrap().matches(&labels), expect, "{selector}");
    }

    #[test]
    fn every_form_of_requirement() {
        check("", true);
        check("app=web,tier==front", true);
        check("app=api", false);
        check("app!=api, other!=x", true);
        check("app in (web, api),tier notin (back)", true);
        check("tier in (back,mid)", false);
        check("app,!canary", true);
        check("!app", false);
    }

    #[test]
    fn what_is_no_requirement_is_refused() {
        for text in ["a in", "a in b", "a b", "a>1", "!", "=x"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = Selector::parse(&text);
        }
    }
}

//! Label matchers: `name="value"` and its three relatives. Patterns are compiled once, when the query is parsed,
//! and are anchored at both ends. The pattern language is RE2's but for `\C`, which is rejected.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::format;
use super::glob::Glob;
use super::labels::{Labels, METRIC_NAME};
use super::re2;

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// One condition on one label.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The label looked at.
    pub name: Arc<str>,
    /// How it is compared.
    pub op: MatchOp,
    /// The text or pattern it is compared with.
    pub value: Arc<str>,
    pattern: Pattern,
}

/// The pattern of a regular-expression matcher, in the cheapest form that decides it.
#[derive(Debug, Clone)]
enum Pattern {
    None,
    /// Alternatives that need no engine: compiling one takes forty times as long as parsing the query around it.
    OneOf(Arc<[Glob]>),
    Compiled(Regex),
}

impl Matcher {
    /// Builds a matcher; fails with the pattern's error when `value` is not a valid pattern.
    pub fn new(name: impl Into<Arc<str>>, op: MatchOp, value: impl Into<Arc<str>>) -> Result<Self, String> {
        let value = value.into();
        let pattern = match op {
            MatchOp::Equal | MatchOp::NotEqual => Pattern::None,
            MatchOp::Regex | MatchOp::NotRegex => Pattern::new(&value)?,
        };
        Ok(Self { name: name.into(), op, value, pattern })
    }

    pub(crate) fn metric_name(value: impl Into<Arc<str>>) -> Self {
        Self { name: METRIC_NAME.into(), op: MatchOp::Equal, value: value.into(), pattern: Pattern::None }
    }

    /// Whether a label value passes. An absent label counts as the empty string.
    pub fn matches(&self, value: &str) -> bool {
        match self.op {
            MatchOp::Equal => *self.value == *value,
            MatchOp::NotEqual => *self.value != *value,
            MatchOp::Regex => self.pattern.matches(value),
            MatchOp::NotRegex => !self.pattern.matches(value),
        }
    }

    /// Whether a label set passes.
    pub fn matches_labels(&self, labels: &Labels) -> bool {
        self.matches(labels.value(&self.name))
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.op == other.op && self.value == other.value
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}{}", self.name, format::quote(&self.value))
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        match text.split('|').map(Glob::new).collect() {
            Some(globs) => Ok(Self::OneOf(globs)),
            None => anchored(text).map(Self::Compiled),
        }
    }

    fn matches(&self, value: &str) -> bool {
        match self {
            Self::None => false,
            Self::OneOf(globs) => globs.iter().any(|glob| glob.matches(value)),
            Self::Compiled(regex) => regex.is_match(value),
        }
    }
}

/// Compiles a pattern the way Prometheus does: anchored, `.` also matching newlines.
pub(crate) fn anchored(text: &str) -> Result<Regex, String> {
    Regex::new(&format!("^(?s:{})$", re2::translate(text)))
        .map_err(|_| format!("invalid regular expression: {}", format::quote(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(op: MatchOp, pattern: &str, value: &str) -> bool {
        Matcher::new("a", op, pattern).expect("valid pattern").matches(value)
    }

    #[test]
    fn patterns_are_anchored_at_both_ends() {
        assert!(check(MatchOp::Regex, "5..", "503") && !check(MatchOp::Regex, "5..", "1503"));
        assert!(check(MatchOp::Regex, "a|b.", "bc") && !check(MatchOp::Regex, "a|b.", "ax"));
    }

    #[test]
    fn plain_alternatives_need_no_engine() {
        assert!(check(MatchOp::Regex, "GET|POST", "POST") && check(MatchOp::NotRegex, "GET|POST", "PUT"));
        assert!(check(MatchOp::Regex, "a|", "") && check(MatchOp::Regex, "", ""));
    }

    #[test]
    fn braces_without_a_number_are_text() {
        assert!(check(MatchOp::Regex, "/api/{id}/.*", "/api/{id}/x"));
    }

    #[test]
    fn a_dot_also_matches_a_newline() {
        assert!(check(MatchOp::Regex, "a.b", "a\nb"));
    }

    #[test]
    fn a_broken_pattern_is_an_error() {
        assert!(Matcher::new("a", MatchOp::Regex, "a(").is_err());
    }
}

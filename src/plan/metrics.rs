//! Which metrics the policy's analyses ask for, and whom.

use super::objects::{Manifest, list, text};

/// The metrics of every AnalysisTemplate that asks Prometheus: address and query.
fn queries(manifests: &[Manifest]) -> impl Iterator<Item = (&str, &str)> {
    let templates =
        manifests.iter().filter(|m| m.is_argo("AnalysisTemplate") || m.is_argo("ClusterAnalysisTemplate"));
    let metrics = templates.flat_map(|template| list(&template.object, "/spec/metrics"));
    let asked = metrics.filter_map(|metric| metric.pointer("/provider/prometheus"));
    asked.map(|prometheus| (text(prometheus, "/address"), text(prometheus, "/query")))
}

/// The names all queries mention, each once, in the order they are met.
pub(super) fn asked(manifests: &[Manifest]) -> Vec<String> {
    unique(queries(manifests).flat_map(|(_, query)| metric_names(query)))
}

/// The addresses all queries are sent to, each once.
pub(super) fn addresses(manifests: &[Manifest]) -> Vec<String> {
    unique(queries(manifests).map(|(address, _)| address.to_owned()).filter(|address| !address.is_empty()))
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// The metric names in a PromQL query, with Argo's `{{args.x}}` in it.
///
/// A scan by words, not a parse: a name is a word outside of braces, brackets and text that is neither called, nor a keyword, nor a
/// label in the list after `by`, `without`, `on`, `ignoring` or `group_left`.
#[must_use]
pub fn metric_names(query: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = query;
    let mut labels_follow = false;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_alphabetic() || matches!(c, '_' | ':') {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':')))
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            labels_follow = LABEL_LISTS.contains(&word);
            let called = after.trim_start().starts_with('(');
            // `sum by (x) (…)`: an aggregation stands before its label list.
            let aggregates = after
                .split_whitespace()
                .next()
                .is_some_and(|next| ["by", "without"].contains(&next.split('(').next().unwrap_or_default()));
            if !called && !aggregates && !KEYWORDS.contains(&word) && !labels_follow {
                names.push(word.to_owned());
            }
            rest = after;
            continue;
        }
        rest = match c {
            '{' => skip(rest, '}'),
            '[' => skip(rest, ']'),
            '"' | '\'' | '`' => &rest[text_end(rest)..],
            '#' => rest.split_once('\n').map_or("", |(_, after)| after),
            '(' if labels_follow => skip(rest, ')'),
            // A number may end in letters (`1e3`, `5m`, `0x1F`), which are no names.
            _ if c.is_ascii_digit() => {
                rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.')
            }
            _ => &rest[c.len_utf8()..],
        };
        labels_follow &= c.is_whitespace();
    }
    unique(names.into_iter())
}

const LABEL_LISTS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];
const KEYWORDS: &[&str] =
    &["and", "or", "unless", "atan2", "bool", "offset", "start", "end", "Inf", "inf", "NaN", "nan"];

/// The text after a bracket is closed; quoted text in it may hold brackets.
fn skip(text: &str, close: char) -> &str {
    let mut rest = &text[1..];
    let mut depth = 1;
    let open = text.chars().next();
    while let Some(c) = rest.chars().next() {
        if matches!(c, '"' | '\'' | '`') {
            rest = &rest[text_end(rest)..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        depth += i32::from(Some(c) == open) - i32::from(c == close);
        if depth == 0 {
            break;
        }
    }
    rest
}

/// Where the text that begins here ends, its closing quote included.
fn text_end(text: &str) -> usize {
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, quote)| quote);
    while let Some((at, c)) = chars.next() {
        if Some(c) == quote {
            return at + 1;
        }
        if c == '\\' && quote != Some('`') {
            chars.next();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expect: &[&str]) {
        assert_eq!(metric_names(query), expect, "{query}");
    }

    #[test]
    fn names_are_what_is_not_called() {
        check(
            "sum(rate(http_requests_total{code=~\"5..\"}[1m])) / sum(rate(http_requests_total[1m]))",
            &["http_requests_total"],
        );
        check("histogram_quantile(0.95, sum by (le) (rate(h_bucket{a=\"}\"}[5m])))", &["h_bucket"]);
        check("sum without(pod) (up) or vector(0)", &["up"]);
        check("a / on(x) group_left(y) b offset 5m", &["a", "b"]);
    }

    #[test]
    fn arguments_of_argo_and_comments_are_passed_over() {
        check("sum(rate(x_total{service=\"{{args.service}}\"}[{{args.window}}]))  # y_total", &["x_total"]);
    }

    #[test]
    fn numbers_are_no_names() {
        check("up > 1e3 and down == 0x1F", &["up", "down"]);
        check("", &[]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}|[a-z_(){}\\[\\]\"'# 0-9]{0,80}") {
            let _ = metric_names(&text);
        }
    }
}

//! The notation of series: `metric{label="value"} 1 2 _ 0+10x3 stale`.

use crate::promql::{Labels, MatchOp, STALE, parse_selector};

/// A series and its values at consecutive steps; nothing where a value is left out. Values are `None` as a whole
/// when there are native histograms among them.
#[derive(Clone)]
pub(super) struct Sequence {
    pub(super) labels: Labels,
    pub(super) values: Option<Vec<Option<f64>>>,
}

pub(super) fn parse(line: &str) -> Result<Sequence, String> {
    let split = end_of_labels(line);
    let (metric, values) = line.split_at(split);
    let labels = labels(metric.trim()).map_err(|error| format!("{line}: {error}"))?;
    if values.contains("{{") {
        return Ok(Sequence { labels, values: None });
    }
    let items = values
        .split_whitespace()
        .map(|word| item(word).ok_or_else(|| format!("{line}: not a value: {word:?}")));
    let values = items.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    Ok(Sequence { labels, values: Some(values) })
}

/// Where the labels end: behind the closing brace, or at the first blank when there are no braces.
fn end_of_labels(line: &str) -> usize {
    let mut quote = None;
    let mut depth = 0;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(q), c) => {
                if c == q && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && !escaped;
            }
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => return at + 1,
            (None, c) if c.is_whitespace() && depth == 0 && !opens_labels(&line[at..]) => {
                return at;
            }
            _ => {}
        }
    }
    line.len()
}

/// A single brace opens labels, a double one a histogram.
fn opens_labels(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.starts_with('{') && !rest.starts_with("{{")
}

fn labels(text: &str) -> Result<Labels, String> {
    if text == "{}" {
        return Ok(Labels::default());
    }
    let matchers = parse_selector(text).map_err(|e| e.to_string())?;
    match matchers.iter().find(|m| m.op != MatchOp::Equal) {
        Some(other) => Err(format!("not a label: {other}")),
        None => Ok(Labels::new(matchers.into_iter().map(|m| (m.name, m.value)))),
    }
}

/// One item of the notation, expanded.
fn item(word: &str) -> Option<Vec<Option<f64>>> {
    if let Some(times) = word.strip_prefix('_') {
        let n = if times.is_empty() { 1 } else { times.strip_prefix('x')?.parse().ok()? };
        return Some(vec![None; n]);
    }
    if let Some(times) = word.strip_prefix("stale") {
        return Some(vec![Some(STALE); repeats(times)?]);
    }
    let (first, rest) = leading_number(word)?;
    let (growth, times) = if rest.starts_with(['+', '-']) { leading_number(rest)? } else { (0.0, rest) };
    let count = if rest.is_empty() { 1 } else { repeats(times)? };
    // Repeated addition, not multiplication: that is how the expected values were made.
    let values = std::iter::successors(Some(first), |v| Some(v + growth));
    Some(values.take(count).map(Some).collect())
}

/// `x3` stands for the value itself and three more.
fn repeats(times: &str) -> Option<usize> {
    if times.is_empty() { Some(1) } else { Some(times.strip_prefix('x')?.parse::<usize>().ok()? + 1) }
}

/// A whole word as a number.
pub(super) fn number(word: &str) -> Option<f64> {
    let (v, rest) = leading_number(word)?;
    rest.is_empty().then_some(v)
}

fn leading_number(word: &str) -> Option<(f64, &str)> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let sign = word.len() - unsigned.len();
    let lower = unsigned.to_ascii_lowercase();
    let len = if lower.starts_with("inf") || lower.starts_with("nan") {
        3
    } else {
        decimal_len(unsigned.as_bytes())
    };
    let (text, rest) = word.split_at(sign + len);
    Some((text.parse().ok()?, rest))
}

fn decimal_len(text: &[u8]) -> usize {
    let digits = |from: usize| text.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let mut len = digits(0);
    if text.get(len) == Some(&b'.') {
        len += 1 + digits(len + 1);
    }
    if matches!(text.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        len += 1 + sign + digits(len + 1 + sign);
    }
    len
}

#[test]
fn the_notation_expands() {
    let values = |line: &str| parse(line).expect("valid").values.expect("numbers");
    assert_eq!(values("a 0+10x3 _ 5"), [Some(0.0), Some(10.0), Some(20.0), Some(30.0), None, Some(5.0)]);
    assert_eq!(
        values("a 1x2 _x2 -1-1x1"),
        [Some(1.0), Some(1.0), Some(1.0), None, None, Some(-1.0), Some(-2.0)]
    );
    assert_eq!(values(r#"{a="} 1"} -Inf 1e2"#), [Some(f64::NEG_INFINITY), Some(100.0)]);
    assert!(parse("a {{count:1}}").expect("valid").values.is_none());
}

//! The notation of series: `metric{label="value"} 1 2 _ 0+10x3 stale`.

use crate::promql::{Labels, MatchOp, STALE, parse_duration_ms, parse_selector};

/// A series and its values at consecutive steps; nothing where a value is left out.
#[derive(Clone)]
pub(super) struct Sequence {
    pub(super) labels: Labels,
    pub(super) values: Vec<Option<Item>>,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Item {
    Number(f64),
    /// A native histogram, of which only the place is known.
    Native,
}

/// The start timestamps of a series, each relative to its sample.
pub(super) struct Starts {
    pub(super) labels: Labels,
    pub(super) offsets: Vec<Option<i64>>,
}

pub(super) fn parse(line: &str) -> Result<Sequence, String> {
    let split = end_of_labels(line);
    let (metric, values) = line.split_at(split);
    let labels = labels(metric.trim()).map_err(|error| format!("{line}: {error}"))?;
    let items = words(values).into_iter();
    let items = items.map(|word| item(word).ok_or_else(|| format!("{line}: not a value: {word:?}")));
    let values = items.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    Ok(Sequence { labels, values })
}

/// `metric{label="value"}@st -1m _ -1s+1sx3`, if the line is one of those.
pub(super) fn start_times(line: &str) -> Result<Option<Starts>, String> {
    let (metric, rest) = line.split_at(end_of_labels(line));
    let (metric, rest) = match (metric.strip_suffix("@st"), rest.strip_prefix("@st")) {
        (Some(metric), _) => (metric, rest),
        (_, Some(rest)) => (metric, rest),
        _ => return Ok(None),
    };
    let labels = labels(metric.trim()).map_err(|error| format!("{line}: {error}"))?;
    let items = rest.split_whitespace();
    let items = items.map(|word| offset(word).ok_or_else(|| format!("{line}: not a time: {word:?}")));
    let offsets = items.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    Ok(Some(Starts { labels, offsets }))
}

/// One time, expanded: `-1m`, `-1mx3`, `-1m-1sx3`, `_x2`.
fn offset(word: &str) -> Option<Vec<Option<i64>>> {
    if word.starts_with('_') {
        return Some(vec![None; item(word)?.len()]);
    }
    let (terms, count) = match word.split_once('x') {
        Some((terms, times)) => (terms, times.parse::<usize>().ok()? + 1),
        None => (word, 1),
    };
    let second =
        terms.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(terms.len(), |(at, _)| at);
    let (first, growth) = terms.split_at(second);
    let first = signed_duration(first)?;
    let growth = if growth.is_empty() { 0 } else { signed_duration(growth)? };
    Some((0..count as i64).map(|i| Some(first + growth * i)).collect())
}

fn signed_duration(text: &str) -> Option<i64> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let ms = parse_duration_ms(unsigned)?;
    Some(if text.starts_with('-') { -ms } else { ms })
}

/// Words between blanks; what stands between double braces is one word.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let mut end = 0;
        while let Some(c) = rest[end..].chars().next().filter(|c| !c.is_whitespace()) {
            let histogram = rest[end..].starts_with("{{");
            let close = rest[end..].find("}}").filter(|_| histogram);
            end += close.map_or(c.len_utf8(), |at| at + 2);
        }
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    words
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
fn item(word: &str) -> Option<Vec<Option<Item>>> {
    if let Some(times) = word.strip_prefix('_') {
        let n = if times.is_empty() { 1 } else { times.strip_prefix('x')?.parse().ok()? };
        return Some(vec![None; n]);
    }
    if let Some(times) = word.strip_prefix("stale") {
        return Some(vec![Some(Item::Number(STALE)); repeats(times)?]);
    }
    if word.starts_with("{{") {
        let times = &word[word.rfind("}}")? + 2..];
        return Some(vec![Some(Item::Native); repeats(times)?]);
    }
    let (first, rest) = leading_number(word)?;
    let (growth, times) = if rest.starts_with(['+', '-']) { leading_number(rest)? } else { (0.0, rest) };
    let count = if rest.is_empty() { 1 } else { repeats(times)? };
    // Repeated addition, not multiplication: that is how the expected values were made.
    let values = std::iter::successors(Some(first), |v| Some(v + growth));
    Some(values.take(count).map(|v| Some(Item::Number(v))).collect())
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
    let values = |line: &str| parse(line).expect("valid").values;
    let numbers = |all: &[f64]| all.iter().map(|v| Some(Item::Number(*v))).collect::<Vec<_>>();
    assert_eq!(values("a 0+10x3 5"), numbers(&[0.0, 10.0, 20.0, 30.0, 5.0]));
    assert_eq!(values("a 1x2 -1-1x1"), numbers(&[1.0, 1.0, 1.0, -1.0, -2.0]));
    assert_eq!(values("a _x2 _ 1"), [None, None, None, Some(Item::Number(1.0))]);
    assert_eq!(values(r#"{a="} 1"} -Inf 1e2"#), numbers(&[f64::NEG_INFINITY, 100.0]));
    assert_eq!(values("a {{count:1 sum:2}}x1 {{}}"), [Some(Item::Native); 3]);
}

#[test]
fn start_timestamps_are_relative() {
    let starts = |line| start_times(line).expect("valid").map(|s| s.offsets);
    assert_eq!(starts("a{b=\"c\"}@st _ -1m-1sx1"), Some(vec![None, Some(-60_000), Some(-61_000)]));
    assert_eq!(starts("a@st 1ms"), Some(vec![Some(1)]));
    assert_eq!(starts("a 1"), None);
}

//! The order of an instant vector: by value, or by labels in natural order (`pod-9` before `pod-10`).

use std::cmp::Ordering;

use super::super::ast::{Call, Expr};
use super::super::error::EvalError;
use super::super::eval::{Element, Evaluator};
use super::labels::text;

pub(super) fn call(ev: &Evaluator<'_>, call: &Call, expr: &Expr, t: i64) -> Result<Vec<Element>, EvalError> {
    if ev.is_range() {
        ev.remarks.borrow_mut().sort_in_range(&expr.span());
    }
    let mut elements = ev.vector(&call.args[0], t)?;
    let names = call.args[1..].iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let by_labels = |a: &Element, b: &Element| {
        let differing = names.iter().map(|name| natural(a.labels.value(name), b.labels.value(name)));
        let first = differing.into_iter().find(|order| order.is_ne());
        first.unwrap_or_else(|| a.labels.cmp(&b.labels))
    };
    match call.func.name {
        "sort" => elements.sort_by(|a, b| by_value(a.v, b.v)),
        // NaN stays last in both directions.
        "sort_desc" => elements.sort_by(|a, b| by_value(-a.v, -b.v)),
        "sort_by_label_desc" => elements.sort_by(|a, b| by_labels(b, a)),
        _ => elements.sort_by(by_labels),
    }
    Ok(elements)
}

fn by_value(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (a_nan, b_nan) => a_nan.cmp(&b_nan),
    }
}

/// Compares runs of digits as numbers and everything else as text.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (l, r) = (chunk(left), chunk(right));
        let numbers = l.starts_with(is_digit) && r.starts_with(is_digit);
        let order = if numbers { by_number(l, r) } else { l.cmp(r) };
        if order.is_ne() {
            return order;
        }
        (left, right) = (&left[l.len()..], &right[r.len()..]);
    }
    left.len().cmp(&right.len())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The digits, or the non-digits, at the start.
fn chunk(text: &str) -> &str {
    let digits = text.starts_with(is_digit);
    let end = text.find(|c| is_digit(c) != digits).unwrap_or(text.len());
    &text[..end]
}

fn by_number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut pods = ["pod-10", "pod-9", "pod", "pod-9a", "node-2", "pod-009b"];
        pods.sort_by(|a, b| natural(a, b));
        assert_eq!(pods, ["node-2", "pod", "pod-9", "pod-9a", "pod-009b", "pod-10"]);
    }
}

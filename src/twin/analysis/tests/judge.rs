//! As much of the condition language as the recordings of this room need; the language itself has its own room.

use crate::argo::Version;
use crate::clock::Moment;
use crate::twin::analysis::{Language, Measured};

pub(super) const LANGUAGE: Language = Language { condition, moment };

fn moment(text: &str, now: Moment, _: Version) -> Result<Moment, String> {
    if text == "now()" { Ok(now) } else { Err(format!("unknown name {text}")) }
}

fn condition(text: &str, result: &Measured, _: Moment, _: Version) -> Result<bool, String> {
    evaluate(text, result)
}

fn evaluate(text: &str, result: &Measured) -> Result<bool, String> {
    if let Some(inner) = text.strip_prefix("!(").and_then(|rest| rest.strip_suffix(')')) {
        return Ok(!evaluate(inner, result)?);
    }
    if let Some(inner) = text.strip_prefix("all(result, # ").and_then(|rest| rest.strip_suffix(')')) {
        let Measured::Vector(values) = result else { return Err("not a vector".into()) };
        return values.iter().try_fold(true, |all, value| Ok(all && compare(*value, inner)?));
    }
    match (text.strip_prefix("result"), result) {
        (Some("[0]"), _) => Err("expected bool, but got float64".into()),
        (Some(rest), Measured::Scalar(_)) if rest.starts_with('[') => {
            Err("type float64[int] is undefined".into())
        }
        (Some(rest), Measured::Scalar(value)) => compare(*value, rest.trim()),
        (Some(rest), Measured::Vector(values)) => match rest.strip_prefix('[') {
            None => Err("invalid operation: <= (mismatched types []float64 and float64)".into()),
            Some(rest) => {
                let (index, rest) = rest.split_once(']').ok_or("index")?;
                let index: usize = index.parse().map_err(|_| "index")?;
                let value = values.get(index).ok_or("reflect: slice index out of range")?;
                compare(*value, rest.trim())
            }
        },
        _ => Err(format!("this judge does not know {text}")),
    }
}

fn compare(value: f64, rest: &str) -> Result<bool, String> {
    let (operator, limit) = rest.split_once(' ').ok_or_else(|| format!("this judge does not know {rest}"))?;
    let limit: f64 = limit.parse().map_err(|_| format!("no number: {limit}"))?;
    match operator {
        "<=" => Ok(value <= limit),
        ">" => Ok(value > limit),
        _ => Err(format!("this judge does not know {operator}")),
    }
}

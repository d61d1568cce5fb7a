//! Whether an answer is the expected one.

use super::file::{Expect, When};
use super::series::{Item, Sequence};
use crate::promql::{Labels, Point, RangeSeries, Sample, Value, format_float};

/// Relative difference that passes, as upstream's runner has it.
const TOLERANCE: f64 = 0.000_001;

pub(super) fn value(expect: &Expect, when: When, value: &Value) -> Result<(), String> {
    match (value, when) {
        (Value::String { text, .. }, _) => match &expect.text {
            Some(want) if **want == **text => Ok(()),
            want => Err(format!("got the text {text:?}, not {want:?}")),
        },
        (Value::Scalar(point), _) => match expect.scalar {
            Some(want) if close(want, point.v) => Ok(()),
            want => Err(format!("got the number {}, not {want:?}", point.v)),
        },
        (Value::Vector(samples), _) => vector(expect, samples),
        (Value::Matrix(series), When::Range { start, step, .. }) => matrix(expect, series, start, step),
        (Value::Matrix(series), When::At(_)) => match expect.matrix {
            Some((start, step)) => matrix(expect, series, start, step),
            None => Err("got a range vector".to_owned()),
        },
    }
}

fn vector(expect: &Expect, samples: &[Sample]) -> Result<(), String> {
    if expect.scalar.is_some() || expect.text.is_some() {
        return Err("got a vector".to_owned());
    }
    let mut missing: Vec<(usize, &Sequence)> = expect.series.iter().enumerate().collect();
    for (place, sample) in samples.iter().enumerate() {
        let shown = format!("{} {}", sample.labels.pretty(), format_float(sample.v));
        let at = missing.iter().position(|(_, want)| want.labels == sample.labels);
        let (wanted_place, want) = missing.remove(at.ok_or_else(|| format!("unexpected {shown}"))?);
        if expect.ordered && wanted_place != place {
            return Err(format!("{shown} is at place {place}, not {wanted_place}"));
        }
        let want = want.values.first().copied().flatten().and_then(number);
        if !want.is_some_and(|want| close(want, sample.v)) {
            return Err(format!("{shown} should be {want:?}"));
        }
    }
    none_missing(missing.iter().map(|(_, want)| &want.labels))
}

fn matrix(expect: &Expect, series: &[RangeSeries], start: i64, step: i64) -> Result<(), String> {
    // A plain number in a range query is one unlabelled series.
    let mut missing: Vec<(&Labels, Vec<Point>)> = expect
        .series
        .iter()
        .map(|s| (&s.labels, points(s, start, step)))
        .filter(|(_, p)| !p.is_empty())
        .collect();
    for got in series {
        let at = missing.iter().position(|(labels, _)| **labels == got.labels);
        let (_, want) = missing.remove(at.ok_or_else(|| format!("unexpected {}", got.labels.pretty()))?);
        let same = |(want, got): (&Point, &Point)| want.t == got.t && close(want.v, got.v);
        if want.len() != got.points.len() || !want.iter().zip(&got.points).all(same) {
            return Err(format!("{}: got {}, not {}", got.labels.pretty(), show(&got.points), show(&want)));
        }
    }
    none_missing(missing.iter().map(|(labels, _)| *labels))
}

fn points(sequence: &Sequence, start: i64, step: i64) -> Vec<Point> {
    let values = sequence.values.iter().enumerate();
    let point = |(i, item): (usize, &Option<Item>)| {
        Some(Point { t: start + step * i as i64, v: item.and_then(number)? })
    };
    values.filter_map(point).collect()
}

fn number(item: Item) -> Option<f64> {
    match item {
        Item::Number(v) => Some(v),
        Item::Native => None,
    }
}

fn show(points: &[Point]) -> String {
    let texts: Vec<_> =
        points.iter().map(|p| format!("{}@{}", format_float(p.v), p.t as f64 / 1000.0)).collect();
    texts.join(" ")
}

fn none_missing<'l>(mut missing: impl Iterator<Item = &'l Labels>) -> Result<(), String> {
    missing.next().map_or(Ok(()), |labels| Err(format!("missing {}", labels.pretty())))
}

fn close(want: f64, got: f64) -> bool {
    if want == got || (want.is_nan() && got.is_nan()) {
        return true;
    }
    let (sum, difference) = (want.abs() + got.abs(), (want - got).abs());
    if want == 0.0 || got == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

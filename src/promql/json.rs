//! Answers in the form of Prometheus' HTTP query API: the `data` of a response, byte for byte as the server prints
//! timestamps and values. Status, warnings and the envelope belong to whoever serves it.

use std::fmt::Write;

use super::format::float_api;
use super::labels::Labels;
use super::value::{Point, RangeSeries, Value};

/// The `data` object of a query's answer: `{"resultType":…,"result":…}`.
pub fn data(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Scalar(point) => wrap(&mut out, "scalar", |out| push_point(out, *point)),
        Value::String { t, text } => wrap(&mut out, "string", |out| {
            out.push('[');
            push_time(out, *t);
            out.push(',');
            push_text(out, text);
            out.push(']');
        }),
        Value::Vector(samples) => wrap(&mut out, "vector", |out| {
            push_list(out, samples, |out, sample| {
                push_metric(out, &sample.labels);
                out.push_str(",\"value\":");
                push_point(out, Point { t: sample.t, v: sample.v });
                out.push('}');
            });
        }),
        Value::Matrix(series) => return matrix(series),
    }
    out
}

/// The `data` object of a range query's answer.
pub fn matrix(series: &[RangeSeries]) -> String {
    let mut out = String::new();
    wrap(&mut out, "matrix", |out| {
        push_list(out, series, |out, series| {
            push_metric(out, &series.labels);
            out.push_str(",\"values\":");
            push_list(out, &series.points, |out, point| push_point(out, *point));
            out.push('}');
        });
    });
    out
}

/// A label set as an object.
pub fn metric(labels: &Labels) -> String {
    let mut out = String::new();
    push_labels(&mut out, labels);
    out
}

fn wrap(out: &mut String, result_type: &str, result: impl FnOnce(&mut String)) {
    out.push_str("{\"resultType\":");
    push_text(out, result_type);
    out.push_str(",\"result\":");
    result(out);
    out.push('}');
}

fn push_list<T>(out: &mut String, items: &[T], push: impl Fn(&mut String, &T)) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

/// Opens an element's object with its labels; the caller closes it.
fn push_metric(out: &mut String, labels: &Labels) {
    out.push_str("{\"metric\":");
    push_labels(out, labels);
}

fn push_labels(out: &mut String, labels: &Labels) {
    out.push('{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_text(out, name);
        out.push(':');
        push_text(out, value);
    }
    out.push('}');
}

fn push_point(out: &mut String, point: Point) {
    out.push('[');
    push_time(out, point.t);
    out.push(',');
    push_text(out, &float_api(point.v));
    out.push(']');
}

/// Seconds with a fraction of exactly three digits, or none.
fn push_time(out: &mut String, t: i64) {
    let (sign, size) = if t < 0 { ("-", t.unsigned_abs()) } else { ("", t.unsigned_abs()) };
    let written = match size % 1000 {
        0 => write!(out, "{sign}{}", size / 1000),
        fraction => write!(out, "{sign}{}.{fraction:03}", size / 1000),
    };
    written.expect("writing to a string cannot fail");
}

fn push_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::Sample;

    #[test]
    fn a_vector_prints_as_the_server_prints_it() {
        let labels = Labels::metric("up", [("job", "a\"b")]);
        let value = Value::Vector(vec![Sample { labels, t: 1_435_781_430_781, v: 1.0 }]);
        let want = r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a\"b"},"value":[1435781430.781,"1"]}]}"#;
        assert_eq!(data(&value), want);
    }

    #[test]
    fn scalars_and_texts_have_no_labels() {
        let scalar = Value::Scalar(Point { t: -1_050, v: f64::NAN });
        assert_eq!(data(&scalar), r#"{"resultType":"scalar","result":[-1.050,"NaN"]}"#);
        let text = Value::String { t: 0, text: "a\n".into() };
        assert_eq!(data(&text), r#"{"resultType":"string","result":[0,"a\n"]}"#);
    }

    #[test]
    fn a_matrix_lists_its_points() {
        let points = vec![Point { t: 0, v: 0.5 }, Point { t: 15_000, v: f64::INFINITY }];
        let series = [RangeSeries { labels: Labels::default(), points }];
        let want = r#"{"resultType":"matrix","result":[{"metric":{},"values":[[0,"0.5"],[15,"+Inf"]]}]}"#;
        assert_eq!(matrix(&series), want);
        assert_eq!(matrix(&[]), r#"{"resultType":"matrix","result":[]}"#);
    }
}

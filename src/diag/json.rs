//! Diagnostics for programs: one JSON object each, places by file, line, column and byte.

use serde_json::{Value, json};

use super::{Diagnostic, Span};

/// All diagnostics as a JSON array, in the order given.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic]) -> Value {
    Value::Array(diagnostics.iter().map(diagnostic).collect())
}

fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let secondary: Vec<Value> = diagnostic.secondary.iter().map(|(span, label)| place(span, label)).collect();
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.name(),
        "title": diagnostic.title,
        "at": diagnostic.primary.as_ref().map(|(span, label)| place(span, label)),
        "also_at": secondary,
        "help": diagnostic.help,
    })
}

fn place(span: &Span, label: &str) -> Value {
    let (line, column) = span.line_column();
    json!({
        "file": span.source.name,
        "line": line,
        "column": column,
        "start": span.range.start,
        "end": span.range.end,
        "label": label,
    })
}

//! The two ways a query can go wrong: it does not parse, or it cannot be evaluated over the samples there are.

use std::ops::Range;

/// A place in the query text, as byte offsets.
pub type Span = Range<usize>;

/// The query is not PromQL (or uses a part of it that is not supported, which the message names).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, in Prometheus' words where it has some.
    pub message: String,
    /// Where, as byte offsets into the query.
    pub span: Span,
}

impl ParseError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span }
    }

    /// The message as Prometheus prints it, with line and column in front: `1:5: parse error: …`.
    pub fn display_in(&self, source: &str) -> String {
        let (line, column) = line_column(source, self.span.start);
        format!("{line}:{column}: parse error: {}", self.message)
    }
}

/// The query parsed, but has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// What is wrong, in Prometheus' words where it has some.
    pub message: String,
    /// The expression that failed.
    pub span: Span,
}

impl EvalError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span }
    }
}

/// Line and column, both from one, of a byte offset. Columns count bytes, as Prometheus' do.
pub fn line_column(source: &str, offset: usize) -> (usize, usize) {
    let before = &source.as_bytes()[..offset.min(source.len())];
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    (before.iter().filter(|b| **b == b'\n').count() + 1, before.len() - line_start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_columns_from_one() {
        assert_eq!(line_column("ab\ncd", 4), (2, 2));
        assert_eq!(line_column("", 9), (1, 1));
        assert_eq!(ParseError::new(3..4, "no").display_in("ab\ncd"), "2:1: parse error: no");
    }
}

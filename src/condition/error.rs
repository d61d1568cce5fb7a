//! What went wrong, where in the condition, and at which stage: the stage decides nothing for Argo, but much for a reader.

use std::fmt;
use std::ops::Range;

/// When a condition failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The text is not an expression.
    Parse,
    /// The expression cannot be compiled against the type of the result.
    Check,
    /// The expression failed while it ran.
    Run,
}

/// A failed condition. Argo turns every one of these into a measurement in phase `Error`, never `Failed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// When it failed.
    pub stage: Stage,
    /// The text the Go library would give, without its source snippet.
    pub message: String,
    /// The bytes of the condition the message is about.
    pub span: Range<usize>,
}

impl Error {
    pub(super) fn parse(message: impl Into<String>, span: Span) -> Self {
        Self { stage: Stage::Parse, message: message.into(), span: span.range() }
    }

    pub(super) fn check(message: impl Into<String>, span: Span) -> Self {
        Self { stage: Stage::Check, message: message.into(), span: span.range() }
    }

    pub(super) fn run(message: impl Into<String>, span: Span) -> Self {
        Self { stage: Stage::Run, message: message.into(), span: span.range() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// A half-open range of bytes; small and `Copy`, unlike `Range<usize>`, because every node carries one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let clip = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: clip(start), end: clip(end) }
    }

    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

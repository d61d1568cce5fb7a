//! Diagnostics: what is wrong with what somebody wrote, where, and the way out.
//!
//! A diagnostic is about input. A policy that does not protect is a verdict, a world that broke is an error; neither
//! is ever one of these. Collect them all: nobody should meet their mistakes one at a time.

mod json;
mod render;

use std::ops::Range;
use std::sync::Arc;

pub use self::json::to_json;
pub use self::render::render;

/// A text somebody wrote, with the name they know it by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Its path as given.
    pub name: String,
    /// Its whole text.
    pub text: String,
}

/// A place in a source, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Which text.
    pub source: Arc<Source>,
    /// Which bytes of it.
    pub range: Range<usize>,
}

impl Span {
    /// Where it begins, as editors count: line and column from one, the column in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.range.start).unwrap_or(&self.source.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can run like this.
    Error,
    /// It runs, but it does not do what its author believes.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word that stands before the title.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Whether nothing can run like this.
#[must_use]
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Puts diagnostics in reading order: by file, then by place, then by code; those without a place come first.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        let key =
            |d: &Diagnostic| d.primary.as_ref().map(|(span, _)| (span.source.name.clone(), span.range.start));
        (key(a), a.code, &a.title).cmp(&(key(b), b.code, &b.title))
    });
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code `firedrill explain` knows.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence, lower case, without a full stop.
    pub title: String,
    /// The place itself, with what to say under it.
    pub primary: Option<(Span, String)>,
    /// Other places that belong to it, possibly in other files.
    pub secondary: Vec<(Span, String)>,
    /// The way out.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error without a place.
    #[must_use]
    pub fn error(code: &'static str, title: impl Into<String>) -> Diagnostic {
        let title = title.into();
        Diagnostic { code, severity: Severity::Error, title, primary: None, secondary: vec![], help: vec![] }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(code: &'static str, title: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, title) }
    }

    /// A note without a place.
    #[must_use]
    pub fn note(code: &'static str, title: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Note, ..Diagnostic::error(code, title) }
    }

    /// The place, and what to say under it.
    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.primary = Some((span, label.into()));
        self
    }

    /// Another place that belongs to it.
    #[must_use]
    pub fn and_at(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.secondary.push((span, label.into()));
        self
    }

    /// The way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }
}

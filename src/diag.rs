//! Diagnostics: what is wrong with what somebody wrote, where, and the way out.
//!
//! A diagnostic is about input. A policy that does not protect is a verdict, a world that broke is an error; neither
//! is ever one of these. Collect them all: nobody should meet their mistakes one at a time.

use std::ops::Range;
use std::sync::Arc;

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

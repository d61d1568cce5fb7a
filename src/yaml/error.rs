//! What the YAML library says, as diagnostics in our words and with our spans.

use std::ops::Range;
use std::sync::Arc;

use serde_saphyr::{Error, Location};

use super::{LIMITS, SHAPE, SYNTAX, TEMPLATE};
use crate::diag::{Diagnostic, Source, Span};
use crate::suggest;

/// A part of a source that was parsed by itself.
pub(super) struct Place<'a> {
    /// Where it begins in the source.
    pub(super) base: usize,
    /// Its text.
    pub(super) text: &'a str,
}

impl Place<'_> {
    /// The bytes of a location. The scanner's own errors count characters only, so those are counted off.
    pub(super) fn range(&self, location: Location) -> Range<usize> {
        let span = location.span();
        let bytes = span.byte_offset().zip(span.byte_len()).and_then(|(offset, len)| {
            let start = usize::try_from(offset).ok()?;
            let end = start.checked_add(usize::try_from(len).ok()?)?;
            self.text.get(start..end).map(|_| start..end)
        });
        let range = bytes.unwrap_or_else(|| self.characters(span.offset(), span.len()));
        range.start + self.base..range.end + self.base
    }

    fn characters(&self, offset: u64, len: u64) -> Range<usize> {
        let byte_at = |text: &str, count: u64| {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            text.char_indices().nth(count).map_or(text.len(), |(at, _)| at)
        };
        let start = byte_at(self.text, offset);
        start..start + byte_at(&self.text[start..], len)
    }
}

/// A span of this source.
pub(super) fn span(source: &Arc<Source>, range: Range<usize>) -> Span {
    Span { source: Arc::clone(source), range }
}

/// Refuses a text that is too large, before anything looks at it.
pub(super) fn too_large(source: &Arc<Source>, limit: usize) -> Option<Diagnostic> {
    (source.text.len() > limit).then(|| {
        let title = format!("this file is larger than {} MiB", limit / 1024 / 1024);
        Diagnostic::error(LIMITS, title)
            .at(span(source, 0..0), format!("{} bytes", source.text.len()))
            .help("no cluster would take an object of that size: split the file, or leave it out")
    })
}

/// One error of the library, as a diagnostic.
pub(super) fn diagnostic(source: &Arc<Source>, base: usize, text: &str, cause: &Error) -> Diagnostic {
    let place = Place { base, text };
    let range = cause.location().map_or(base..base, |location| place.range(location));
    let message = plain(&cause.to_string());
    let at = span(source, range.clone());
    if let Some(diagnostic) = template(source, base, text, &range, &message) {
        return diagnostic;
    }
    let code = code_of(&message);
    let named = field(&message);
    let diagnostic = Diagnostic::error(code, named.as_ref().map_or(message.clone(), |named| named.title()))
        .at(at, label(code));
    match named {
        Some(named) => diagnostic.help(named.help()),
        None => help(diagnostic, code, &message),
    }
}

/// A mistake that comes of double braces: Argo's own need quotes, those of Helm and its kin need rendering.
fn template(
    source: &Arc<Source>,
    base: usize,
    text: &str,
    range: &Range<usize>,
    message: &str,
) -> Option<Diagnostic> {
    let open = source.text[..range.end].rfind("{{").filter(|open| *open >= base)?;
    let inner = source.text[open + 2..].split("}}").next().unwrap_or_default().trim_start();
    let at = span(source, range.clone());
    if inner.starts_with("args.") && !source.text[open..range.end.max(open)].contains('\n') {
        let diagnostic = Diagnostic::error(SHAPE, "an argument stands here without quotes").at(at, message);
        return Some(diagnostic.help("to YAML, braces are a mapping: write `\"{{args.…}}\"`"));
    }
    let is_template = text.contains("}}") && !inner.starts_with("args.");
    is_template.then(|| {
        Diagnostic::error(TEMPLATE, "this is a template, not a manifest")
            .at(at, message)
            .help("render it first (`helm template`, `kustomize build`) and give firedrill the result")
    })
}

/// The message without the position, which the span says better, and without advice about the library's settings.
fn plain(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let message = message.split_once(", set DuplicateKeyPolicy").map_or(message, |(message, _)| message);
    message.trim_end_matches(['.', ' ']).to_string()
}

fn code_of(message: &str) -> &'static str {
    const LIMIT_WORDS: &[&str] = &["budget", "limit", "too deep", "recursion"];
    const SHAPE_WORDS: &[&str] =
        &["expected ", "unknown field", "missing field", "duplicate", "invalid ", "unknown variant"];
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match () {
        () if has(LIMIT_WORDS) => LIMITS,
        () if has(SHAPE_WORDS) => SHAPE,
        () => SYNTAX,
    }
}

fn label(code: &str) -> &'static str {
    match code {
        LIMITS => "too much",
        SHAPE => "here",
        _ => "not YAML from here",
    }
}

fn help(diagnostic: Diagnostic, code: &str, message: &str) -> Diagnostic {
    if message.contains("tab") {
        return diagnostic.help("YAML is indented with spaces only");
    }
    if message.contains("duplicate") {
        return diagnostic.help("a reader that does not complain would silently keep the last one");
    }
    if code == LIMITS && (message.contains("nchor") || message.contains("lias")) {
        return diagnostic.help("write the value out instead of repeating it by an alias");
    }
    diagnostic
}

/// A name that the type does not know, and those it knows.
struct Named {
    what: &'static str,
    name: String,
    known: Vec<String>,
}

/// Reads serde's sentence: ``unknown field `x`, expected one of a, b``.
fn field(message: &str) -> Option<Named> {
    let (what, rest) = ["unknown field ", "unknown variant "]
        .iter()
        .find_map(|&what| message.split_once(what).map(|(_, rest)| (what.trim_end(), rest)))?;
    let (name, expected) = rest.split_once(", ").unwrap_or((rest, ""));
    let name = name.trim_matches(['`', '\'', '"']).to_string();
    let known = expected.strip_prefix("expected one of ").or_else(|| expected.strip_prefix("expected "));
    let known = known.into_iter().flat_map(|known| known.split(", ").flat_map(|known| known.split(" or ")));
    let known = known.map(|known| known.trim_matches('`').to_string()).collect();
    Some(Named { what, name, known })
}

impl Named {
    fn title(&self) -> String {
        let what = if self.what.ends_with("field") { "unknown key" } else { "unknown word" };
        format!("{what} `{}`", self.name)
    }

    fn help(&self) -> String {
        match suggest::nearest(&self.name, self.known.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if self.known.is_empty() => "nothing is allowed here".into(),
            None => format!("known here: {}", self.known.join(", ")),
        }
    }
}

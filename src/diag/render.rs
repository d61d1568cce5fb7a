//! Diagnostics for people: the text itself, underlined, the way a compiler does it.
//!
//! The drawing is `annotate-snippets`'. What is ours: a place that spans several lines is drawn on its first, since a
//! bracket around forty lines of YAML points at nothing; only the lines that matter are handed over, so that a file
//! of megabytes on one line costs no more than a short one; and the last line names the page that explains the code.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Severity, Source, Span};

/// The columns a diagnostic may take.
const WIDTH: usize = 120;

/// No more of a line than this is looked at, on either side of the place.
const REACH: usize = 4_000;

/// All diagnostics as text, one blank line between them.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let mut text = String::new();
    for diagnostic in diagnostics {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&renderer.render(&[group(diagnostic)]));
        text.push('\n');
    }
    text
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let title = level(diagnostic.severity).primary_title(&diagnostic.title).id(diagnostic.code);
    let mut group = Group::with_title(title);
    for (source, places) in by_source(diagnostic) {
        match window(source, &places) {
            Some(snippet) => group = group.element(snippet),
            // The only place without a line is a file that is empty, or was not read.
            None => group = group.element(Origin::path(&source.name)),
        }
    }
    for help in helps(diagnostic) {
        group = group.element(Level::HELP.message(help));
    }
    group
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

fn helps(diagnostic: &Diagnostic) -> Vec<String> {
    let page = format!("`explain {}`", diagnostic.code);
    let mut helps = diagnostic.help.clone();
    match helps.last_mut() {
        Some(last) => *last = format!("{last} ({page})"),
        None => helps.push(page),
    }
    helps
}

type Place<'a> = (AnnotationKind, &'a Span, &'a str);

/// The places of a diagnostic, file by file, the file of the primary place first.
fn by_source(diagnostic: &Diagnostic) -> Vec<(&Arc<Source>, Vec<Place<'_>>)> {
    let primary =
        diagnostic.primary.iter().map(|(span, label)| (AnnotationKind::Primary, span, label.as_str()));
    let others =
        diagnostic.secondary.iter().map(|(span, label)| (AnnotationKind::Context, span, label.as_str()));
    let mut files: Vec<(&Arc<Source>, Vec<Place<'_>>)> = vec![];
    for place in primary.chain(others) {
        let source = &place.1.source;
        match files.iter_mut().find(|(known, _)| *known == source) {
            Some((_, places)) => places.push(place),
            None => files.push((source, vec![place])),
        }
    }
    files
}

/// The lines around the places, with the places drawn in; `None` when there is no text to draw.
fn window<'a>(source: &'a Arc<Source>, places: &[Place<'a>]) -> Option<Snippet<'a, Annotation<'a>>> {
    let text = source.text.as_str();
    let ranges: Vec<Range<usize>> = places.iter().map(|(_, span, _)| first_line(text, &span.range)).collect();
    let first = ranges.iter().map(|range| range.start).min()?;
    let last = ranges.iter().map(|range| range.end).max()?;
    let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[last..];
    let end = last + ceil(rest, rest.find(['\r', '\n']).unwrap_or(rest.len()).min(REACH));
    if text[start..end].trim().is_empty() {
        return None;
    }
    let line = text[..start].matches('\n').count() + 1;
    let annotations = places
        .iter()
        .zip(ranges)
        .map(|((kind, _, label), range)| kind.span(range.start - start..range.end - start).label(*label));
    Some(Snippet::source(&text[start..end]).line_start(line).path(&source.name).annotations(annotations))
}

/// The part of a range on its first line, with both ends where characters begin.
fn first_line(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = floor(text, range.start.min(text.len()));
    let end = ceil(text, range.end.clamp(start, text.len()));
    let line = text[start..end].split(['\n', '\r']).next().unwrap_or_default();
    start..start + ceil(line, line.len().min(REACH))
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(name: &str, text: &str) -> Arc<Source> {
        Arc::new(Source { name: name.into(), text: text.into() })
    }

    /// A span over the first occurrence of `word`.
    fn find(source: &Arc<Source>, word: &str) -> Span {
        let start = source.text.find(word).expect("the word is in the text");
        Span { source: Arc::clone(source), range: start..start + word.len() }
    }

    #[test]
    fn a_mistake_between_two_files_is_shown_in_both() {
        let rollout = source("rollout.yaml", "steps:\n- pause: {duration: 60s}\n- setWeight: 100\n");
        let analysis = source("analysis.yaml", "metrics:\n- name: errors\n  interval: 5m\n");
        let diagnostic =
            Diagnostic::warning("FD006", "this analysis cannot fail before the rollout completes")
                .at(find(&rollout, "{duration: 60s}"), "everything is promoted after 60s")
                .and_at(find(&analysis, "5m"), "earliest failing measurement: 10m")
                .help("shorten `interval` or lengthen the pause");
        insta::assert_snapshot!(render(&[diagnostic], false), @r#"
        warning[FD006]: this analysis cannot fail before the rollout completes
         --> rollout.yaml:2:10
          |
        2 | - pause: {duration: 60s}
          |          ^^^^^^^^^^^^^^^ everything is promoted after 60s
          |
         ::: analysis.yaml:3:13
          |
        3 |   interval: 5m
          |             -- earliest failing measurement: 10m
          |
          = help: shorten `interval` or lengthen the pause (`explain FD006`)
        "#);
    }

    #[test]
    fn tabs_carriage_returns_and_wide_characters_keep_the_mark_in_place() {
        let file = source("a.yaml", "a: 1\r\nüü:\t\"배포\"\tx # y\r\nb: 2\r\n");
        let diagnostic = Diagnostic::error("FD101", "no").at(find(&file, "x"), "here");
        insta::assert_snapshot!(render(&[diagnostic], false), @r#"
        error[FD101]: no
         --> a.yaml:2:10
          |
        2 | üü:    "배포"    x # y
          |                  ^ here
          |
          = help: `explain FD101`
        "#);
    }

    #[test]
    fn a_place_of_many_lines_is_drawn_on_its_first() {
        let file = source("a.yaml", "spec:\n  strategy:\n    blueGreen: {}\n    canary: {}\n");
        let diagnostic =
            Diagnostic::error("FD209", "two").at(find(&file, "blueGreen: {}\n    canary: {}"), "these");
        insta::assert_snapshot!(render(&[diagnostic], false), @r#"
        error[FD209]: two
         --> a.yaml:3:5
          |
        3 |     blueGreen: {}
          |     ^^^^^^^^^^^^^ these
          |
          = help: `explain FD209`
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("query: {}here{}\n", "x".repeat(300), "y".repeat(3_000_000));
        let file = source("a.yaml", &text);
        let diagnostic = Diagnostic::error("FD101", "no").at(find(&file, "here"), "this");
        insta::assert_snapshot!(render(&[diagnostic], false), @r#"
        error[FD101]: no
         --> a.yaml:1:308
          |
        1 | ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxhereyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...
          |                                                      ^^^^ this
          |
          = help: `explain FD101`
        "#);
    }

    #[test]
    fn an_empty_file_is_named() {
        let file = source("empty.yaml", "");
        let at = Span { source: file, range: 0..0 };
        insta::assert_snapshot!(render(&[Diagnostic::error("FD202", "nothing in it").at(at, "")], false), @r#"
        error[FD202]: nothing in it
        --> empty.yaml
         = help: `explain FD202`
        "#);
    }

    proptest! {
        #[test]
        fn any_place_in_any_text_is_drawn(text in "\\PC{0,40}[\\r\\n\\t]{0,3}\\PC{0,40}", a in 0usize..90, b in 0usize..90) {
            let source = source("x.yaml", &text);
            let at = |range| Span { source: Arc::clone(&source), range };
            let diagnostic = Diagnostic::error("FD101", "x").at(at(a..b), "y").and_at(at(b..a), "z");
            prop_assert!(render(std::slice::from_ref(&diagnostic), false).contains("FD101"));
            prop_assert!(render(&[diagnostic], true).contains("FD101"));
        }
    }
}

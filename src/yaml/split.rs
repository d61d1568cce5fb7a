//! Cutting a text into documents before parsing it, so that a mistake in one does not hide the others.
//!
//! YAML forbids `---` and `...` at the start of a line inside any content, block scalars included, so the cut needs
//! no parser.

use std::ops::Range;

/// The byte ranges of the documents that say anything, in order.
pub(super) fn documents(text: &str) -> Vec<Range<usize>> {
    let mut found = vec![];
    let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut offset = 0;
    // Directives belong to the document whose `---` follows them.
    let mut directives = false;
    for line in text.split_inclusive('\n') {
        let begins = marks(line, "---") && !directives;
        let ends = marks(line, "...");
        if begins || ends {
            found.push(start..offset.max(start));
            start = if ends { offset + line.len() } else { offset };
        }
        directives = line.starts_with('%') || (directives && !marks(line, "---"));
        offset += line.len();
    }
    found.push(start..text.len());
    found.retain(|range| says_something(&text[range.clone()]));
    found
}

fn marks(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn says_something(document: &str) -> bool {
    document.lines().any(|line| {
        let line = if marks(line, "---") { &line[3..] } else { line };
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let found: Vec<&str> = documents(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn one_document_needs_no_marker() {
        check("a: 1\n", &["a: 1\n"]);
    }

    #[test]
    fn markers_separate_and_comments_alone_are_nothing() {
        check("# x\n---\na: 1\n--- # y\n\n---\r\nb: 2", &["---\na: 1\n", "---\r\nb: 2"]);
    }

    #[test]
    fn a_longer_dash_line_is_content() {
        check("a: 1\n----\n", &["a: 1\n----\n"]);
    }

    #[test]
    fn content_may_follow_the_marker() {
        check("--- {a: 1}\n", &["--- {a: 1}\n"]);
    }

    #[test]
    fn an_end_marker_ends() {
        check("a: 1\n...\n# bye\n", &["a: 1\n"]);
    }

    #[test]
    fn directives_stay_with_their_document() {
        check("%YAML 1.1\n---\na: 1\n---\nb: 2\n", &["%YAML 1.1\n---\na: 1\n", "---\nb: 2\n"]);
    }

    #[test]
    fn a_byte_order_mark_is_not_content() {
        check("\u{feff}a: 1", &["a: 1"]);
        check("\u{feff}", &[]);
        check("", &[]);
    }
}

//! `# firedrill: allow FD007 because …`: a finding that somebody has looked at.

use crate::diag::Diagnostic;

const MARK: &str = "# firedrill: allow ";

/// The finding, unless a comment on its line or right above allows it. A comment without a reason allows nothing.
pub(super) fn unless_allowed(diagnostic: Diagnostic) -> Option<Diagnostic> {
    let Some((span, _)) = &diagnostic.primary else { return Some(diagnostic) };
    match comment(&span.source.text, span.range.start, diagnostic.code) {
        Allowed::No => Some(diagnostic),
        Allowed::WithoutReason => {
            Some(diagnostic.help("the `allow` above it does not count: it needs a reason after the code"))
        }
        Allowed::Yes => None,
    }
}

#[derive(Debug, PartialEq)]
enum Allowed {
    No,
    WithoutReason,
    Yes,
}

fn comment(text: &str, at: usize, code: &str) -> Allowed {
    let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let above = text[..line_start].lines().rev().take_while(|line| line.trim_start().starts_with('#'));
    let mut best = Allowed::No;
    for line in std::iter::once(line).chain(above) {
        match allows(line, code) {
            Allowed::Yes => return Allowed::Yes,
            Allowed::WithoutReason => best = Allowed::WithoutReason,
            Allowed::No => {}
        }
    }
    best
}

fn allows(line: &str, code: &str) -> Allowed {
    let Some((_, rest)) = line.split_once(MARK) else { return Allowed::No };
    let mut words = rest.split_whitespace();
    let mut named = false;
    let mut last = words.next();
    // Codes may be listed with commas: `allow FD007, FD008 the reason`.
    while let Some(word) = last {
        named |= word.trim_end_matches(',') == code;
        if !word.ends_with(',') {
            break;
        }
        last = words.next();
    }
    match (named, words.next()) {
        (false, _) => Allowed::No,
        (true, None) => Allowed::WithoutReason,
        (true, Some(_)) => Allowed::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Allowed) {
        let at = text.find("HERE").expect("the text has a place");
        assert_eq!(comment(text, at, "FD007"), expect);
    }

    #[test]
    fn a_comment_on_the_line_or_above_allows() {
        check("a: HERE # firedrill: allow FD007 we scrape fast\n", Allowed::Yes);
        check("# firedrill: allow FD007 we scrape fast\n# more\na: HERE\n", Allowed::Yes);
        check("# firedrill: allow FD001, FD007 because\na: HERE\n", Allowed::Yes);
    }

    #[test]
    fn other_codes_and_other_lines_do_not() {
        check("# firedrill: allow FD001 because of FD007\na: HERE\n", Allowed::No);
        check("# firedrill: allow FD007 because\nb: 1\na: HERE\n", Allowed::No);
        check("a: HERE\n", Allowed::No);
    }

    #[test]
    fn a_reason_is_asked_for() {
        check("# firedrill: allow FD007\na: HERE\n", Allowed::WithoutReason);
    }
}

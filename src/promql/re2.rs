//! Patterns as RE2 reads them, for an engine that reads some of them differently: a brace that repeats nothing stands
//! for itself, `\Q…\E` quotes, and in a character class neither brackets nor `&&` have a meaning.

/// The pattern in the notation of the `regex` crate.
pub(crate) fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' => escape(rest, &mut out),
            '[' => class(rest, &mut out),
            '{' if !is_repetition(rest) => {
                out.push_str("\\{");
                1
            }
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// A backslash and what belongs to it; how many bytes that is.
fn escape(rest: &str, out: &mut String) -> usize {
    let Some(next) = rest[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    if next == 'Q' {
        let quoted = &rest[2..];
        let end = quoted.find("\\E").unwrap_or(quoted.len());
        out.push_str(&regex::escape(&quoted[..end]));
        return (2 + end + 2).min(rest.len());
    }
    let mut len = 1 + next.len_utf8();
    // The braces of `\p{Greek}` and `\x{1F600}` are part of the escape.
    if matches!(next, 'p' | 'P' | 'x') && rest[len..].starts_with('{') {
        len += rest[len..].find('}').map_or(0, |at| at + 1);
    }
    out.push_str(&rest[..len]);
    len
}

/// A character class; how many bytes it is long. An unclosed one is left for the engine to refuse.
fn class(rest: &str, out: &mut String) -> usize {
    let mut at = 1 + usize::from(rest[1..].starts_with('^'));
    out.push_str(&rest[..at]);
    let first = at;
    while let Some(c) = rest[at..].chars().next() {
        match c {
            ']' if at > first => {
                out.push(']');
                return at + 1;
            }
            '\\' => at += escape(&rest[at..], out),
            '[' if rest[at..].starts_with("[:") && rest[at..].contains(":]") => {
                let len = rest[at..].find(":]").map_or(1, |end| end + 2);
                out.push_str(&rest[at..at + len]);
                at += len;
            }
            '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(c);
                at += 1;
            }
            c => {
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    at
}

/// Whether a brace opens `{2}`, `{2,}` or `{2,3}`.
fn is_repetition(rest: &str) -> bool {
    let Some(end) = rest.find('}') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match rest[1..end].split_once(',') {
        None => digits(&rest[1..end]),
        Some((least, most)) => digits(least) && (most.is_empty() || digits(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, want: &str) {
        assert_eq!(translate(pattern), want, "{pattern}");
        assert!(regex::Regex::new(want).is_ok(), "{want}");
    }

    #[test]
    fn a_brace_that_repeats_nothing_stands_for_itself() {
        check("/api/{id}", r"/api/\{id}");
        check("a{2}b{2,}c{2,3}", "a{2}b{2,}c{2,3}");
        check("a{,3}", r"a\{,3}");
        check(r"\x{41}\p{Greek}\{", r"\x{41}\p{Greek}\{");
    }

    #[test]
    fn classes_know_no_sets() {
        check("[a[b]", r"[a\[b]");
        check("[]a]+", r"[\]a]+");
        check("[^a&&b[:alpha:]]", r"[^a\&\&b[:alpha:]]");
    }

    #[test]
    fn quoted_text_is_text() {
        check(r"a\Q.*\Eb", r"a\.\*b");
    }
}

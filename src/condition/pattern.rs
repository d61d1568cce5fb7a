//! Regular expressions for `matches`, with the error texts of Go's `regexp/syntax` for the common mistakes.
//!
//! Rust's `regex` accepts a little more than Go's RE2. Repeated repetitions (`a**`) and counts above 1000 are refused here as Go
//! does; class set operations (`[a&&b]`) are not told apart.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

/// Bounds the compiled size, so that `a{1000}{1000}` is an error and not a pause.
const SIZE_LIMIT: usize = 1 << 20;
/// The highest count RE2 allows in `{n,m}`.
const MAX_COUNT: u32 = 1000;

/// Compiles a pattern or says, in Go's words, why not.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let wrap = |reason: String| format!("error parsing regexp: {reason}");
    repetitions(pattern).map_err(wrap)?;
    RegexBuilder::new(&literal_braces(pattern))
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| wrap(reason(pattern, &error)))
}

/// Go reads a brace that does not start a count as itself; Rust wants it escaped.
fn literal_braces(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains('{') {
        return Cow::Borrowed(pattern);
    }
    let mut out = String::with_capacity(pattern.len() + 2);
    let (mut at, bytes) = (0, pattern.as_bytes());
    while at < bytes.len() {
        let rest = &pattern[at..];
        let length = match bytes[at] {
            // `\p{…}` and `\x{…}` keep their braces.
            b'\\' if matches!(bytes.get(at + 2), Some(b'{')) => {
                rest.find('}').map_or(rest.len(), |end| end + 1)
            }
            b'\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            b'[' => class_length(rest),
            b'{' if matches!(counted(rest), Ok(None)) => {
                out.push('\\');
                1
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        out.push_str(&rest[..length.min(rest.len())]);
        at += length;
    }
    Cow::Owned(out)
}

/// Looks for a repetition of a repetition and for counts that are too high, outside classes and escapes.
fn repetitions(pattern: &str) -> Result<(), String> {
    let bytes = pattern.as_bytes();
    let (mut at, mut previous) = (0, None);
    while at < bytes.len() {
        let length = match bytes[at] {
            b'\\' => 2,
            b'[' => class_length(&pattern[at..]),
            b'*' | b'+' | b'?' => 1,
            b'{' => counted(&pattern[at..])?.unwrap_or(0),
            _ => 0,
        };
        if bytes[at] == b'[' && unknown_class(&pattern[at..at + length]).is_some() {
            let name = unknown_class(&pattern[at..at + length]).unwrap_or_default();
            return Err(format!("invalid character class range: `{name}`"));
        }
        let repeats = length > 0 && matches!(bytes[at], b'*' | b'+' | b'?' | b'{');
        if !repeats {
            at += length.max(1);
            // A group's `(?` is not a repetition.
            if bytes.get(at - 1) == Some(&b'(') && bytes.get(at) == Some(&b'?') {
                at += 1;
            }
            previous = None;
            continue;
        }
        let lazy = usize::from(bytes.get(at + length) == Some(&b'?'));
        if let Some(start) = previous {
            let end = at + length + lazy;
            return Err(format!(
                "invalid nested repetition operator: `{}`",
                pattern.get(start..end).unwrap_or("")
            ));
        }
        previous = Some(at);
        at += length + lazy;
    }
    Ok(())
}

/// The length of `{n}`, `{n,}` or `{n,m}`; anything else with a brace is literal text.
fn counted(text: &str) -> Result<Option<usize>, String> {
    let Some(end) = text.find('}') else { return Ok(None) };
    let inner = &text[1..end];
    let (low, high) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if low.is_empty() || !digits(low) || !digits(high) {
        return Ok(None);
    }
    let count = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
    let inverted = !high.is_empty() && count(high) < count(low);
    if inverted || count(low) > MAX_COUNT || (!high.is_empty() && count(high) > MAX_COUNT) {
        return Err(format!("invalid repeat count: `{}`", &text[..=end]));
    }
    Ok(Some(end + 1))
}

/// A class name such as `[:foo:]` that Go does not know.
fn unknown_class(class: &str) -> Option<&str> {
    const KNOWN: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
        "upper", "word", "xdigit",
    ];
    let inside = class.get(1..)?;
    let start = inside.find("[:")?;
    let end = start + inside[start..].find(":]")? + 2;
    let name = inside.get(start + 2..end - 2)?.trim_start_matches('^');
    (!KNOWN.contains(&name)).then(|| &inside[start..end])
}

/// The length of a character class; a `]` right after the opening is a member.
fn class_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1 + usize::from(bytes.get(1) == Some(&b'^'));
    at += usize::from(bytes.get(at) == Some(&b']'));
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b']' => return at + 1,
            b'[' if bytes.get(at + 1) == Some(&b':') => {
                at += text[at..].find(":]").map_or(0, |length| length + 1)
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Go's words for what Rust's library complains about.
fn reason(pattern: &str, error: &regex::Error) -> String {
    let regex::Error::Syntax(text) = error else {
        return format!("expression too large: `{pattern}`");
    };
    let detail = text.rsplit("error: ").next().unwrap_or(text).trim();
    let from = |start: &str| pattern.find(start).map_or(pattern, |at| &pattern[at..]);
    let head =
        |start: &str, length: usize| from(start).get(..length).unwrap_or_else(|| from(start)).to_owned();
    if detail.starts_with("invalid character class range") {
        let inner = from("[").trim_start_matches(['[', '^']).split(']').next().unwrap_or(pattern);
        return format!("invalid character class range: `{inner}`");
    }
    match detail {
        "unclosed character class" => format!("missing closing ]: `{}`", from("[")),
        "unclosed group" => format!("missing closing ): `{pattern}`"),
        "unopened group" => format!("unexpected ): `{pattern}`"),
        "repetition operator missing expression" => {
            let at = pattern.find(['*', '+', '?']).unwrap_or(0);
            let lazy = usize::from(pattern.as_bytes().get(at + 1) == Some(&b'?'));
            format!(
                "missing argument to repetition operator: `{}`",
                pattern.get(at..=at + lazy).unwrap_or(pattern)
            )
        }
        "incomplete escape sequence, reached end of pattern prematurely" => {
            "trailing backslash at end of expression: ``".to_owned()
        }
        "look-around, including look-ahead and look-behind, is not supported" if pattern.contains("(?<") => {
            format!("invalid named capture: `{}`", from("(?<"))
        }
        "look-around, including look-ahead and look-behind, is not supported" => {
            format!("invalid or unsupported Perl syntax: `{}`", head("(?", 3))
        }
        "unrecognized flag" => format!("invalid or unsupported Perl syntax: `{}`", head("(?", 3)),
        "unclosed capture group name" | "invalid capture group character" | "empty capture group name" => {
            format!("invalid named capture: `{}`", from("(?"))
        }
        "backreferences are not supported"
        | "unrecognized escape sequence"
        | "invalid range boundary, must be a literal" => {
            format!("invalid escape sequence: `{}`", head("\\", 2))
        }
        "Unicode property not found" => format!("invalid character class range: `{}`", from("\\p")),
        other => format!("{other}: `{pattern}`"),
    }
}

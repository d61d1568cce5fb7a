//! Number literals: decimal, hexadecimal, octal with a leading zero, exponents, underscores between digits, and
//! durations, which are numbers of seconds.

use super::super::duration;

/// The value of a number token, without sign.
pub(super) fn number(text: &str) -> Option<f64> {
    let digits = text.replace('_', "");
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(|n| n as f64);
    }
    // Go parses integers with base 0 first, so that `010` is eight; `08` is not octal and falls through.
    if digits.len() > 1
        && digits.starts_with('0')
        && let Ok(octal) = i64::from_str_radix(&digits[1..], 8)
    {
        return Some(octal as f64);
    }
    digits.parse().ok().filter(|v: &f64| v.is_finite())
}

/// The milliseconds of a number or duration token where a duration is wanted.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    if let Some(ms) = duration::parse_ms(text) {
        return Some(ms);
    }
    let seconds = number(text)?;
    seconds_to_ms(seconds)
}

/// Seconds as milliseconds, when a duration can hold them.
pub(super) fn seconds_to_ms(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1000.0).round();
    (ms.abs() <= duration::MAX_MS as f64).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_all_spellings() {
        let cases = [
            ("1", Some(1.0)),
            (".5", Some(0.5)),
            ("2.", Some(2.0)),
            ("0x1F", Some(31.0)),
            ("010", Some(8.0)),
            ("09", Some(9.0)),
            ("1e3", Some(1000.0)),
            ("1_000", Some(1000.0)),
            ("1e999", None),
        ];
        for (text, want) in cases {
            assert_eq!(number(text), want, "{text}");
        }
    }

    #[test]
    fn bare_numbers_are_seconds_where_a_duration_is_wanted() {
        assert_eq!(milliseconds("10"), Some(10_000));
        assert_eq!(milliseconds("1.5"), Some(1_500));
        assert_eq!(milliseconds("1m40s"), Some(100_000));
        assert_eq!(milliseconds("1e300"), None);
    }
}

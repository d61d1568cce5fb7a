//! Text as Go writes it: float formatting (`strconv.FormatFloat`), quoting (`strconv.Quote`) and the old rules for
//! names that need no quotes. Everything a Prometheus answer or error message prints goes through here.

use std::fmt::Write;

/// Shortest decimal form without exponent: Go's `FormatFloat(v, 'f', -1, 64)`.
pub fn float(v: f64) -> String {
    if let Some(word) = special(v) {
        return word.to_owned();
    }
    // Rust's Display is the shortest form that reads back, without exponent, as Go's 'f' with precision -1.
    format!("{v}")
}

/// Go's `FormatFloat(v, 'e', -1, 64)`: at least two exponent digits, sign always shown.
pub(crate) fn float_exponent(v: f64) -> String {
    if let Some(word) = special(v) {
        return word.to_owned();
    }
    let text = format!("{v:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// Go's `%g`: exponent form for numbers below 1e-4 and from 1e6 on.
pub(crate) fn float_g(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return float(v);
    }
    // strconv decides with a precision of 6 when the shortest form is asked for.
    if (-4..6).contains(&decimal_exponent(v)) { float(v) } else { float_exponent(v) }
}

/// Go's `%.2g`: two significant digits.
pub(crate) fn float_g2(v: f64) -> String {
    let rounded: f64 = format!("{v:.1e}").parse().unwrap_or(v);
    if v == 0.0 || !v.is_finite() || (-4..2).contains(&decimal_exponent(rounded)) {
        return float(rounded);
    }
    float_exponent(rounded)
}

/// The form the query API gives sample values: 'f', or 'e' for very small and very large numbers
/// (Prometheus `util/jsonutil.MarshalFloat`, v3).
pub(crate) fn float_api(v: f64) -> String {
    let size = v.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) { float_exponent(v) } else { float(v) }
}

/// Go's `FormatFloat(v, 'g', -1, 64)` with ".0" where nothing else shows that it is no integer
/// (Prometheus `model/labels/float.go`, v0.313.5).
pub(crate) fn float_open_metrics(v: f64) -> String {
    if !v.is_finite() {
        return float(v);
    }
    if v == 0.0 {
        return "0.0".to_owned();
    }
    // strconv decides with a precision of 21 digits when the shortest form is asked for.
    let text = if (-4..21).contains(&decimal_exponent(v)) { float(v) } else { float_exponent(v) };
    if text.contains(['e', '.']) { text } else { text + ".0" }
}

fn special(v: f64) -> Option<&'static str> {
    match v {
        v if v.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

fn decimal_exponent(v: f64) -> i32 {
    format!("{v:e}").split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// Reads a number as Go's `ParseFloat` does for the spellings that occur in metrics.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    // Rust accepts the same words for infinity and NaN in any case, and the same decimal forms.
    text.parse().ok()
}

/// Go's `strconv.Quote` for valid UTF-8.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => write!(out, "\\x{:02x}", c as u32).unwrap_or(()),
            c if c.is_control() => write!(out, "\\u{:04x}", c as u32).unwrap_or(()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a metric name can stand bare in a query: letters, digits, `_` and `:`, no digit first.
pub(crate) fn is_legacy_metric_name(name: &str) -> bool {
    name.bytes().enumerate().all(|(i, b)| b == b':' || is_word(b, i)) && !name.is_empty()
}

/// Whether a label name can stand bare in a query: letters, digits and `_`, no digit first.
pub(crate) fn is_legacy_label_name(name: &str) -> bool {
    name.bytes().enumerate().all(|(i, b)| is_word(b, i)) && !name.is_empty()
}

fn is_word(b: u8, at: usize) -> bool {
    b == b'_' || b.is_ascii_alphabetic() || (at > 0 && b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them() {
        let cases = [(0.1, "0.1"), (1e21, "1000000000000000000000"), (-0.0, "-0"), (1e-7, "0.0000001")];
        for (v, want) in cases {
            assert_eq!(float(v), want);
        }
        assert_eq!(float(f64::NAN), "NaN");
        assert_eq!(float(f64::NEG_INFINITY), "-Inf");
    }

    #[test]
    fn the_api_uses_exponents_only_at_the_extremes() {
        assert_eq!(float_api(1e21), "1e+21");
        assert_eq!(float_api(1.5e-7), "1.5e-07");
        assert_eq!(float_api(0.000001), "0.000001");
        assert_eq!(float_api(0.0), "0");
    }

    #[test]
    fn general_form_chooses_the_shorter_one() {
        assert_eq!([float_g(1.5), float_g(1e6), float_g(1e-5)], ["1.5", "1e+06", "1e-05"]);
        assert_eq!([float_g2(3.0), float_g2(0.0012345), float_g2(123.0)], ["3", "0.0012", "1.2e+02"]);
    }

    #[test]
    fn quoting_escapes_what_go_escapes() {
        assert_eq!(quote("a\"b\\\n\u{1}é"), r#""a\"b\\\n\x01é""#);
    }

    #[test]
    fn colons_belong_to_metric_names_only() {
        assert!(is_legacy_metric_name("job:x:rate5m") && !is_legacy_label_name("job:x"));
        assert!(!is_legacy_metric_name("5xx") && !is_legacy_metric_name("") && !is_legacy_metric_name("a.b"));
    }
}

//! Numbers as text: literals of the language, and Go's `strconv` as `int()`, `float()`, `asInt()` and `asFloat()` use it.

use super::Dialect;
use super::ast::Kind;
use super::gofmt::quote;

/// The node a number token stands for, or the message about it.
pub(super) fn number(text: &str, dialect: Dialect) -> Result<Kind, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    match dialect {
        Dialect::V1_9 if digits.contains('x') => prefixed(&digits, "hex"),
        Dialect::V1_9 if digits.contains(['.', 'e', 'E']) => float(&digits),
        Dialect::V1_9 => decimal(&digits),
        Dialect::V1_10 => {
            let lower = digits.to_ascii_lowercase();
            match lower.get(..2) {
                Some("0x") => prefixed(&digits, "hex"),
                _ if lower.contains(['.', 'e']) => float(&digits),
                Some("0b") => prefixed(&digits, "binary"),
                Some("0o") => prefixed(&digits, "octal"),
                _ => decimal(&digits),
            }
        }
    }
}

fn decimal(digits: &str) -> Result<Kind, String> {
    parse_int(digits).map(Kind::Int).map_err(|e| format!("invalid integer literal: {e}"))
}

fn float(digits: &str) -> Result<Kind, String> {
    parse_float(digits).map(Kind::Float).map_err(|e| format!("invalid float literal: {e}"))
}

fn prefixed(digits: &str, name: &str) -> Result<Kind, String> {
    let radix = match name {
        "hex" => 16,
        "octal" => 8,
        _ => 2,
    };
    let has_prefix = digits.len() > 2 && digits.starts_with('0') && !digits.as_bytes()[1].is_ascii_digit();
    let value = if has_prefix { i64::from_str_radix(&digits[2..], radix) } else { "".parse::<i64>() };
    value
        .map(Kind::Int)
        .map_err(|e| format!("invalid {name} literal: {}", number_error("ParseInt", digits, is_overflow(&e))))
}

/// `strconv.ParseInt(text, 10, 64)`.
pub(super) fn parse_int(text: &str) -> Result<i64, String> {
    text.parse::<i64>().map_err(|e| number_error("ParseInt", text, is_overflow(&e)))
}

fn is_overflow(error: &std::num::ParseIntError) -> bool {
    matches!(error.kind(), std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow)
}

/// `strconv.ParseFloat(text, 64)`, except that hexadecimal floats are refused.
pub(super) fn parse_float(text: &str) -> Result<f64, String> {
    let invalid = || number_error("ParseFloat", text, false);
    let unsigned = text.trim_start_matches(['+', '-']);
    let signs = text.len() - unsigned.len();
    let named = unsigned.starts_with(|c: char| c.is_ascii_alphabetic());
    if signs > 1 || (named && unsigned.eq_ignore_ascii_case("nan") && signs > 0) {
        return Err(invalid());
    }
    let value: f64 = text.parse().map_err(|_| invalid())?;
    if value.is_infinite() && !named { Err(number_error("ParseFloat", text, true)) } else { Ok(value) }
}

fn number_error(function: &str, text: &str, overflow: bool) -> String {
    let reason = if overflow { "value out of range" } else { "invalid syntax" };
    format!("strconv.{function}: parsing {}: {reason}", quote(text))
}

/// Go's conversion of a float to an integer on amd64, where everything out of range becomes the smallest integer.
pub(super) fn float_to_int(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

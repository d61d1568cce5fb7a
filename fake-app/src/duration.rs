//! Durations as Go writes them: `300ms`, `1h2m3.5s`, `0`.
//!
//! People who write rollout policies write Go durations all day, so nothing else is understood here: `1d` and `90` are errors, as they are
//! in Go. The behaviour is that of `time.ParseDuration` and `Duration.String` in Go 1.26 (`src/time/format.go`, `src/time/time.go`),
//! oddities included (`.5s`, `1.s`, `+3m`, and fractions cut off below a nanosecond).
//! Calendar units, ISO 8601 and bare numbers are refused on purpose.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Why a text is not a Go duration. The words are Go's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text is not a duration at all, or does not fit into 64 bits of nanoseconds.
    #[error("time: invalid duration {0:?}")]
    Invalid(String),
    /// A number stands without a unit.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// The unit is not one of `ns us µs ms s m h`.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// The unit as it was written.
        unit: String,
        /// The whole text.
        text: String,
    },
    /// The text is a fine Go duration, but time does not run backwards here.
    #[error("duration {0:?} is negative")]
    Negative(String),
}

/// Reads a Go duration as Go does: signed nanoseconds.
pub fn parse_nanos(text: &str) -> Result<i64, DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (term, after) = parse_term(rest, text)?;
        total = total.checked_add(term).filter(|sum| *sum <= LIMIT).ok_or_else(invalid)?;
        rest = after;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(nanos)) => Ok(nanos),
        (false, Err(_)) => Err(invalid()),
        (true, Ok(nanos)) => Ok(-nanos),
        // Go lets exactly -2^63 through.
        (true, Err(_)) => Ok(i64::MIN),
    }
}

/// Reads a Go duration that must not be negative.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let nanos = parse_nanos(text)?;
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| DurationError::Negative(text.to_owned()))
}

/// Writes a duration as Go's `Duration.String` does: `1h2m3.5s`, `40ms`, `0s`.
#[must_use]
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 1_000_000)),
        _ => format_long(nanos),
    }
}

// 2^63: the largest magnitude Go's parser carries.
const LIMIT: u64 = 1 << 63;

/// One `number unit` pair from the front of `rest`; `text` is only for messages.
fn parse_term<'a>(rest: &'a str, text: &str) -> Result<(u64, &'a str), DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (whole, after_whole) = split_digits(rest);
    let (fraction, after_number) = match after_whole.strip_prefix('.') {
        Some(tail) => split_digits(tail),
        None => ("", after_whole),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let whole = parse_whole(whole).ok_or_else(invalid)?;
    let end = after_number.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after_number.len());
    let (unit, after) = after_number.split_at(end);
    let scale = unit_nanos(unit, text)?;
    let nanos = whole.checked_mul(scale).filter(|n| *n <= LIMIT).ok_or_else(invalid)?;
    let nanos =
        nanos.checked_add(fraction_nanos(fraction, scale)).filter(|n| *n <= LIMIT).ok_or_else(invalid)?;
    Ok((nanos, after))
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// An empty text is zero, as in `.5s`.
fn parse_whole(digits: &str) -> Option<u64> {
    if digits.is_empty() { Some(0) } else { digits.parse().ok().filter(|n| *n <= LIMIT) }
}

fn unit_nanos(unit: &str, text: &str) -> Result<u64, DurationError> {
    match unit {
        "" => Err(DurationError::MissingUnit(text.to_owned())),
        "ns" => Ok(1),
        // Both micro signs that Unicode has.
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(1_000_000_000),
        "m" => Ok(60_000_000_000),
        "h" => Ok(3_600_000_000_000),
        _ => Err(DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() }),
    }
}

/// Go multiplies fractions in floating point and cuts; digits that no longer fit into 63 bits are dropped.
fn fraction_nanos(digits: &str, unit: u64) -> u64 {
    let mut value: u64 = 0;
    let mut scale: f64 = 1.0;
    for digit in digits.bytes() {
        let next = value
            .checked_mul(10)
            .and_then(|n| n.checked_add(u64::from(digit - b'0')))
            .filter(|n| *n <= LIMIT);
        let Some(next) = next else { break };
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

fn format_long(nanos: u128) -> String {
    let minutes = nanos / 60_000_000_000;
    let seconds = decimal(nanos % 60_000_000_000, 1_000_000_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `value / unit` with as many decimals as it needs and no more.
fn decimal(value: u128, unit: u128) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{rest:0width$}").trim_end_matches('0').to_owned()
}

/// A duration that reads and writes itself as Go does, and is never negative.
///
/// Example: `90s`, `1m30s`, `300ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct GoDuration(pub Duration);

impl GoDuration {
    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format(self.0))
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GoDurationVisitor)
    }
}

/// Numbers are accepted only to be refused in Go's words: YAML reads `90` as a number before we see it.
struct GoDurationVisitor;

impl Visitor<'_> for GoDurationVisitor {
    type Value = GoDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as 300ms or 1m30s")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<GoDuration, E> {
        parse(text).map(GoDuration).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<GoDuration, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<GoDuration, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<GoDuration, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for GoDuration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A duration as Go writes it. Example: `90s`, `1m30s`, `300ms`.",
            "type": "string",
            "pattern": r"^(0|\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: i64) {
        assert_eq!(parse_nanos(text), Ok(expect), "{text}");
    }

    fn refuse(text: &str, expect: &str) {
        assert_eq!(parse_nanos(text).unwrap_err().to_string(), expect);
    }

    #[test]
    fn what_go_accepts() {
        // Each pair was printed by Go 1.26.
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("0s", 0),
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            ("-5s", -5_000_000_000),
            ("5.0s", 5_000_000_000),
            ("5.s", 5_000_000_000),
            (".5s", 500_000_000),
            ("1.004s", 1_004_000_000),
            ("1h2m3.5s", 3_723_500_000_000),
            ("39h9m14.425s", 140_954_425_000_000),
            ("12µs", 12_000),
            ("12\u{3bc}s", 12_000),
            ("12us", 12_000),
            ("1m1ns", 60_000_000_001),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.830103483285477580700h", 2_988_372_539_827),
            ("9007199254740993ns", 9_007_199_254_740_993),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
            ("1.9ns", 1),
            ("0.9223372036854775808h", 3_320_413_933_267),
        ] {
            check(text, nanos);
        }
    }

    #[test]
    fn days_are_no_unit() {
        refuse("1d", r#"time: unknown unit "d" in duration "1d""#);
    }

    #[test]
    fn a_bare_number_misses_its_unit() {
        refuse("90", r#"time: missing unit in duration "90""#);
        refuse("", r#"time: invalid duration """#);
        refuse("5 s", r#"time: unknown unit " s" in duration "5 s""#);
        refuse("abc", r#"time: invalid duration "abc""#);
    }

    #[test]
    fn what_go_calls_invalid() {
        for text in [
            "",
            "-",
            "+",
            "s",
            ".",
            ".s",
            "-.s",
            "3000000h",
            "9223372036854775808ns",
            "1s 2s",
            "ms5",
            "--1s",
            "+-5s",
        ] {
            assert!(parse_nanos(text).is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn negative_durations_are_refused_by_name() {
        assert_eq!(parse("-1s"), Err(DurationError::Negative("-1s".to_owned())));
    }

    #[test]
    fn it_is_written_as_go_writes_it() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (40_000_000, "40ms"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (3_723_500_000_000, "1h2m3.5s"),
        ] {
            assert_eq!(format(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn a_json_number_is_refused_in_the_same_words() {
        let error = serde_json::from_str::<GoDuration>("90").unwrap_err().to_string();
        assert!(error.starts_with(r#"time: missing unit in duration "90""#), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..=i64::MAX) {
            let duration = Duration::from_nanos(nanos.unsigned_abs());
            proptest::prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "[-+.0-9nuµmsh d]{0,40}|\\PC{0,20}") {
            let _ = parse_nanos(&text);
        }
    }
}

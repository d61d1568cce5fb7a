//! Shares of a whole: `8%`, or the number `0.08`.
//!
//! Only the shape is read here. Whether a share makes sense where it stands is for [`crate::fault::Fault::check`] to say, because only
//! there is it known what a better value would be.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A share of a whole, `0` to `1`, or a percentage.
///
/// Example: `8%`, `0.5%`, `0.08`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Share(pub f64);

impl Share {
    /// Reads `8%` or `0.08`.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let invalid = || ShareError(text.to_owned());
        let (digits, divisor) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim_end(), 100.0),
            None => (text, 1.0),
        };
        // Rust reads `inf`, `nan` and `1e3` as numbers; a share is written in digits.
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'))
        {
            return Err(invalid());
        }
        digits.parse::<f64>().map(|number| Self(number / divisor)).map_err(|_| invalid())
    }
}

/// The text is neither a percentage nor a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a share; write 8% or 0.08")]
pub struct ShareError(String);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        // 0.07 * 100 is 7.000000000000001; nobody asked to see that.
        let rounded = (percent * 1e6).round() / 1e6;
        write!(f, "{rounded}%")
    }
}

impl Serialize for Share {
    /// Written as a number, which loses nothing.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareVisitor)
    }
}

struct ShareVisitor;

impl Visitor<'_> for ShareVisitor {
    type Value = Share;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share such as 8% or 0.08")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Share, E> {
        Share::parse(text).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Share, E> {
        Ok(Share(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Share, E> {
        Ok(Share(number as f64))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Share, E> {
        Ok(Share(number as f64))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A share of a whole. Example: `8%`, `0.5%`, `0.08`.",
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]*\.?[0-9]+\s*%?$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: f64) {
        assert_eq!(serde_json::from_str::<Share>(json).unwrap(), Share(expect), "{json}");
    }

    #[test]
    fn percentages_and_numbers_mean_the_same() {
        check("\"8%\"", 0.08);
        check("\"8 %\"", 0.08);
        check("0.08", 0.08);
        check("\"0.08\"", 0.08);
        check("1", 1.0);
        check("\"0.5%\"", 0.005);
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "%", "eight", "nan", "inf%", "1e3", "8%%", "8 percent"] {
            let error = Share::parse(text).unwrap_err().to_string();
            assert!(error.ends_with("is not a share; write 8% or 0.08"), "{text}: {error}");
        }
    }

    #[test]
    fn it_is_shown_as_people_write_it() {
        assert_eq!(Share(0.07).to_string(), "7%");
        assert_eq!(Share(0.005).to_string(), "0.5%");
        assert_eq!(Share(1.0 / 3.0).to_string(), "33.333333%");
    }
}

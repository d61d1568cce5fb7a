//! The values that are written as one word: `50/s`, `1..3`, `4%`, `service/web`.
//!
//! Each type reads itself, says what it expected in a sentence with an example, and describes itself to the schema.
//! Durations and shares are the `fake-app` crate's, because faults are written in them too.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

pub use fake_app::duration::GoDuration as Duration;
pub use fake_app::share::Share;

/// Requests per second. Example: `50/s`, `0.5/s`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// More than this no single client sends.
    const MAX: f64 = 1_000_000.0;

    /// How many requests leave in one second.
    #[must_use]
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

/// How often something has to happen. Example: `1`, `1..3`, `2..`, `..3`; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// At least so often.
    pub min: u64,
    /// At most so often; `None` sets no bound.
    pub max: Option<u64>,
}

impl Times {
    /// Whether `count` is often enough and not too often.
    #[must_use]
    pub fn allows(self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }
}

/// How much harm is allowed: a share of all requests, or a count. Example: `4%`, `120`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A share of all requests, 0 to 1.
    Share(f64),
    /// So many requests.
    Count(u64),
}

/// Whom the traffic is sent to: the Service the strategy knows by this name, the router that it sets weights in, or any other
/// Service by its own name. Example: `active`, `preview`, `stable`, `canary`, `router`, `service/web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The blue-green strategy's `activeService`.
    Active,
    /// The blue-green strategy's `previewService`.
    Preview,
    /// The canary strategy's `stableService`.
    Stable,
    /// The canary strategy's `canaryService`.
    Canary,
    /// The Ingress or VirtualService of the canary strategy's `trafficRouting`.
    Router,
    /// The Service with this name.
    Service(String),
}

/// A port of a Service, by number or by name. Example: `80`, `http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// By number.
    Number(u16),
    /// By name.
    Name(String),
}

/// What all of them have in common; the macro below makes serde and schemars use it.
trait Scalar: Sized + fmt::Display {
    const NAME: &'static str;
    const EXPECTED: &'static str;
    fn read(text: &str) -> Option<Self>;
    fn schema() -> Schema;
}

impl Scalar for Rate {
    const NAME: &'static str = "Rate";
    const EXPECTED: &'static str = "a rate such as 50/s";

    fn read(text: &str) -> Option<Rate> {
        let number: f64 = decimal(text.strip_suffix("/s")?)?;
        (number > 0.0 && number <= Rate::MAX).then_some(Rate(number))
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "Requests per second. Example: `50/s`, `0.5/s`.",
            "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?/s$",
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl Scalar for Times {
    const NAME: &'static str = "Times";
    const EXPECTED: &'static str = "a count such as 1, or a range such as 1..3 or 2..";

    fn read(text: &str) -> Option<Times> {
        let Some((min, max)) = text.split_once("..") else {
            let n = count(text)?;
            return Some(Times { min: n, max: Some(n) });
        };
        if min.is_empty() && max.is_empty() {
            return None;
        }
        let min = if min.is_empty() { 0 } else { count(min)? };
        let max = if max.is_empty() { None } else { Some(count(max)?) };
        max.is_none_or(|max| min <= max).then_some(Times { min, max })
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "How often: a count, or a range whose ends belong to it. Example: `1`, `1..3`, `2..`, `..3`.",
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^([0-9]+|[0-9]+\.\.[0-9]*|\.\.[0-9]+)$"},
            ],
        })
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) if max == self.min => write!(f, "{max}"),
            Some(max) => write!(f, "{}..{max}", self.min),
            None => write!(f, "{}..", self.min),
        }
    }
}

impl Scalar for Limit {
    const NAME: &'static str = "Limit";
    const EXPECTED: &'static str = "a share such as 4%, or a number of requests such as 120";

    fn read(text: &str) -> Option<Limit> {
        match text.strip_suffix('%') {
            Some(percent) => {
                let share = decimal(percent.trim_end())? / 100.0;
                (share <= 1.0).then_some(Limit::Share(share))
            }
            None => count(text).map(Limit::Count),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A share of all requests, or a number of them. Example: `4%`, `120`.",
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?\s*%|[0-9]+)$"},
            ],
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Share(share) => write!(f, "{}", Share(*share)),
            Limit::Count(count) => write!(f, "{count}"),
        }
    }
}

impl Scalar for Target {
    const NAME: &'static str = "Target";
    const EXPECTED: &'static str = "active, preview, stable, canary, router or service/<name>";

    fn read(text: &str) -> Option<Target> {
        match text {
            "active" => Some(Target::Active),
            "preview" => Some(Target::Preview),
            "stable" => Some(Target::Stable),
            "canary" => Some(Target::Canary),
            "router" => Some(Target::Router),
            _ => text
                .strip_prefix("service/")
                .filter(|name| is_name(name))
                .map(|name| Target::Service(name.to_owned())),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "Whom the traffic is sent to: the Service the strategy knows by this name, the router that it sets weights \
                in, or any other Service by its own name. Example: `active`, `preview`, `stable`, `canary`, `router`, `service/web`.",
            "type": "string",
            "pattern": "^(active|preview|stable|canary|router|service/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Active => f.write_str("active"),
            Target::Preview => f.write_str("preview"),
            Target::Stable => f.write_str("stable"),
            Target::Canary => f.write_str("canary"),
            Target::Router => f.write_str("router"),
            Target::Service(name) => write!(f, "service/{name}"),
        }
    }
}

impl Scalar for Port {
    const NAME: &'static str = "Port";
    const EXPECTED: &'static str = "a port number such as 80, or a port name such as http";

    fn read(text: &str) -> Option<Port> {
        match text.parse::<u16>() {
            Ok(0) => None,
            Ok(number) => Some(Port::Number(number)),
            Err(_) => (is_name(text) && text.bytes().any(|b| b.is_ascii_alphabetic()))
                .then(|| Port::Name(text.to_owned())),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A port of the Service, by number or by name. Example: `80`, `http`.",
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
            ],
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Number(number) => write!(f, "{number}"),
            Port::Name(name) => f.write_str(name),
        }
    }
}

/// Digits with at most one point between them: what the schema's pattern says, and no `1e3` or `inf`.
fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| text.parse().ok()).flatten()
}

fn count(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A DNS label, which is what Kubernetes allows a Service to be called.
pub(crate) fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

struct ScalarVisitor<T>(std::marker::PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).ok_or_else(|| E::custom(format_args!("`{text}` is not {}", T::EXPECTED)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! scalar {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                deserializer.deserialize_any(ScalarVisitor::<$type>(std::marker::PhantomData))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$type as Scalar>::NAME.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                <$type as Scalar>::schema()
            }
        }
    )*};
}

scalar!(Rate, Times, Limit, Target, Port);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Scalar>(text: &str, expect: Option<&str>) {
        assert_eq!(T::read(text).map(|value| value.to_string()).as_deref(), expect, "{text}");
    }

    #[test]
    fn a_rate_is_per_second() {
        check::<Rate>("50/s", Some("50/s"));
        check::<Rate>("0.5/s", Some("0.5/s"));
        for text in ["50", "50/m", "/s", "0/s", "-1/s", "1e3/s", "inf/s", "2000000/s"] {
            check::<Rate>(text, None);
        }
    }

    #[test]
    fn times_are_a_count_or_a_range() {
        check::<Times>("1", Some("1"));
        check::<Times>("1..3", Some("1..3"));
        check::<Times>("2..", Some("2.."));
        check::<Times>("..3", Some("0..3"));
        for text in ["", "..", "3..1", "a", "1...3", "-1"] {
            check::<Times>(text, None);
        }
    }

    #[test]
    fn a_range_has_its_ends() {
        let times = Times { min: 1, max: Some(3) };
        assert_eq!([0, 1, 3, 4].map(|n| times.allows(n)), [false, true, true, false]);
    }

    #[test]
    fn a_limit_is_a_share_or_a_count() {
        check::<Limit>("4%", Some("4%"));
        check::<Limit>("120", Some("120"));
        for text in ["101%", "0.5", "-1", "many"] {
            check::<Limit>(text, None);
        }
    }

    #[test]
    fn a_target_is_a_role_or_a_service() {
        check::<Target>("active", Some("active"));
        check::<Target>("service/web-2", Some("service/web-2"));
        for text in ["service/", "service/Web", "web", "service/-a"] {
            check::<Target>(text, None);
        }
    }

    #[test]
    fn a_port_is_a_number_or_a_name() {
        check::<Port>("80", Some("80"));
        check::<Port>("http", Some("http"));
        for text in ["0", "65536", "", "HTTP"] {
            check::<Port>(text, None);
        }
    }
}

//! The condition language, plugged into the controllers that judge by it.
//!
//! Analysis and notifications know only functions; here they meet `condition`. Argo compiles measurement conditions
//! against the type of the result, and a trigger's `when` against nothing at all.

use serde_json::Value;

use super::analysis::{self, Measured};
use super::notifications;
use crate::argo::Version;
use crate::clock::Moment;
use crate::condition::{Condition, Dialect, Environment, Time, Value as Datum};

impl From<Version> for Dialect {
    fn from(version: Version) -> Dialect {
        match version {
            Version::V1_9 => Dialect::V1_9,
            Version::V1_10 => Dialect::V1_10,
        }
    }
}

/// What conditions of analyses are written in.
pub(super) const ANALYSIS: analysis::Language = analysis::Language { condition, moment };

/// What triggers of notifications are written in: notifications-engine v0.5.0 carries the library of the 1.9 line.
pub(super) const NOTIFICATIONS: notifications::Language = notifications::Language { compile, when, once_per };

fn condition(text: &str, measured: &Measured, now: Moment, version: Version) -> Result<bool, String> {
    let result = match measured {
        Measured::Scalar(value) => Datum::Float(*value),
        Measured::Vector(values) => Datum::vector(values.iter().copied()),
    };
    let condition = Condition::parse(text, version.into()).map_err(|error| error.to_string())?;
    condition.evaluate(&result, time(now)).map_err(|error| error.to_string())
}

fn moment(text: &str, now: Moment, version: Version) -> Result<Moment, String> {
    let condition = Condition::parse(text, version.into()).map_err(|error| error.to_string())?;
    let value =
        condition.value_in(&Environment::Metric(Datum::Nil), time(now)).map_err(|error| error.to_string())?;
    match value {
        Datum::Time(time) => Ok(Moment::from_unix_nanos(time.unix_nanos())),
        other => Err(format!("expected time, but got {}", other.type_name())),
    }
}

fn compile(text: &str) -> Result<(), String> {
    Condition::parse(text, Dialect::V1_9).map(drop).map_err(|error| error.to_string())
}

fn variables(vars: &Value) -> Environment {
    Environment::from_json(vars.as_object().unwrap_or(&serde_json::Map::new()))
}

fn when(text: &str, vars: &Value, now: Moment) -> Result<bool, String> {
    let condition = Condition::parse(text, Dialect::V1_9).map_err(|error| error.to_string())?;
    condition.evaluate_in(&variables(vars), time(now)).map_err(|error| error.to_string())
}

fn once_per(text: &str, vars: &Value, now: Moment) -> Result<String, String> {
    let condition = Condition::parse(text, Dialect::V1_9).map_err(|error| error.to_string())?;
    let value = condition.value_in(&variables(vars), time(now)).map_err(|error| error.to_string())?;
    match value {
        Datum::Str(text) => Ok(text.to_string()),
        Datum::Int(number) => Ok(number.to_string()),
        Datum::Bool(flag) => Ok(flag.to_string()),
        Datum::Float(number) => Ok(analysis::prometheus::float_text(number)),
        Datum::Nil => Ok("<nil>".to_owned()),
        other => Err(format!("oncePer gives {}, which is no name", other.type_name())),
    }
}

fn time(now: Moment) -> Time {
    Time::from_unix(now.unix_seconds(), now.since(now.truncated()).subsec_nanos())
}

//! The names a condition can use: Argo's for a metric, or the fields of an untyped object for a notification trigger.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::types::Type;
use super::value::{EnvFunc, Func, Value};

/// The names a condition is evaluated with.
#[derive(Clone, Debug)]
pub enum Environment {
    /// Argo's environment of a metric condition: `result` and the six helper functions.
    Metric(Value),
    /// Plain variables, such as `rollout` for a notification trigger.
    Variables(BTreeMap<Arc<str>, Value>),
}

impl Environment {
    /// The environment of a notification trigger: every top-level field becomes a variable.
    pub fn from_json(fields: &serde_json::Map<String, serde_json::Value>) -> Self {
        let variables = fields.iter().map(|(name, value)| (Arc::from(name.as_str()), Value::from(value)));
        Self::Variables(variables.collect())
    }

    pub(super) fn types(&self) -> Types {
        match self {
            Self::Metric(result) => Types::Metric(Type::of(result)),
            Self::Variables(_) => Types::Untyped,
        }
    }

    /// The value of a name; an absent one is nil, as in a Go map.
    pub(super) fn get(&self, name: &str) -> Value {
        match self {
            Self::Metric(result) if name == "result" => result.clone(),
            Self::Metric(_) => env_func(name).map_or(Value::Nil, |func| Value::Func(Func::Env(func))),
            Self::Variables(variables) => variables.get(name).cloned().unwrap_or_default(),
        }
    }

    /// The whole environment as a map, for `$env`.
    pub(super) fn as_map(&self) -> Value {
        match self {
            Self::Variables(variables) => Value::map(variables.clone()),
            Self::Metric(result) => {
                let functions =
                    EnvFunc::ALL.map(|(name, func)| (Arc::from(name), Value::Func(Func::Env(func))));
                Value::map(functions.into_iter().chain([(Arc::from("result"), result.clone())]))
            }
        }
    }

    /// The metric result that `isNil` and `default` look at.
    pub(super) fn result(&self) -> &Value {
        const NIL: &Value = &Value::Nil;
        match self {
            Self::Metric(result) => result,
            Self::Variables(_) => NIL,
        }
    }
}

/// The types of an environment's names: all that the checker may know.
#[derive(Clone, Debug)]
pub(super) enum Types {
    Metric(Type),
    /// Compiled without an environment: every name is known and of an unknown type.
    Untyped,
}

impl Types {
    /// Whether a name that is not there is an error.
    pub(super) fn is_strict(&self) -> bool {
        matches!(self, Self::Metric(_))
    }

    pub(super) fn get(&self, name: &str) -> Option<Type> {
        match self {
            Self::Metric(result) if name == "result" => Some(result.clone()),
            Self::Metric(_) => env_func(name).map(|func| Type::Func(Arc::new(func.signature()))),
            Self::Untyped => None,
        }
    }
}

fn env_func(name: &str) -> Option<EnvFunc> {
    EnvFunc::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, func)| func)
}

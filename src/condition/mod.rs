//! The condition language of Argo Rollouts: `successCondition`, `failureCondition`, and the `when` of notification triggers.
//!
//! The controller hands these texts to the Go library "expr", which *compiles them against the type of the measured value* and
//! then runs them. A compile or run error makes a measurement `Error`, never `Failed`, and that changes what a rollout does; so
//! this module reproduces the library's type checker and its failures, not only its results. Two versions are carried:
//! [`Dialect::V1_9`] is antonmedv/expr v1.15.5 (Argo Rollouts v1.9), [`Dialect::V1_10`] is expr-lang/expr v1.17.8 (the 1.10 line).
//!
//! Evaluation is pure and bounded: the present time is an argument, every walk has a known depth, and steps and sizes have budgets.
//!
//! It refuses by name what it does not imitate: byte literals, time zones other than UTC, some methods of `time.Time`, builtins
//! called through a variable, and expressions nested deeper than 64 levels. It never decides what an error *means*: phases and
//! counters belong to the analysis controller.

mod access;
mod ast;
mod calls;
mod checker;
mod duration;
mod environment;
mod error;
mod eval;
mod fold;
mod functions;
mod gofmt;
mod invoke;
mod layout;
mod lexer;
mod literals;
mod loops;
mod methods;
mod names;
mod numbers;
mod operators;
mod ops;
mod parser;
mod pattern;
mod probe;
mod signatures;
mod sorting;
mod terms;
#[cfg(test)]
mod tests;
mod texts;
mod time;
mod types;
mod value;

pub use environment::Environment;
pub use error::{Error, Stage};
pub use probe::{Comparison, Probe, Role, probe};
pub use time::Time;
pub use value::{Elem, EnvFunc, Func, Key, List, Map, MapKind, Value};

use environment::Types;
use types::Type;

/// Which version of the Go library is imitated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// antonmedv/expr v1.15.5, used by Argo Rollouts up to v1.9.
    #[default]
    V1_9,
    /// expr-lang/expr v1.17.8, used by the 1.10 line of Argo Rollouts.
    V1_10,
}

/// The static type of a metric result, as its provider delivers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `[]float64`: a Prometheus vector or matrix.
    Vector,
    /// `float64`: a Prometheus scalar.
    Scalar,
    /// A string.
    Text,
    /// A boolean, as a JSON document may be.
    Bool,
    /// A list of anything: a JSON array.
    List,
    /// A map of anything: a JSON object.
    Object,
    /// Nothing is known: every check that depends on the result passes.
    Any,
}

impl Shape {
    fn ty(self) -> Type {
        match self {
            Self::Vector => Type::slice(Type::Float),
            Self::Scalar => Type::Float,
            Self::Text => Type::Str,
            Self::Bool => Type::Bool,
            Self::List => Type::list(),
            Self::Object => Type::Map(MapKind::StringToAny),
            Self::Any => Type::Any,
        }
    }
}

/// A condition that is at least an expression.
#[derive(Clone, Debug)]
pub struct Condition {
    root: ast::Node,
    dialect: Dialect,
}

impl Condition {
    /// Parses `source`.
    pub fn parse(source: &str, dialect: Dialect) -> Result<Self, Error> {
        Ok(Self { root: parser::parse(source, dialect)?, dialect })
    }

    /// The static check alone: would this condition compile against a result of this shape? Says nothing about running it.
    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        self.compile(&Types::Metric(shape.ty())).map(|_| ())
    }

    /// Argo's `EvalCondition`: compile against the type of `result`, run, demand a boolean.
    pub fn evaluate(&self, result: &Value, now: Time) -> Result<bool, Error> {
        self.evaluate_in(&Environment::Metric(result.clone()), now)
    }

    /// Evaluates in any environment and demands a boolean.
    pub fn evaluate_in(&self, environment: &Environment, now: Time) -> Result<bool, Error> {
        match self.value_in(environment, now)? {
            Value::Bool(value) => Ok(value),
            other => Err(Error::run(format!("expected bool, but got {}", other.type_name()), self.root.span)),
        }
    }

    /// Evaluates in any environment and gives back whatever comes out, as the range expressions of the Prometheus provider need.
    pub fn value_in(&self, environment: &Environment, now: Time) -> Result<Value, Error> {
        let program = self.compile(&environment.types())?;
        eval::run(&program, environment, now, self.dialect)
    }

    fn compile(&self, types: &Types) -> Result<ast::Node, Error> {
        let mut program = self.root.clone();
        checker::check(&mut program, types, self.dialect)?;
        fold::optimise(&mut program, self.dialect)?;
        Ok(program)
    }
}

/// Parses, compiles against the type of `result`, runs, and demands a boolean: what Argo does at every measurement.
pub fn evaluate(source: &str, dialect: Dialect, result: &Value, now: Time) -> Result<bool, Error> {
    Condition::parse(source, dialect)?.evaluate(result, now)
}

/// The static part of [`evaluate`], for a linter that knows only the shape of the result.
pub fn check(source: &str, dialect: Dialect, shape: Shape) -> Result<(), Error> {
    Condition::parse(source, dialect)?.check(shape)
}

/// Evaluates the `when` of a notification trigger against untyped variables.
///
/// The triggers of Argo are compiled without an environment, so nothing is checked statically; every failure is a run error, which
/// the notification engine logs and treats as "not triggered".
pub fn evaluate_when(
    source: &str,
    dialect: Dialect,
    environment: &Environment,
    now: Time,
) -> Result<bool, Error> {
    Condition::parse(source, dialect)?.evaluate_in(environment, now)
}

/// The text the 1.10 line of Argo Rollouts puts into a measurement's message (`utils/evaluate/evaluate.go`).
///
/// `field` is `successCondition` or `failureCondition`. An empty or absent result hides the library's own words.
pub fn wrap_error(field: &str, source: &str, error: &Error, result: &Value) -> String {
    let empty = match result {
        Value::Nil => true,
        Value::List(list) => list.items().is_empty(),
        _ => false,
    };
    let cause = match empty {
        true => "metric result is nil or empty: no data returned from the metric provider",
        false => &error.message,
    };
    format!("could not evaluate {field} {}: {cause}", gofmt::quote(source))
}

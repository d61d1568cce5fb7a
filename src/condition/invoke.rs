//! Calling functions of the environment and methods: what Go accepts as arguments, and what Argo's helpers do.

use super::Dialect;
use super::error::{Error, Span};
use super::eval::{Evaluated, Vm, conversion};
use super::gofmt;
use super::literals;
use super::methods;
use super::types::{Signature, Type};
use super::value::{EnvFunc, Func, Value};

impl Vm<'_> {
    pub(super) fn call(&self, function: &Value, arguments: &[Value], typed: bool, span: Span) -> Evaluated {
        match function {
            Value::Func(Func::Env(func)) => {
                self.fit(&func.signature(), arguments, typed, span)?;
                self.env_call(*func, arguments).map_err(|message| Error::run(message, span))
            }
            Value::Func(Func::Method(receiver, name)) => {
                let unknown =
                    || Error::run(format!("cannot fetch {name} from {}", receiver.type_name()), span);
                let signature = methods::signature(&Type::of(receiver), name).ok_or_else(unknown)?;
                self.fit(&signature, arguments, typed, span)?;
                methods::call(receiver, name, arguments).ok_or_else(unknown)
            }
            other => Err(Error::run(self.not_a_function(other), span)),
        }
    }

    fn not_a_function(&self, value: &Value) -> String {
        match (self.dialect, value) {
            (Dialect::V1_9, Value::Nil) => "reflect: call of reflect.Value.Call on zero Value".to_owned(),
            (Dialect::V1_9, other) => {
                format!("reflect: call of reflect.Value.Call on {} Value", other.kind_name())
            }
            (Dialect::V1_10, Value::Nil) => "invalid operation: cannot call nil".to_owned(),
            (Dialect::V1_10, other) => {
                format!("invalid operation: cannot call non-function of type {}", other.type_name())
            }
        }
    }

    /// Whether the arguments have the types Go's function takes; a compiled call converts, a reflected one compares.
    fn fit(&self, signature: &Signature, arguments: &[Value], typed: bool, span: Span) -> Result<(), Error> {
        let (wanted, got) = (signature.inputs.len(), arguments.len());
        if wanted != got {
            let few = if got < wanted { "few" } else { "many" };
            return Err(Error::run(
                match self.dialect {
                    Dialect::V1_9 => format!("reflect: Call with too {few} input arguments"),
                    Dialect::V1_10 => format!("invalid number of arguments: expected {wanted}, got {got}"),
                },
                span,
            ));
        }
        // Upstream unpacks the arguments of a compiled call from the last to the first.
        for (input, argument) in signature.inputs.iter().zip(arguments).rev() {
            let fits = *input == Type::Any || Type::of(argument) == *input;
            if !fits && typed {
                return Err(conversion(argument, &input.to_string(), span));
            }
            if !fits {
                let got = if argument.is_nil() { "interface {}".to_owned() } else { argument.type_name() };
                return Err(Error::run(format!("reflect: Call using {got} as type {input}"), span));
            }
        }
        Ok(())
    }

    /// Argo's helpers (`utils/evaluate/evaluate.go`).
    fn env_call(&self, func: EnvFunc, arguments: &[Value]) -> Result<Value, String> {
        let result = self.environment.result();
        let argument = arguments.first().unwrap_or(&Value::Nil);
        let refused = |name: &str| {
            let (ty, shown) = (argument.type_name(), gofmt::value(argument));
            Err(format!("{name}() not supported on {ty} {shown}"))
        };
        match (func, argument) {
            (EnvFunc::AsInt, Value::Float(value)) => Ok(Value::Int64(literals::float_to_int(*value))),
            (EnvFunc::AsInt, Value::Str(text)) => literals::parse_int(text).map(Value::Int64),
            (EnvFunc::AsInt, other) => {
                other.as_integer().map_or_else(|| refused("asInt"), |value| Ok(Value::Int64(value)))
            }
            (EnvFunc::AsFloat, Value::Str(text)) => literals::parse_float(text).map(Value::Float),
            (EnvFunc::AsFloat, other) => {
                other.as_number().map_or_else(|| refused("asFloat"), |value| Ok(Value::Float(value)))
            }
            (EnvFunc::IsNaN, other) => Ok(Value::Bool(other.as_number().is_some_and(f64::is_nan))),
            (EnvFunc::IsInf, other) => Ok(Value::Bool(other.as_number().is_some_and(f64::is_infinite))),
            (EnvFunc::IsNil, _) => Ok(Value::Bool(result.is_nil())),
            (EnvFunc::Default, _) if result.is_nil() => Ok(arguments.get(1).cloned().unwrap_or_default()),
            (EnvFunc::Default, _) => Ok(result.clone()),
        }
    }
}

//! Functions of one value at a time.

use super::super::ast::{Call, Expr};
use super::super::error::EvalError;
use super::super::eval::{Element, Evaluator};
use super::map;

/// The function of a single number called `name`.
pub(super) fn function(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "sqrt" => f64::sqrt,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "asinh" => f64::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        "rad" => |v| v * std::f64::consts::PI / 180.0,
        "deg" => |v| v * 180.0 / std::f64::consts::PI,
        "sgn" => |v| {
            if v == 0.0 || v.is_nan() { v } else { v.signum() }
        },
        _ => return None,
    })
}

/// `clamp` and its halves, and `round`.
pub(super) fn with_scalars(
    ev: &Evaluator<'_>,
    call: &Call,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let elements = ev.vector(&call.args[0], t)?;
    let scalars = call.args[1..].iter().map(|arg| ev.scalar(arg, t)).collect::<Result<Vec<_>, _>>()?;
    let (least, most) = match (call.func.name, scalars.as_slice()) {
        ("clamp", [least, most]) => (*least, *most),
        ("clamp_min", [least]) => (*least, f64::INFINITY),
        ("clamp_max", [most]) => (f64::NEG_INFINITY, *most),
        (_, scalars) => {
            // Dividing by the inverse keeps 0.1 and its kind exact.
            let inverse = 1.0 / scalars.first().copied().unwrap_or(1.0);
            return map(ev, elements, |v| (v * inverse + 0.5).floor() / inverse, expr);
        }
    };
    if most < least {
        return Ok(Vec::new());
    }
    map(ev, elements, |v| max(least, min(most, v)), expr)
}

/// Go's `math.Max`: unlike Rust's, it passes NaN on, except against +Inf.
pub(super) fn max(a: f64, b: f64) -> f64 {
    match (a, b) {
        _ if a == f64::INFINITY || b == f64::INFINITY => f64::INFINITY,
        _ if a.is_nan() || b.is_nan() => f64::NAN,
        _ => a.max(b),
    }
}

/// Go's `math.Min`: unlike Rust's, it passes NaN on, except against -Inf.
pub(super) fn min(a: f64, b: f64) -> f64 {
    -max(-a, -b)
}

//! Rewriting labels: `label_replace` and `label_join`. Series that become equal are an error.

use std::sync::Arc;

use super::super::ast::{Call, Expr, ExprKind};
use super::super::error::EvalError;
use super::super::eval::{Element, Evaluator, ensure_unique};
use super::super::labels::METRIC_NAME;

/// `label_replace(v, dst, replacement, src, regex)`
pub(super) fn replace(
    ev: &Evaluator<'_>,
    call: &Call,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let (target, replacement) = (text(&call.args[1])?, text(&call.args[2])?);
    let source = text(&call.args[3])?;
    let Some(pattern) = &call.pattern else {
        let message = format!("invalid regular expression in label_replace(): {}", text(&call.args[4])?);
        return Err(EvalError::new(call.args[4].span(), message));
    };
    check_name(call, &target, "destination", &call.args[1])?;
    let mut elements = ev.vector(&call.args[0], t)?;
    for element in &mut elements {
        if let Some(found) = pattern.captures(element.labels.value(&source)) {
            let mut value = String::new();
            found.expand(&replacement, &mut value);
            set(element, &target, &value);
        }
    }
    ensure_unique(&elements, expr.span())?;
    Ok(elements)
}

/// `label_join(v, dst, separator, src…)`
pub(super) fn join(ev: &Evaluator<'_>, call: &Call, expr: &Expr, t: i64) -> Result<Vec<Element>, EvalError> {
    let (target, separator) = (text(&call.args[1])?, text(&call.args[2])?);
    let sources = call.args[3..].iter().map(text).collect::<Result<Vec<_>, _>>()?;
    for (source, arg) in sources.iter().zip(&call.args[3..]) {
        check_name(call, source, "source", arg)?;
    }
    check_name(call, &target, "destination", &call.args[1])?;
    let mut elements = ev.vector(&call.args[0], t)?;
    for element in &mut elements {
        let values: Vec<&str> = sources.iter().map(|source| element.labels.value(source)).collect();
        let value = values.join(&separator);
        set(element, &target, &value);
    }
    ensure_unique(&elements, expr.span())?;
    Ok(elements)
}

fn set(element: &mut Element, label: &str, value: &str) {
    element.labels = element.labels.with(label, value);
    // A name that was just given is meant to stay.
    element.drop_name &= label != METRIC_NAME;
}

/// Any text is a label name nowadays, except none at all.
fn check_name(call: &Call, name: &str, role: &str, arg: &Expr) -> Result<(), EvalError> {
    if !name.is_empty() {
        return Ok(());
    }
    let message = format!("invalid {role} label name in {}(): {name}", call.func.name);
    Err(EvalError::new(arg.span(), message))
}

pub(super) fn text(arg: &Expr) -> Result<Arc<str>, EvalError> {
    match &arg.unparen().kind {
        ExprKind::String(text) => Ok(text.clone()),
        _ => Err(EvalError::new(arg.span(), "expected a string")),
    }
}

//! The rules beyond grammar: types, argument counts, and which modifiers go together
//! (Prometheus `promql/parser/parse.go` `checkAST`, v3, whose wording is kept).

use super::super::ast::ValueType::{Scalar, Vector};
use super::super::ast::{AggregateOp, Binary, Call, Cardinality, Expr, ExprKind, ValueType};
use super::super::error::{ParseError, Span};
use super::super::signature::{self, Function, Variadic};
use super::super::{format, matcher};

pub(super) fn unary(inner: &Expr) -> Result<ValueType, ParseError> {
    match inner.value_type {
        Scalar | Vector => Ok(inner.value_type),
        got => {
            let message = format!(
                "unary expression only allowed on expressions of type scalar or instant vector, got \"{got}\""
            );
            Err(ParseError::new(inner.span.clone(), message))
        }
    }
}

/// Checks an operator against its operands, completes the matching of set operators, and returns the result type.
pub(super) fn binary(binary: &mut Binary, op_span: Span) -> Result<ValueType, ParseError> {
    let (lt, rt) = (binary.lhs.value_type, binary.rhs.value_type);
    let scalars = lt == Scalar && rt == Scalar;
    if binary.return_bool && !binary.op.is_comparison() {
        return Err(ParseError::new(op_span, "bool modifier can only be used on comparison operators"));
    }
    if binary.op.is_comparison() && !binary.return_bool && scalars {
        return Err(ParseError::new(op_span, "comparisons between scalars must use BOOL modifier"));
    }
    for side in [&binary.lhs, &binary.rhs] {
        if !matches!(side.value_type, Scalar | Vector) {
            let message = "binary expression must contain only scalar and instant vector types";
            return Err(ParseError::new(side.span.clone(), message));
        }
    }
    matching(binary, &op_span)?;
    Ok(if scalars { Scalar } else { Vector })
}

fn matching(binary: &mut Binary, op_span: &Span) -> Result<(), ParseError> {
    let (op, matching) = (binary.op, &mut binary.matching);
    let whole = binary.lhs.span.start..binary.rhs.span.end;
    if let Some(label) = matching.labels.iter().find(|l| matching.on && matching.include.contains(l)) {
        let message = format!("label {} must not occur in ON and GROUP clause at once", format::quote(label));
        return Err(ParseError::new(op_span.clone(), message));
    }
    if (binary.lhs.value_type, binary.rhs.value_type) != (Vector, Vector) {
        if op.is_set() {
            let message = format!(
                "set operator {} not allowed in binary scalar expression",
                format::quote(op.symbol())
            );
            return Err(ParseError::new(whole, message));
        }
        if !matching.labels.is_empty() {
            return Err(ParseError::new(whole, "vector matching only allowed between instant vectors"));
        }
        if matching.fill.any() {
            let message = "filling in missing series only allowed between instant vectors";
            return Err(ParseError::new(whole, message));
        }
    } else if op.is_set() {
        if matching.fill.any() {
            let message = "filling in missing series not allowed for set operators";
            return Err(ParseError::new(whole, message));
        }
        if matching.cardinality != Cardinality::OneToOne {
            let message = format!("no grouping allowed for {} operation", format::quote(op.symbol()));
            return Err(ParseError::new(whole, message));
        }
        matching.cardinality = Cardinality::ManyToMany;
    }
    Ok(())
}

pub(super) fn function(name: &str, span: &Span) -> Result<&'static Function, ParseError> {
    signature::function(name).ok_or_else(|| {
        let message = format!("unknown function with name {}", format::quote(name));
        ParseError::new(span.clone(), message)
    })
}

pub(super) fn call(func: &'static Function, args: Vec<Expr>, span: &Span) -> Result<Call, ParseError> {
    check_count(func, args.len(), span)?;
    for (i, arg) in args.iter().enumerate() {
        let want = func.args[i.min(func.args.len() - 1)];
        if arg.value_type != want {
            let message =
                format!("expected type {want} in call to function \"{}\", got {}", func.name, arg.value_type);
            return Err(ParseError::new(arg.span.clone(), message));
        }
    }
    if let (true, Some(labels)) = (func.name == "info", args.get(1)) {
        match &labels.kind {
            ExprKind::Selector(selector) if selector.name.is_none() => {}
            ExprKind::Selector(_) => {
                let message = "expected label selectors only, got vector selector instead";
                return Err(ParseError::new(labels.span.clone(), message));
            }
            _ => return Err(ParseError::new(labels.span.clone(), "expected label selectors only")),
        }
    }
    let pattern = match args.get(4).map(|arg| &arg.unparen().kind) {
        Some(ExprKind::String(text)) if func.name == "label_replace" => matcher::anchored(text).ok(),
        _ => None,
    };
    Ok(Call { func, args, pattern })
}

fn check_count(func: &Function, got: usize, span: &Span) -> Result<(), ParseError> {
    let listed = func.args.len();
    let (least, most) = match func.variadic {
        Variadic::No => (listed, Some(listed)),
        Variadic::Optional => (listed - 1, Some(listed)),
        Variadic::Any => (listed - 1, None),
        Variadic::UpTo(most) => (listed - 1, Some(listed - 1 + most)),
    };
    let name = format::quote(func.name);
    let complaint = match most {
        Some(most) if least == most && got != most => {
            format!("expected {most} argument(s) in call to {name}, got {got}")
        }
        _ if got < least => {
            format!("expected at least {least} argument(s) in call to {name}, got {got}")
        }
        Some(most) if got > most => {
            format!("expected at most {most} argument(s) in call to {name}, got {got}")
        }
        _ => return Ok(()),
    };
    Err(ParseError::new(span.clone(), complaint))
}

/// Splits the arguments of an aggregation into parameter and operand.
pub(super) fn aggregate(
    op: AggregateOp,
    mut args: Vec<Expr>,
    span: &Span,
) -> Result<(Option<Expr>, Expr), ParseError> {
    let wanted = 1 + usize::from(op.param_type().is_some());
    let got = args.len();
    let operand = match args.pop() {
        None => {
            return Err(ParseError::new(span.clone(), "no arguments for aggregate expression provided"));
        }
        Some(_) if got != wanted => {
            let message = format!(
                "wrong number of arguments for aggregate expression provided, expected {wanted}, got {got}"
            );
            return Err(ParseError::new(span.clone(), message));
        }
        Some(operand) => operand,
    };
    let param = args.pop();
    expect(&operand, Vector, "aggregation expression")?;
    if let (Some(param), Some(want)) = (&param, op.param_type()) {
        expect(param, want, "aggregation parameter")?;
    }
    Ok((param, operand))
}

fn expect(expr: &Expr, want: ValueType, context: &str) -> Result<(), ParseError> {
    if expr.value_type == want {
        return Ok(());
    }
    let message = format!("expected type {want} in {context}, got {}", expr.value_type);
    Err(ParseError::new(expr.span.clone(), message))
}

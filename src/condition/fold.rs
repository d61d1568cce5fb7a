//! The optimiser's rewrites that can be seen from outside (`optimizer/`): constants are folded, which turns `x || true` into
//! `true` even where `x` would fail, and makes `1 % 0` an error of compilation.

use std::sync::Arc;

use super::Dialect;
use super::ast::{BinaryOp, Builtin, Kind, Mode, Node, UnaryOp, each_child_mut};
use super::error::Error;
use super::ops;
use super::types::{GoKind, Type};
use super::value::Value;

/// Rewrites a checked tree in place.
pub(super) fn optimise(node: &mut Node, dialect: Dialect) -> Result<(), Error> {
    constant_sets(node);
    fold(node, dialect)?;
    merge(node, dialect);
    equalities(node, dialect);
    Ok(())
}

/// The compiler compares two plain `int`s or two `string`s without looking at their types again; v1.15.5 only for `==`.
fn equalities(node: &mut Node, dialect: Dialect) {
    each_child_mut(&mut node.kind, &mut |child| equalities(child, dialect));
    let Kind::Binary { op, left, right, mode } = &mut node.kind else { return };
    let constants = matches!((&left.kind, &right.kind), (Kind::Int(_), Kind::Int(_)));
    if *op == BinaryOp::Range && constants && dialect == Dialect::V1_9 {
        *mode = Mode::Ints;
    }
    if *op == BinaryOp::Equal || (*op == BinaryOp::NotEqual && dialect == Dialect::V1_10) {
        *mode = match (&left.ty, &right.ty) {
            (Type::Int, Type::Int) => Mode::Ints,
            (Type::Str, Type::Str) => Mode::Strings,
            _ => Mode::General,
        };
    }
}

/// v1.15.5 forgets the type of a node it replaces, except by a number it computed.
fn forget_type(node: &mut Node, dialect: Dialect) {
    if dialect == Dialect::V1_9 {
        node.ty = Type::Any;
    }
}

/// `x in ["a", "b"]` becomes a lookup in a map with string keys; so does `x in [1, 2]` if `x` is statically an `int`.
fn constant_sets(node: &mut Node) {
    each_child_mut(&mut node.kind, &mut |child| constant_sets(child));
    let Kind::Binary { op: BinaryOp::In, left, right, mode } = &mut node.kind else { return };
    let Kind::Array(items) = &right.kind else { return };
    let int_subject = left.ty.kind() == GoKind::Int;
    let constants = |of: &str| -> Option<Arc<[Value]>> {
        let members: Option<Vec<Value>> = items
            .iter()
            .map(|item| match (&item.kind, of) {
                (Kind::Str(text), "string") => Some(Value::Str(text.clone())),
                (Kind::Int(value), "int") if int_subject => Some(Value::Int(*value)),
                _ => None,
            })
            .collect();
        members.filter(|members| !members.is_empty()).map(Arc::from)
    };
    for of in ["int", "string"] {
        if let Some(members) = constants(of) {
            *mode = Mode::Set { members, of };
        }
    }
}

fn fold(node: &mut Node, dialect: Dialect) -> Result<(), Error> {
    let mut failed = None;
    each_child_mut(&mut node.kind, &mut |child| {
        if failed.is_none() {
            failed = fold(child, dialect).err();
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    merge_filters(node, dialect)?;
    if let Some((kind, ty)) = folded(node)? {
        let modulo = matches!(node.kind, Kind::Binary { op: BinaryOp::Modulo, .. });
        node.kind = kind;
        node.ty = ty;
        if modulo {
            forget_type(node, dialect);
        }
    }
    Ok(())
}

/// `filter(filter(a, p), q)` becomes `filter(a, p && q)`; v1.17.8 then folds the new condition too.
fn merge_filters(node: &mut Node, dialect: Dialect) -> Result<(), Error> {
    if !is_filter(node) {
        return Ok(());
    }
    let span = node.span;
    let Kind::Builtin(Builtin { arguments, .. }) = &mut node.kind else { return Ok(()) };
    let [list, outer] = arguments.as_mut_slice() else { return Ok(()) };
    if !is_filter(list) {
        return Ok(());
    }
    let Some(inner) = take_builtin(list) else { return Ok(()) };
    let Ok([source, inner]) = <[Node; 2]>::try_from(inner.arguments) else { return Ok(()) };
    let outer_closure = std::mem::replace(outer, Node::new(Kind::Nil, span));
    let body = |closure: Node| match closure.kind {
        Kind::Closure(body) => body,
        _ => Box::new(closure),
    };
    let (left, right) = (body(inner), body(outer_closure));
    let mut both =
        Node::new(Kind::Binary { op: BinaryOp::And("&&"), left, right, mode: Mode::General }, span);
    if dialect == Dialect::V1_10 {
        fold(&mut both, dialect)?;
    }
    *outer = Node::new(Kind::Closure(Box::new(both)), span);
    *list = source;
    Ok(())
}

fn folded(node: &mut Node) -> Result<Option<(Kind, Type)>, Error> {
    let span = node.span;
    match &mut node.kind {
        Kind::Unary { op, operand } => Ok(folded_unary(*op, operand)),
        Kind::Binary { op: op @ (BinaryOp::And(_) | BinaryOp::Or(_)), left, right, .. } => {
            let absorbing = matches!(op, BinaryOp::Or(_));
            Ok(folded_logic(absorbing, left, right))
        }
        Kind::Binary { op: BinaryOp::Modulo, left, right, .. } => match (&left.kind, &right.kind) {
            (Kind::Int(_), Kind::Int(0)) => Err(Error::check("integer divide by zero", span)),
            (Kind::Int(a), Kind::Int(b)) => Ok(Some((Kind::Int(a.wrapping_rem(*b)), Type::Int))),
            _ => Ok(None),
        },
        Kind::Binary { op: BinaryOp::Equal, left, right, .. } => Ok(match (&left.kind, &right.kind) {
            (Kind::Int(a), Kind::Int(b)) => Some((Kind::Bool(a == b), Type::Bool)),
            (Kind::Str(a), Kind::Str(b)) => Some((Kind::Bool(a == b), Type::Bool)),
            (Kind::Bool(a), Kind::Bool(b)) => Some((Kind::Bool(a == b), Type::Bool)),
            _ => None,
        }),
        Kind::Binary { op, left, right, .. } => Ok(folded_arithmetic(*op, left, right)),
        _ => Ok(None),
    }
}

fn folded_unary(op: UnaryOp, operand: &Node) -> Option<(Kind, Type)> {
    Some(match (op, &operand.kind) {
        (UnaryOp::Minus, Kind::Int(value)) => (Kind::Int(value.wrapping_neg()), Type::Int),
        (UnaryOp::Minus, Kind::Float(value)) => (Kind::Float(-value), Type::Float),
        (UnaryOp::Plus, Kind::Int(value)) => (Kind::Int(*value), Type::Int),
        (UnaryOp::Plus, Kind::Float(value)) => (Kind::Float(*value), Type::Float),
        (UnaryOp::Not | UnaryOp::Bang, Kind::Bool(value)) => (Kind::Bool(!value), Type::Bool),
        _ => return None,
    })
}

/// `absorbing` is the constant that decides the whole: true for "or", false for "and".
fn folded_logic(absorbing: bool, left: &mut Node, right: &mut Node) -> Option<(Kind, Type)> {
    let constant = |node: &Node| if let Kind::Bool(value) = node.kind { Some(value) } else { None };
    let (l, r) = (constant(left), constant(right));
    let take = |node: &mut Node| Some((std::mem::replace(&mut node.kind, Kind::Nil), node.ty.clone()));
    if l == Some(!absorbing) {
        return take(right);
    }
    if r == Some(!absorbing) {
        return take(left);
    }
    (l.is_some() || r.is_some()).then_some((Kind::Bool(absorbing), Type::Bool))
}

fn folded_arithmetic(op: BinaryOp, left: &Node, right: &Node) -> Option<(Kind, Type)> {
    let foldable = matches!(
        op,
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Power(_)
    );
    let value = |node: &Node| match &node.kind {
        Kind::Int(value) => Some(Value::Int(*value)),
        Kind::Float(value) => Some(Value::Float(*value)),
        Kind::Str(text) if op == BinaryOp::Add => Some(Value::Str(text.clone())),
        _ => None,
    };
    if !foldable {
        return None;
    }
    match ops::arithmetic(op, &value(left)?, &value(right)?).ok()? {
        Value::Int(value) => Some((Kind::Int(value), Type::Int)),
        Value::Float(value) => Some((Kind::Float(value), Type::Float)),
        Value::Str(text) => Some((Kind::Str(text), Type::Str)),
        _ => None,
    }
}

/// Merges `filter` with what follows it, so that elements after the decisive one are never looked at.
fn merge(node: &mut Node, dialect: Dialect) {
    each_child_mut(&mut node.kind, &mut |child| merge(child, dialect));
    merge_range(node);
    merge_map(node, dialect);
    merge_count(node, dialect);
    merge_find(node, dialect);
    if dialect == Dialect::V1_10 {
        unfold_sum(node);
    }
}

/// `x in 1..9` for an `int`: two comparisons, which fail for nil where a lookup would not.
fn merge_range(node: &mut Node) {
    let Kind::Binary { op: BinaryOp::In, left, right, .. } = &mut node.kind else { return };
    let Kind::Binary { op: BinaryOp::Range, left: from, right: to, .. } = &mut right.kind else { return };
    let ints = matches!((&from.kind, &to.kind), (Kind::Int(_), Kind::Int(_)));
    if !ints || left.ty.kind() != GoKind::Int {
        return;
    }
    let bound = |op, subject: &Node, bound: &mut Node| {
        let mode = Mode::General;
        let bound = std::mem::replace(bound, Node::new(Kind::Nil, subject.span));
        let kind = Kind::Binary { op, left: Box::new(subject.clone()), right: Box::new(bound), mode };
        Box::new(Node::new(kind, node.span))
    };
    let low = bound(BinaryOp::GreaterEqual, left, from);
    let high = bound(BinaryOp::LessEqual, left, to);
    node.kind = Kind::Binary { op: BinaryOp::And("and"), left: low, right: high, mode: Mode::General };
}

fn is_filter(node: &Node) -> bool {
    matches!(&node.kind, Kind::Builtin(Builtin { name: "filter", arguments, .. }) if arguments.len() == 2)
}

fn take_builtin(node: &mut Node) -> Option<Builtin> {
    match std::mem::replace(&mut node.kind, Kind::Nil) {
        Kind::Builtin(builtin) => Some(builtin),
        other => {
            node.kind = other;
            None
        }
    }
}

/// `map(filter(a, p), m)`. v1.15.5 does so even if `m` uses `#index`, which then counts the elements of `a`.
fn merge_map(node: &mut Node, dialect: Dialect) {
    let Kind::Builtin(Builtin { name: "map", arguments, .. }) = &mut node.kind else { return };
    let [list, closure] = arguments.as_mut_slice() else { return };
    let Kind::Closure(body) = &mut closure.kind else { return };
    let merged = matches!(&list.kind, Kind::Builtin(Builtin { map: Some(_), .. }));
    if !is_filter(list) || merged || (dialect == Dialect::V1_10 && uses_index(body)) {
        return;
    }
    let body = std::mem::replace(&mut **body, Node::new(Kind::Nil, closure.span));
    if let Some(mut filter) = take_builtin(list) {
        filter.map = Some(Box::new(body));
        node.kind = Kind::Builtin(filter);
    }
}

fn uses_index(node: &Node) -> bool {
    let mut found = matches!(&node.kind, Kind::Pointer(name) if **name == *"index");
    super::ast::each_child(&node.kind, &mut |child| found |= uses_index(child));
    found
}

/// `len(filter(a, p))` counts; under v1.17.8 `count(a, p) > 0` asks for any.
fn merge_count(node: &mut Node, dialect: Dialect) {
    match &mut node.kind {
        Kind::Builtin(Builtin { name: "len", arguments, .. }) => {
            let [list] = arguments.as_mut_slice() else { return };
            if !is_filter(list) {
                return;
            }
            if let Some(filter) = take_builtin(list) {
                node.kind = Kind::Builtin(Builtin { name: "count", map: None, ..filter });
                forget_type(node, dialect);
            }
        }
        Kind::Binary { op, left, right, .. } if dialect == Dialect::V1_10 => {
            let least_one = matches!(
                (*op, &right.kind),
                (BinaryOp::Greater, Kind::Int(0)) | (BinaryOp::GreaterEqual, Kind::Int(1))
            );
            let counts = matches!(&left.kind, Kind::Builtin(Builtin { name: "count", arguments, .. }) if arguments.len() == 2);
            if least_one
                && counts
                && let Some(count) = take_builtin(left)
            {
                node.kind = Kind::Builtin(Builtin { name: "any", ..count });
            }
        }
        _ => {}
    }
}

/// `filter(a, p)[0]`, `filter(a, p)[-1]`, `first(filter(a, p))` and `last(filter(a, p))`.
fn merge_find(node: &mut Node, dialect: Dialect) {
    let (filter, name, throws) = match &mut node.kind {
        Kind::Member { base, property, optional: false, .. } if is_filter(base) => match property.kind {
            Kind::Int(0) => (base.as_mut(), "find", true),
            Kind::Int(-1) => (base.as_mut(), "findLast", true),
            _ => return,
        },
        Kind::Builtin(Builtin { name: name @ ("first" | "last"), arguments, .. }) => {
            let name = if *name == "first" { "find" } else { "findLast" };
            match arguments.as_mut_slice() {
                [list] if is_filter(list) => (list, name, false),
                _ => return,
            }
        }
        _ => return,
    };
    if let Some(filter) = take_builtin(filter) {
        node.kind = Kind::Builtin(Builtin { name, throws, ..filter });
        forget_type(node, dialect);
    }
}

/// `sum([a, b, c])` becomes `a + (b + c)`, so that strings can be "summed" too. Lists of constants are folded before and stay.
fn unfold_sum(node: &mut Node) {
    let Kind::Builtin(Builtin { name: "sum", arguments, .. }) = &mut node.kind else { return };
    let [Node { kind: Kind::Array(items), .. }] = arguments.as_mut_slice() else { return };
    let constant =
        |item: &Node| matches!(item.kind, Kind::Int(_) | Kind::Float(_) | Kind::Str(_) | Kind::Bool(_));
    // Each term adds a level to the tree, whose height is bounded.
    if items.len() < 2 || items.len() > 100 || items.iter().all(constant) {
        return;
    }
    let span = node.span;
    let terms = std::mem::take(items);
    let sum = terms.into_iter().rev().reduce(|right, left| {
        let (left, right) = (Box::new(left), Box::new(right));
        Node::new(Kind::Binary { op: BinaryOp::Add, left, right, mode: Mode::General }, span)
    });
    if let Some(sum) = sum {
        node.kind = sum.kind;
    }
}

//! The types of binary operators: pure rules over two static types.

use std::sync::Arc;

use super::Dialect;
use super::ast::BinaryOp;
use super::types::{GoKind, Type};

/// What an operand of an unknown type may be matched with.
#[derive(Clone, Copy)]
enum Class {
    Bool,
    Str,
    Integer,
    Number,
    Time,
    Duration,
}

/// The type of `l op r`, or nothing if the operands do not fit.
pub(super) fn binary_type(op: BinaryOp, l: &Type, r: &Type, dialect: Dialect) -> Option<Type> {
    let pair = Pair { l, r, dialect };
    match op {
        BinaryOp::Pipe => None,
        BinaryOp::Equal | BinaryOp::NotEqual => comparable(l, r, dialect).then_some(Type::Bool),
        BinaryOp::Or(_) | BinaryOp::And(_) => {
            (pair.both(Class::Bool) || pair.maybe(&[Class::Bool])).then_some(Type::Bool)
        }
        BinaryOp::Less | BinaryOp::Greater | BinaryOp::GreaterEqual | BinaryOp::LessEqual => pair.ordering(),
        BinaryOp::In => membership(l, r).then_some(Type::Bool),
        BinaryOp::Matches | BinaryOp::Contains | BinaryOp::StartsWith | BinaryOp::EndsWith => {
            (pair.both(Class::Str) || pair.maybe(&[Class::Str])).then_some(Type::Bool)
        }
        BinaryOp::Range => {
            let elem = Arc::new(Type::Int);
            let list = if dialect == Dialect::V1_9 { Type::Slice(elem) } else { Type::ListOf(elem) };
            (pair.both(Class::Integer) || pair.maybe(&[Class::Integer])).then_some(list)
        }
        BinaryOp::Add => pair.add(),
        BinaryOp::Subtract => pair.subtract(),
        BinaryOp::Multiply => pair.multiply(),
        BinaryOp::Divide | BinaryOp::Power(_) => {
            (pair.both(Class::Number) || pair.maybe(&[Class::Number])).then_some(Type::Float)
        }
        BinaryOp::Modulo => pair.modulo(),
        BinaryOp::Coalesce => Some(coalesce(l, r, dialect)),
    }
}

struct Pair<'a> {
    l: &'a Type,
    r: &'a Type,
    dialect: Dialect,
}

impl Pair<'_> {
    fn is(&self, ty: &Type, class: Class) -> bool {
        match class {
            Class::Bool => *ty == Type::Bool,
            Class::Str => *ty == Type::Str,
            Class::Integer => ty.is_integer(self.dialect),
            Class::Number => ty.is_number(self.dialect),
            Class::Time => *ty == Type::Time,
            Class::Duration => *ty == Type::Duration,
        }
    }

    fn both(&self, class: Class) -> bool {
        self.is(self.l, class) && self.is(self.r, class)
    }

    fn are(&self, l: Class, r: Class) -> bool {
        self.is(self.l, l) && self.is(self.r, r)
    }

    /// At least one side is unknown and the other could fit.
    fn maybe(&self, classes: &[Class]) -> bool {
        let fits = |ty: &Type| ty.is_any() || classes.iter().any(|class| self.is(ty, *class));
        (self.l.is_any() && fits(self.r)) || (self.r.is_any() && fits(self.l))
    }

    fn newer(&self) -> bool {
        self.dialect == Dialect::V1_10
    }

    fn any(&self) -> Type {
        if self.newer() { Type::Unknown } else { Type::Any }
    }

    fn ordering(&self) -> Option<Type> {
        let fits = self.both(Class::Number)
            || self.both(Class::Str)
            || self.both(Class::Time)
            || (self.newer() && self.both(Class::Duration))
            || self.maybe(&[Class::Number, Class::Str, Class::Time])
            || (self.newer() && self.maybe(&[Class::Duration]));
        fits.then_some(Type::Bool)
    }

    /// The type of a sum, difference or product of two numbers.
    fn combined(&self) -> Type {
        let float = *self.l == Type::Float || *self.r == Type::Float;
        match self.newer() {
            _ if float => Type::Float,
            true => Type::Int,
            false if self.l.kind() == self.r.kind() => self.l.clone(),
            false => Type::Int,
        }
    }

    fn add(&self) -> Option<Type> {
        if self.both(Class::Number) {
            return Some(self.combined());
        }
        if self.both(Class::Str) {
            return Some(Type::Str);
        }
        if self.are(Class::Time, Class::Duration) || self.are(Class::Duration, Class::Time) {
            return Some(Type::Time);
        }
        if self.newer() && self.both(Class::Duration) {
            return Some(Type::Duration);
        }
        self.maybe(&[Class::Number, Class::Str, Class::Time, Class::Duration]).then(|| self.any())
    }

    fn subtract(&self) -> Option<Type> {
        if self.both(Class::Number) {
            return Some(self.combined());
        }
        if self.both(Class::Time) {
            return Some(Type::Duration);
        }
        if self.are(Class::Time, Class::Duration) {
            return Some(Type::Time);
        }
        if self.newer() && self.both(Class::Duration) {
            return Some(Type::Duration);
        }
        let maybe =
            self.maybe(&[Class::Number, Class::Time]) || (self.newer() && self.maybe(&[Class::Duration]));
        maybe.then(|| self.any())
    }

    fn multiply(&self) -> Option<Type> {
        if self.both(Class::Number) {
            return Some(self.combined());
        }
        let durations = self.are(Class::Number, Class::Duration)
            || self.are(Class::Duration, Class::Number)
            || self.both(Class::Duration);
        if self.newer() && durations {
            return Some(Type::Duration);
        }
        let maybe = self.maybe(&[Class::Number]) || (self.newer() && self.maybe(&[Class::Duration]));
        maybe.then(|| self.any())
    }

    fn modulo(&self) -> Option<Type> {
        let integers = self.both(Class::Integer);
        if !integers && !self.maybe(&[Class::Integer]) {
            return None;
        }
        Some(match (self.newer(), integers) {
            (true, _) => Type::Int,
            (false, true) => self.combined(),
            (false, false) => Type::Any,
        })
    }
}

/// Whether `==` may be asked at all.
pub(super) fn comparable(l: &Type, r: &Type, dialect: Dialect) -> bool {
    if l.is_nil() || r.is_nil() || l.is_any() || r.is_any() || (l.is_number(dialect) && r.is_number(dialect))
    {
        return true;
    }
    match dialect {
        Dialect::V1_9 => l.kind() == r.kind(),
        Dialect::V1_10 => (l.is_array() && r.is_array()) || l.assignable_to(r, dialect),
    }
}

/// The special messages of `in`, which name the key or element type.
pub(super) fn membership_error(l: &Type, r: &Type, dialect: Dialect) -> Option<String> {
    let newer = dialect == Dialect::V1_10;
    if r.is_map() {
        let nil_allowed = l.is_nil() && !newer;
        let fits = nil_allowed || l.is_any() || l.assignable_to(&r.key(), dialect);
        return (!fits)
            .then(|| format!("cannot use {} as type {} in map key", l.show(dialect), r.key().show(dialect)));
    }
    if !r.is_array() || (l.is_nil() && !newer) {
        return None;
    }
    let known = match r {
        Type::ListOf(elem) => (**elem).clone(),
        other => other.elem(dialect),
    };
    (!comparable(l, &known, dialect))
        .then(|| format!("cannot use {} as type {} in array", l.show(dialect), known.show(dialect)))
}

/// An unknown value may be looked up in a string: both libraries only fail when they run it.
fn membership(l: &Type, r: &Type) -> bool {
    let looks_inside = (*l == Type::Str || l.is_any()) && r.kind() == GoKind::Struct;
    let collection = r.is_map() || r.is_array();
    looks_inside || collection || r.is_any() || (l.is_any() && *r == Type::Str)
}

fn coalesce(l: &Type, r: &Type, dialect: Dialect) -> Type {
    match (l.is_nil(), r.is_nil()) {
        (true, _) => r.clone(),
        (false, true) => l.clone(),
        _ if r.assignable_to(l, dialect) => l.clone(),
        _ if dialect == Dialect::V1_9 => Type::Any,
        _ => Type::Unknown,
    }
}

//! The static checker: which conditions the Go library refuses to compile against a given environment, and with which words.
//!
//! Follows `checker/checker.go` of v1.15.5 and v1.17.8 in the order of its checks, because only the first message is reported.
//! Types are left on the nodes, since the compiler chooses some operations by them. Calls of builtins are in [`super::calls`].

use std::sync::Arc;

use regex::Regex;

use super::Dialect;
use super::ast::{BinaryOp, Kind, Mode, Node, UnaryOp};
use super::environment::Types;
use super::error::{Error, Span};
use super::methods;
use super::names;
use super::operators;
use super::pattern;
use super::types::{GoKind, Signature, Type};

pub(super) type Checked = Result<Type, Error>;

/// The state of one check.
pub(super) struct Checker<'a> {
    pub(super) dialect: Dialect,
    environment: &'a Types,
    pub(super) scopes: Vec<Scope>,
    variables: Vec<(Arc<str>, Type)>,
}

/// What `#` and its kin mean inside a closure.
pub(super) struct Scope {
    pub(super) collection: Type,
    pub(super) index: bool,
    pub(super) accumulator: bool,
}

/// Checks `node` against the environment, leaves types on its nodes and returns the type of the whole.
pub(super) fn check(node: &mut Node, environment: &Types, dialect: Dialect) -> Checked {
    Checker { dialect, environment, scopes: Vec::new(), variables: Vec::new() }.visit(node)
}

impl Checker<'_> {
    pub(super) fn visit(&mut self, node: &mut Node) -> Checked {
        let ty = self.visit_kind(node)?;
        node.ty = ty.clone();
        Ok(ty)
    }

    fn visit_kind(&mut self, node: &mut Node) -> Checked {
        let span = node.span;
        match &mut node.kind {
            Kind::Nil => Ok(Type::Nil),
            Kind::Bool(_) => Ok(Type::Bool),
            Kind::Int(_) => Ok(Type::Int),
            Kind::Float(_) => Ok(Type::Float),
            Kind::Str(_) => Ok(Type::Str),
            Kind::Name(name) => self.name(name, span),
            Kind::Unary { op, operand } => self.unary(*op, operand, span),
            Kind::Binary { op, left, right, mode } => self.binary(*op, left, right, mode, span),
            Kind::Chain(inner) => self.visit(inner),
            Kind::Member { base, property, optional, called } => {
                let (optional, called) = (*optional, *called);
                self.member(base, property, optional, called, span)
            }
            Kind::Slice { base, from, to } => self.slice(base, from.as_deref_mut(), to.as_deref_mut(), span),
            Kind::Call { callee, arguments } => self.call(callee, arguments, span),
            Kind::Builtin(builtin) => self.builtin(builtin, span),
            Kind::Closure(body) => self.closure(body),
            Kind::Pointer(name) => self.pointer(name, span),
            Kind::Let { name, value, body } => self.declaration(name, value, body, span),
            Kind::Sequence(nodes) => nodes.iter_mut().try_fold(Type::Unknown, |_, node| self.visit(node)),
            Kind::Conditional { condition, then, otherwise } => self.conditional(condition, then, otherwise),
            Kind::Array(nodes) => self.array(nodes),
            Kind::Map(pairs) => {
                for (key, value) in pairs {
                    self.visit(key)?;
                    self.visit(value)?;
                }
                Ok(Type::Map(super::value::MapKind::StringToAny))
            }
        }
    }

    /// The type of something nothing is known about.
    pub(super) fn unknown(&self) -> Type {
        if self.dialect == Dialect::V1_9 { Type::Any } else { Type::Unknown }
    }

    pub(super) fn show(&self, ty: &Type) -> String {
        ty.show(self.dialect)
    }

    fn name(&mut self, name: &str, span: Span) -> Checked {
        if let Some((_, ty)) = self.variables.iter().rev().find(|(known, _)| **known == *name) {
            return Ok(ty.clone());
        }
        if name == "$env" {
            return Ok(match self.dialect {
                Dialect::V1_9 => Type::Map(super::value::MapKind::StringToAny),
                Dialect::V1_10 => Type::Unknown,
            });
        }
        self.lookup(name, true, span)
    }

    /// A name of the environment or of the language. `strict` makes an unknown one an error.
    fn lookup(&self, name: &str, strict: bool, span: Span) -> Checked {
        if let Some(ty) = self.environment.get(name) {
            return Ok(ty);
        }
        if let Some((builtin, _)) = names::builtin(name, self.dialect) {
            let signature = match self.dialect {
                Dialect::V1_9 => Signature::untyped(),
                Dialect::V1_10 => super::signatures::printed(builtin),
            };
            return Ok(Type::Func(Arc::new(Signature { builtin: Some(builtin), ..signature })));
        }
        if strict && self.environment.is_strict() {
            Err(Error::check(format!("unknown name {name}"), span))
        } else {
            Ok(self.unknown())
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &mut Node, span: Span) -> Checked {
        let ty = self.visit(operand)?;
        match op {
            UnaryOp::Not | UnaryOp::Bang if ty == Type::Bool || ty.is_any() => Ok(Type::Bool),
            UnaryOp::Plus | UnaryOp::Minus if ty.is_number(self.dialect) => Ok(ty),
            UnaryOp::Plus | UnaryOp::Minus if ty.is_any() => Ok(self.unknown()),
            _ => {
                let message =
                    format!("invalid operation: {} (mismatched type {})", op.text(), self.show(&ty));
                Err(Error::check(message, span))
            }
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        left: &mut Node,
        right: &mut Node,
        mode: &mut Mode,
        span: Span,
    ) -> Checked {
        let l = self.visit(left)?;
        let r = self.visit(right)?;
        if op == BinaryOp::Matches
            && let Kind::Str(text) = &right.kind
        {
            *mode = Mode::Pattern(compile_pattern(text, span)?);
        }
        if op == BinaryOp::In
            && let Some(message) = operators::membership_error(&l, &r, self.dialect)
        {
            return Err(Error::check(message, span));
        }
        operators::binary_type(op, &l, &r, self.dialect).ok_or_else(|| {
            let (l, r) = (self.show(&l), self.show(&r));
            let message = format!("invalid operation: {} (mismatched types {l} and {r})", op.text());
            Error::check(message, span)
        })
    }

    fn member(
        &mut self,
        base: &mut Node,
        property: &mut Node,
        optional: bool,
        called: bool,
        span: Span,
    ) -> Checked {
        if matches!(&base.kind, Kind::Name(name) if **name == *"$env") {
            return match &property.kind {
                Kind::Str(name) => self.lookup(&name.clone(), !optional, span),
                _ => Ok(self.unknown()),
            };
        }
        let base_type = self.visit(base)?;
        let property_type = self.visit(property)?;
        if base_type == Type::Unknown || (base_type.is_any() && self.dialect == Dialect::V1_10) {
            return Ok(Type::Unknown);
        }
        let name = if let Kind::Str(name) = &property.kind { Some(name.clone()) } else { None };
        if let Some(name) = &name {
            if base_type.is_nil() {
                let shown = if self.dialect == Dialect::V1_9 { "<nil>" } else { "nil" };
                return Err(Error::check(format!("type {shown} has no field {name}"), span));
            }
            if let Some(signature) = methods::signature(&base_type, name) {
                return Ok(Type::Func(Arc::new(signature)));
            }
            if let Some(message) = methods::unsupported(&base_type, name) {
                return Err(Error::check(message, span));
            }
        }
        self.element(&base_type, &property_type, property.span)?.map_or_else(
            || Err(self.no_element(&base_type, &property_type, name.as_deref(), called, span)),
            Ok,
        )
    }

    /// The type of `base[property]`, or nothing if `base` is not a collection.
    fn element(&self, base: &Type, property: &Type, span: Span) -> Result<Option<Type>, Error> {
        match base.kind() {
            GoKind::Interface => Ok(Some(Type::Any)),
            GoKind::Map => {
                let nil_allowed = self.dialect == Dialect::V1_9 && property.is_nil();
                if !nil_allowed && !property.is_any() && !property.assignable_to(&base.key(), self.dialect) {
                    let (property, base) = (self.show(property), self.show(base));
                    return Err(Error::check(
                        format!("cannot use {property} to get an element from {base}"),
                        span,
                    ));
                }
                Ok(Some(base.elem(self.dialect)))
            }
            GoKind::Slice => {
                if !property.is_integer(self.dialect) && !property.is_any() {
                    let got = self.show(property);
                    let message = format!("array elements can only be selected using an integer (got {got})");
                    return Err(Error::check(message, span));
                }
                Ok(Some(base.elem(self.dialect)))
            }
            _ => Ok(None),
        }
    }

    fn no_element(
        &self,
        base: &Type,
        property: &Type,
        name: Option<&str>,
        called: bool,
        span: Span,
    ) -> Error {
        let shown = self.show(base);
        let named = self.dialect == Dialect::V1_10 || base.kind() == GoKind::Struct;
        let message = match name.filter(|_| named) {
            Some(name) if called => format!("type {shown} has no method {name}"),
            Some(name) => format!("type {shown} has no field {name}"),
            None => format!("type {shown}[{}] is undefined", self.show(property)),
        };
        Error::check(message, span)
    }

    fn slice(
        &mut self,
        base: &mut Node,
        from: Option<&mut Node>,
        to: Option<&mut Node>,
        span: Span,
    ) -> Checked {
        let ty = self.visit(base)?;
        if self.dialect == Dialect::V1_10 && ty.is_any() {
            return Ok(Type::Unknown);
        }
        if !ty.is_any() && !matches!(ty.kind(), GoKind::String | GoKind::Slice) {
            return Err(Error::check(format!("cannot slice {}", self.show(&ty)), span));
        }
        for bound in from.into_iter().chain(to) {
            let bound_type = self.visit(bound)?;
            if !bound_type.is_integer(self.dialect) && !bound_type.is_any() {
                let message = format!("non-integer slice index {}", self.show(&bound_type));
                return Err(Error::check(message, bound.span));
            }
        }
        Ok(self.without_elements(ty))
    }

    /// v1.15.5 forgets what it knew about a list literal in every form but the plainest.
    fn without_elements(&self, ty: Type) -> Type {
        if self.dialect == Dialect::V1_9 { ty.erased() } else { ty }
    }

    fn closure(&mut self, body: &mut Node) -> Checked {
        let ty = self.visit(body)?;
        if self.dialect == Dialect::V1_9 && ty.is_nil() {
            return Err(Error::check("closure cannot be nil", body.span));
        }
        Ok(self.without_elements(ty))
    }

    fn pointer(&mut self, name: &str, span: Span) -> Checked {
        let Some(scope) = self.scopes.last() else {
            return Err(Error::check("cannot use pointer accessor outside closure", span));
        };
        match name {
            "" if scope.collection.is_any() => Ok(self.unknown()),
            "" => Ok(scope.collection.elem(self.dialect)),
            "index" if scope.index => Ok(Type::Int),
            "acc" if scope.accumulator => Ok(self.unknown()),
            _ => Err(Error::check(format!("unknown pointer #{name}"), span)),
        }
    }

    fn declaration(&mut self, name: &Arc<str>, value: &mut Node, body: &mut Node, span: Span) -> Checked {
        let kind = if self.environment.get(name).is_some() {
            Some("")
        } else if names::builtin(name, self.dialect).is_some() {
            Some("builtin ")
        } else if self.variables.iter().any(|(known, _)| known == name) {
            Some("variable ")
        } else {
            None
        };
        if let Some(kind) = kind {
            return Err(Error::check(format!("cannot redeclare {kind}{name}"), span));
        }
        let ty = self.visit(value)?;
        self.variables.push((name.clone(), ty));
        let body = self.visit(body)?;
        self.variables.pop();
        Ok(body)
    }

    fn conditional(&mut self, condition: &mut Node, then: &mut Node, otherwise: &mut Node) -> Checked {
        let ty = self.visit(condition)?;
        if ty != Type::Bool && !ty.is_any() {
            let message = format!("non-bool expression (type {}) used as condition", self.show(&ty));
            return Err(Error::check(message, condition.span));
        }
        let then = self.visit(then)?;
        let otherwise = self.visit(otherwise)?;
        let ty = match (then.is_nil(), otherwise.is_nil()) {
            (true, _) => otherwise,
            (false, true) => then,
            _ if !then.assignable_to(&otherwise, self.dialect) => self.unknown(),
            _ if self.dialect == Dialect::V1_10 && then.is_array() && otherwise.is_array() => {
                let (a, b) = (then.elem(self.dialect), otherwise.elem(self.dialect));
                let same = a.assignable_to(&b, self.dialect) && b.assignable_to(&a, self.dialect);
                if same { then } else { Type::list() }
            }
            _ => then,
        };
        Ok(self.without_elements(ty))
    }

    fn array(&mut self, nodes: &mut [Node]) -> Checked {
        let mut previous: Option<Type> = None;
        let mut uniform = true;
        for node in nodes {
            let ty = self.visit(node)?;
            if let Some(previous) = &previous {
                let nil = self.dialect == Dialect::V1_9 && (ty.is_nil() || previous.is_nil());
                uniform &= !nil && ty.kind() == previous.kind();
            }
            previous = Some(ty);
        }
        let newer = self.dialect == Dialect::V1_10;
        Ok(match previous {
            Some(elem) if uniform && (newer || !elem.is_nil()) => Type::ListOf(Arc::new(elem)),
            None if newer => Type::ListOf(Arc::new(Type::Unknown)),
            _ => Type::list(),
        })
    }
}

fn compile_pattern(text: &str, span: Span) -> Result<Regex, Error> {
    pattern::compile(text).map_err(|message| Error::check(message, span))
}

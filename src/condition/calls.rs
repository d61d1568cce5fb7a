//! The static checker, second half: calls of functions, methods and builtins, with and without closures.

use std::sync::Arc;

use super::Dialect;
use super::ast::{BinaryOp, Builtin, Kind, Node};
use super::checker::{Checked, Checker, Scope};
use super::error::{Error, Span};
use super::signatures::{self, Rule};
use super::types::{GoKind, Signature, Type};
use super::value::MapKind;

/// Whether arguments fit one signature. A mistake inside an argument is not a misfit: it is wrong for every overload.
type Fit = Result<Type, Error>;

impl Checker<'_> {
    pub(super) fn call(&mut self, callee: &mut Node, arguments: &mut [Node], span: Span) -> Checked {
        if self.dialect == Dialect::V1_10 && matches!(&callee.kind, Kind::Name(name) if **name == *"$env") {
            return Err(Error::check("map[string]interface {} is not callable", span));
        }
        let ty = self.visit(callee)?;
        if ty.is_any() {
            return self.untyped_call(arguments);
        }
        let name = callee_name(callee);
        match ty {
            Type::Nil => Err(Error::check(format!("{name} is nil; cannot call nil as function"), span)),
            Type::Func(signature) if signature.builtin.is_some() => {
                Err(Error::check("calling a builtin through a variable is not supported by firedrill", span))
            }
            Type::Func(signature) => self.fit(&name, &signature, arguments, &mut Vec::new(), span)?,
            other => Err(Error::check(format!("{} is not callable", self.show(&other)), span)),
        }
    }

    /// Nothing is known about the function, and upstream then does not look at the arguments either. They must still carry
    /// types for the evaluator, so they are visited and their complaints dropped.
    fn untyped_call(&mut self, arguments: &mut [Node]) -> Checked {
        for argument in arguments {
            let _ = self.visit(argument);
        }
        Ok(self.unknown())
    }

    /// Checks `arguments` against one signature. `types` keeps what earlier overloads already visited.
    fn fit(
        &mut self,
        name: &str,
        signature: &Signature,
        arguments: &mut [Node],
        types: &mut Vec<Type>,
        span: Span,
    ) -> Result<Fit, Error> {
        if let Some(message) = arity_error(name, signature, arguments.len()) {
            // v1.17.8 looks at the arguments first.
            if self.dialect == Dialect::V1_10 {
                self.visit_arguments(arguments, types)?;
            }
            return Ok(Err(Error::check(message, span)));
        }
        for (i, argument) in arguments.iter_mut().enumerate() {
            if types.len() <= i {
                types.push(self.visit(argument)?);
            }
            let wanted = match signature.inputs.last() {
                Some(last) if signature.variadic && i + 1 >= signature.inputs.len() => {
                    last.elem(self.dialect)
                }
                _ => signature.inputs[i].clone(),
            };
            if let Err(misfit) = self.fit_argument(name, &wanted, &types[i], argument) {
                return Ok(Err(misfit));
            }
        }
        Ok(Ok(signature.output.clone()))
    }

    fn fit_argument(&self, name: &str, wanted: &Type, got: &Type, argument: &mut Node) -> Result<(), Error> {
        if *wanted == Type::Float && got.is_integer(self.dialect) {
            integers_to_floats(argument);
            return Ok(());
        }
        if wanted.is_integer(self.dialect) && got.is_integer(self.dialect) && wanted.kind() != got.kind() {
            return Ok(());
        }
        if got.is_nil() {
            let nilable = matches!(wanted.kind(), GoKind::Interface | GoKind::Ptr);
            return if nilable || self.dialect == Dialect::V1_9 {
                Ok(())
            } else {
                let message = format!("cannot use nil as argument (type {wanted}) to call {name}");
                Err(Error::check(message, argument.span))
            };
        }
        if got.assignable_to(wanted, self.dialect) || got.is_any() {
            return Ok(());
        }
        // The blank at the end is upstream's.
        let message = format!("cannot use {} as argument (type {wanted}) to call {name} ", self.show(got));
        Err(Error::check(message, argument.span))
    }

    fn visit_arguments(&mut self, arguments: &mut [Node], types: &mut Vec<Type>) -> Result<(), Error> {
        for argument in arguments.iter_mut().skip(types.len()) {
            types.push(self.visit(argument)?);
        }
        Ok(())
    }

    pub(super) fn builtin(&mut self, builtin: &mut Builtin, span: Span) -> Checked {
        let closure = builtin.arguments.iter().any(|argument| matches!(argument.kind, Kind::Closure(_)));
        let newer_form = self.dialect == Dialect::V1_10 && matches!(builtin.name, "count" | "sum" | "sortBy");
        if closure || newer_form {
            return self.predicate(builtin);
        }
        if builtin.name == "get" {
            return self.get(&mut builtin.arguments, span);
        }
        let mut types = Vec::new();
        if signatures::is_checked(builtin.name, self.dialect) {
            self.visit_arguments(&mut builtin.arguments, &mut types)?;
            for ty in types.iter_mut().filter(|ty| ty.is_any()) {
                *ty = Type::Any;
            }
        }
        match signatures::rule(builtin.name, &types, self.dialect) {
            Rule::Checked(result) => result.map_err(|message| Error::check(message, span)),
            Rule::Overloads(overloads) => {
                self.overloaded(builtin.name, &overloads, &mut builtin.arguments, &mut types, span)
            }
        }
    }

    /// The last overload's complaint is the one reported.
    fn overloaded(
        &mut self,
        name: &str,
        overloads: &[Signature],
        arguments: &mut [Node],
        types: &mut Vec<Type>,
        span: Span,
    ) -> Checked {
        let mut last = Error::check(format!("no matching overload for {name}"), span);
        for signature in overloads {
            match self.fit(name, signature, arguments, types, span)? {
                Ok(ty) => return Ok(ty),
                Err(misfit) => last = misfit,
            }
        }
        Err(last)
    }

    fn get(&mut self, arguments: &mut [Node], span: Span) -> Checked {
        let count = arguments.len();
        let [base, property] = arguments else {
            let message = format!("invalid number of arguments (expected 2, got {count})");
            return Err(Error::check(message, span));
        };
        if matches!(&base.kind, Kind::Name(name) if **name == *"$env") {
            return Ok(self.unknown());
        }
        let base_type = self.visit(base)?;
        let wanted = match (self.dialect, &base_type) {
            (Dialect::V1_9, ty) if !ty.is_array() && !ty.is_map() => None,
            _ => Some(self.visit(property)?),
        };
        if base_type.is_any() {
            // v1.15.5 leaves the second argument unchecked here, but its nodes need types.
            if wanted.is_none() {
                let _ = self.visit(property);
            }
            return Ok(self.unknown());
        }
        let wanted = wanted.unwrap_or(Type::Any);
        if self.dialect == Dialect::V1_9 && wanted.is_nil() {
            let what = if base_type.is_array() { "slice" } else { "map" };
            return Err(Error::check(format!("cannot use nil as {what} index"), property.span));
        }
        let fits = wanted.is_any()
            || (base_type.is_array() && wanted.is_integer(self.dialect))
            || (base_type.is_map() && wanted.assignable_to(&base_type.key(), self.dialect));
        let (shown, wanted) = (self.show(&base_type), self.show(&wanted));
        match base_type.kind() {
            GoKind::Slice | GoKind::Map if fits => Ok(base_type.elem(self.dialect)),
            GoKind::Slice => Err(Error::check(format!("non-integer slice index {wanted}"), property.span)),
            GoKind::Map => {
                let message = format!("cannot use {wanted} to get an element from {shown}");
                Err(Error::check(message, property.span))
            }
            _ => Err(Error::check(format!("type {shown} does not support indexing"), base.span)),
        }
    }

    fn predicate(&mut self, builtin: &mut Builtin) -> Checked {
        let name = builtin.name;
        let [collection, rest @ ..] = builtin.arguments.as_mut_slice() else { return Ok(self.unknown()) };
        let collection_type = self.visit(collection)?;
        if !collection_type.is_array() && !collection_type.is_any() {
            let got = self.show(&collection_type);
            return Err(Error::check(
                format!("builtin {name} takes only array (got {got})"),
                collection.span,
            ));
        }
        let [closure, rest @ ..] = rest else {
            return Ok(if name == "count" { Type::Int } else { self.elem_or_unknown(&collection_type) });
        };
        self.scopes.push(Scope {
            collection: collection_type.clone(),
            index: matches!(name, "map" | "reduce"),
            accumulator: name == "reduce",
        });
        let output = self.visit(closure)?;
        self.scopes.pop();
        if let Some(last) = rest.first_mut() {
            let order = self.visit(last)?;
            if name == "sortBy" && order != Type::Str && !order.is_any() {
                let got = self.show(&order);
                return Err(Error::check(
                    format!("sortBy order argument must be a string (got {got})"),
                    last.span,
                ));
            }
        }
        self.predicate_type(name, &collection_type, output, closure.span)
    }

    fn elem_or_unknown(&self, collection: &Type) -> Type {
        if collection.is_any() { self.unknown() } else { collection.elem(self.dialect) }
    }

    fn predicate_type(&self, name: &str, collection: &Type, output: Type, closure: Span) -> Checked {
        if output.is_nil() && name == "sum" {
            let list = collection.is_any() || collection.assignable_to(&Type::list(), self.dialect);
            let (got, wanted) = match list {
                true => ("func(interface {})".to_owned(), "func(interface {}) bool"),
                false => (self.show(collection), "[]interface {}"),
            };
            return Err(Error::check(
                format!("cannot use {got} as argument (type {wanted}) to call sum "),
                closure,
            ));
        }
        if output.is_nil() {
            let inputs = if name == "reduce" { "two" } else { "one" };
            let message = format!("predicate should has {inputs} input and one output param");
            return Err(Error::check(message, closure));
        }
        let decides = !matches!(name, "map" | "groupBy" | "reduce" | "sum" | "sortBy");
        if decides && output != Type::Bool && !output.is_any() {
            // An unknown type inside a function type is printed as Go would, not as "unknown".
            return Err(Error::check(format!("predicate should return boolean (got {output})"), closure));
        }
        let list_of = |elem: Type| match self.dialect {
            Dialect::V1_9 => Type::slice(elem),
            Dialect::V1_10 => Type::ListOf(Arc::new(elem)),
        };
        Ok(match name {
            "all" | "none" | "any" | "one" => Type::Bool,
            "filter" if collection.is_any() => Type::list(),
            "filter" => list_of(collection.elem(self.dialect)),
            "map" => list_of(output),
            "count" | "findIndex" | "findLastIndex" => Type::Int,
            "find" | "findLast" => self.elem_or_unknown(collection),
            "groupBy" if self.dialect == Dialect::V1_10 => {
                Type::Groups(Arc::new(list_of(self.elem_or_unknown(collection))))
            }
            "groupBy" => Type::Map(MapKind::AnyToList),
            "sortBy" => collection.clone(),
            "sum" if output.is_any() => Type::Any,
            "sum" => output.erased(),
            _ => output,
        })
    }
}

fn arity_error(name: &str, signature: &Signature, got: usize) -> Option<String> {
    let wanted = signature.inputs.len();
    let few = if signature.variadic { got + 1 < wanted } else { got < wanted };
    if !signature.variadic && got > wanted {
        return Some(format!("too many arguments to call {name}"));
    }
    few.then(|| format!("not enough arguments to call {name}"))
}

fn callee_name(callee: &Node) -> String {
    match &callee.kind {
        Kind::Name(name) => name.to_string(),
        Kind::Member { property, .. } => match &property.kind {
            Kind::Str(name) => name.to_string(),
            _ => "function".to_owned(),
        },
        _ => "function".to_owned(),
    }
}

/// An integer literal where a float is wanted becomes a float literal, also inside sums, differences and products.
fn integers_to_floats(node: &mut Node) {
    match &mut node.kind {
        Kind::Int(value) => {
            node.kind = Kind::Float(*value as f64);
            node.ty = Type::Float;
        }
        Kind::Unary { operand, .. } => integers_to_floats(operand),
        Kind::Binary { op: BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply, left, right, .. } => {
            integers_to_floats(left);
            integers_to_floats(right);
        }
        _ => {}
    }
}

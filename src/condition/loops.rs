//! Builtins that run a closure over a list. Each visits as many elements as upstream's loop does, and no more.

use std::collections::BTreeMap;

use super::Dialect;
use super::access::unhashable;
use super::ast::{BinaryOp, Builtin, Node};
use super::error::{Error, Span};
use super::eval::{Evaluated, Items, Scope, Vm};
use super::functions;
use super::ops;
use super::sorting;
use super::value::{Key, MapKind, Value};

impl Vm<'_> {
    pub(super) fn builtin(&mut self, builtin: &Builtin, span: Span) -> Evaluated {
        let closure =
            builtin.arguments.get(1).filter(|node| matches!(node.kind, super::ast::Kind::Closure(_)));
        let newer = self.dialect == Dialect::V1_10;
        match (builtin.name, closure) {
            ("sum" | "count", None) if newer => {
                self.over(builtin, span, |vm| vm.without_closure(builtin.name, span))
            }
            (_, None) => {
                let arguments = self.operands(builtin.arguments.iter())?;
                self.function(builtin.name, arguments, span)
            }
            (_, Some(closure)) => self.over(builtin, span, |vm| vm.with_closure(builtin, closure, span)),
        }
    }

    /// Opens a scope over the first argument, runs `body` and closes it.
    fn over(
        &mut self,
        builtin: &Builtin,
        span: Span,
        body: impl FnOnce(&mut Self) -> Evaluated,
    ) -> Evaluated {
        let Some(first) = builtin.arguments.first() else { return Ok(Value::Nil) };
        let items = match self.eval(first)? {
            Value::List(list) => Items::List(list),
            Value::Str(text) => Items::Bytes(text),
            Value::Map(map) => Items::Map(map.entries().len()),
            other => {
                let kind = if matches!(other, Value::Nil) { "zero" } else { other.kind_name() };
                return Err(Error::run(format!("reflect: call of reflect.Value.Len on {kind} Value"), span));
            }
        };
        self.scopes.push(Scope { items, index: 0, accumulator: Value::Nil });
        let result = body(self);
        self.scopes.pop();
        result
    }

    fn len(&self) -> usize {
        self.scopes.last().map_or(0, |scope| scope.items.len())
    }

    fn seek(&mut self, index: usize) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.index = index;
        }
    }

    fn element(&self, span: Span) -> Evaluated {
        let Some(scope) = self.scopes.last() else { return Ok(Value::Nil) };
        scope.items.get(scope.index, self.dialect).map_err(|message| Error::run(message, span))
    }

    fn without_closure(&mut self, name: &str, span: Span) -> Evaluated {
        if name == "sum" {
            return self.sum(None, span);
        }
        // `count(list)` counts the elements that are true.
        let mut count = 0;
        for index in 0..self.len() {
            self.seek(index);
            count += i64::from(
                functions::as_bool(&self.element(span)?).map_err(|message| Error::run(message, span))?,
            );
        }
        Ok(Value::Int(count))
    }

    fn with_closure(&mut self, builtin: &Builtin, closure: &Node, span: Span) -> Evaluated {
        match builtin.name {
            "all" => Ok(Value::Bool(self.first_where(closure, false)?.is_none())),
            "none" => Ok(Value::Bool(self.first_where(closure, true)?.is_none())),
            "any" => Ok(Value::Bool(self.first_where(closure, true)?.is_some())),
            "one" => Ok(Value::Bool(self.count(closure)? == 1)),
            "count" => Ok(Value::Int(self.count(closure)?)),
            "filter" => self.filter(closure, builtin.map.as_deref(), span),
            "map" => self.map_each(closure, span),
            "find" | "findLast" => self.find(builtin, closure, span),
            "findIndex" => Ok(self.first_where(closure, true)?.map_or(Value::Nil, |i| Value::Int(i as i64))),
            "findLastIndex" => Ok(self.last_where(closure)?.map_or(Value::Nil, |i| Value::Int(i as i64))),
            "groupBy" => self.group_by(closure, span),
            "sum" => self.sum(Some(closure), span),
            "sortBy" => self.sort_by(builtin, closure, span),
            _ => self.reduce(builtin, closure, span),
        }
    }

    fn first_where(&mut self, closure: &Node, wanted: bool) -> Result<Option<usize>, Error> {
        for index in 0..self.len() {
            self.seek(index);
            if self.condition(closure)? == wanted {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn last_where(&mut self, closure: &Node) -> Result<Option<usize>, Error> {
        for index in (0..self.len()).rev() {
            self.seek(index);
            self.leaks.push(Value::Bool(true));
            if self.condition(closure)? {
                return Ok(Some(index));
            }
        }
        self.leaks.push(Value::Bool(false));
        Ok(None)
    }

    fn count(&mut self, closure: &Node) -> Result<i64, Error> {
        let mut count = 0;
        for index in 0..self.len() {
            self.seek(index);
            count += i64::from(self.condition(closure)?);
        }
        Ok(count)
    }

    /// The current element, or what a merged `map` makes of it.
    fn mapped(&mut self, map: Option<&Node>, span: Span) -> Evaluated {
        if let Some(map) = map { self.eval(map) } else { self.element(span) }
    }

    fn filter(&mut self, closure: &Node, map: Option<&Node>, span: Span) -> Evaluated {
        let mark = self.leaks.len();
        let (mut stack, mut count) = (Vec::new(), 0);
        for index in 0..self.len() {
            self.seek(index);
            if self.condition(closure)? {
                let value = self.mapped(map, span)?;
                stack.extend(self.leaks.drain(mark..));
                stack.push(value);
                count += 1;
            }
        }
        let kept = self.top(stack, count);
        self.grow(kept.len(), span)?;
        self.bounded(Value::list(kept), span)
    }

    fn map_each(&mut self, closure: &Node, span: Span) -> Evaluated {
        let mark = self.leaks.len();
        let mut stack = Vec::with_capacity(self.len());
        for index in 0..self.len() {
            self.seek(index);
            let value = self.eval(closure)?;
            stack.extend(self.leaks.drain(mark..));
            stack.push(value);
        }
        let mapped = self.top(stack, self.len());
        self.grow(mapped.len(), span)?;
        self.bounded(Value::list(mapped), span)
    }

    fn find(&mut self, builtin: &Builtin, closure: &Node, span: Span) -> Evaluated {
        let found = match builtin.name {
            "find" => self.first_where(closure, true)?,
            _ => self.last_where(closure)?,
        };
        match found {
            Some(_) => self.mapped(builtin.map.as_deref(), span),
            None if builtin.throws => Err(Error::run("reflect: slice index out of range", span)),
            None => Ok(Value::Nil),
        }
    }

    fn group_by(&mut self, closure: &Node, span: Span) -> Evaluated {
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        for index in 0..self.len() {
            self.seek(index);
            let key = self.eval(closure)?;
            let key = Key::of(&key, index).ok_or_else(|| match self.dialect {
                Dialect::V1_9 => unhashable(&key, span),
                Dialect::V1_10 => Error::run(format!("hash of unhashable type: {}", key.type_name()), span),
            })?;
            groups.entry(key).or_default().push(self.element(span)?);
        }
        let entries = groups.into_iter().map(|(key, items)| (key, Value::list(items))).collect();
        self.bounded(Value::map_of(MapKind::AnyToList, entries), span)
    }

    /// v1.17.8 adds with the language's own `+`, starting from the integer 0.
    fn sum(&mut self, closure: Option<&Node>, span: Span) -> Evaluated {
        let mut total = Value::Int(0);
        for index in 0..self.len() {
            self.seek(index);
            let term = self.mapped(closure, span)?;
            total =
                ops::arithmetic(BinaryOp::Add, &term, &total).map_err(|message| Error::run(message, span))?;
        }
        Ok(total)
    }

    fn sort_by(&mut self, builtin: &Builtin, closure: &Node, span: Span) -> Evaluated {
        let fail = |message: &str| Error::run(message, span);
        let descending = match builtin.arguments.get(2).map(|node| self.eval(node)).transpose()? {
            None => false,
            Some(Value::Str(order)) => match order.as_ref() {
                "asc" => false,
                "desc" => true,
                _ => return Err(fail("unknown order, use asc or desc")),
            },
            Some(_) => return Err(fail("sortBy order argument must be a string")),
        };
        let mut keyed = Vec::with_capacity(self.len());
        for index in 0..self.len() {
            self.seek(index);
            keyed.push((self.eval(closure)?, self.element(span)?));
        }
        self.grow(keyed.len(), span)?;
        sorting::sort_pairs(&mut keyed, descending).map_err(|message| Error::run(message, span))?;
        Ok(Value::list(keyed.into_iter().map(|(_, item)| item).collect()))
    }

    fn reduce(&mut self, builtin: &Builtin, closure: &Node, span: Span) -> Evaluated {
        let initial = builtin.arguments.get(2).map(|node| self.eval(node)).transpose()?;
        let start = usize::from(initial.is_none());
        if self.len() == 0 && initial.is_none() {
            let message = match self.dialect {
                Dialect::V1_9 => "reflect: slice index out of range",
                Dialect::V1_10 => "reduce of empty array with no initial value",
            };
            return Err(Error::run(message, span));
        }
        let mut accumulator = match initial {
            Some(initial) => initial,
            None => self.element(span)?,
        };
        for index in start..self.len() {
            self.seek(index);
            if let Some(scope) = self.scopes.last_mut() {
                scope.accumulator = accumulator;
            }
            accumulator = self.eval(closure)?;
        }
        Ok(accumulator)
    }
}

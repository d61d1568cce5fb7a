//! The evaluator: walks a checked tree. What can go wrong, and the words for it, follow `vm/vm.go` and `vm/runtime`.
//!
//! Everything is bounded: the number of steps, the slots of lists built (upstream's memory budget), and the height and weight of
//! any value. Functions of the language live in [`super::functions`] and [`super::loops`], access to members in
//! [`super::access`], calls of other functions in [`super::invoke`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Dialect;
use super::access::in_set;
use super::ast::{BinaryOp, Kind, Mode, Node, UnaryOp};
use super::environment::Environment;
use super::error::{Error, Span};
use super::ops;
use super::pattern;
use super::time::Time;

use super::value::{Elem, Key, MapKind, Value};

/// Upstream's `MemoryBudget`: slots of arrays, maps and ranges one evaluation may create.
const MEMORY_BUDGET: u64 = 1_000_000;
/// Node visits of one evaluation; upstream has no such bound and would run for hours.
const STEP_BUDGET: u64 = 4_000_000;
/// Elements and bytes of one value.
const WEIGHT_LIMIT: u64 = 32 * 1024 * 1024;
/// Levels of one value, so that dropping, printing or comparing it cannot exhaust the stack.
const HEIGHT_LIMIT: u32 = 256;

pub(super) type Evaluated = Result<Value, Error>;

/// The state of one evaluation.
pub(super) struct Vm<'a> {
    pub(super) dialect: Dialect,
    pub(super) environment: &'a Environment,
    pub(super) now: Time,
    pub(super) scopes: Vec<Scope>,
    variables: Vec<(Arc<str>, Value)>,
    /// What upstream's loops leave on its stack below their result, see [`Vm::operands`].
    pub(super) leaks: Vec<Value>,
    memory: u64,
    steps: u64,
}

/// One closure being run over a list.
pub(super) struct Scope {
    pub(super) items: Items,
    pub(super) index: usize,
    pub(super) accumulator: Value,
}

/// What a closure runs over: a list, the bytes of a string, which Go indexes too, or a map, which it only counts.
pub(super) enum Items {
    Map(usize),
    List(Arc<super::value::List>),
    Bytes(Arc<str>),
}

impl Items {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Map(length) => *length,
            Self::List(list) => list.items().len(),
            Self::Bytes(text) => text.len(),
        }
    }

    pub(super) fn get(&self, index: usize, dialect: Dialect) -> Result<Value, String> {
        let outside = || match (self, dialect) {
            (Self::Map(_), _) => "reflect: call of reflect.Value.Index on map Value".to_owned(),
            (Self::Bytes(_), _) => "reflect: string index out of range".to_owned(),
            (_, Dialect::V1_9) => "reflect: slice index out of range".to_owned(),
            _ => format!("runtime error: index out of range [{index}] with length {}", self.len()),
        };
        let found = match self {
            Self::Map(_) => None,
            Self::List(list) => list.items().get(index).cloned(),
            Self::Bytes(text) => text.as_bytes().get(index).copied().map(Value::Byte),
        };
        found.ok_or_else(outside)
    }
}

/// Evaluates a checked tree.
pub(super) fn run(node: &Node, environment: &Environment, now: Time, dialect: Dialect) -> Evaluated {
    let mut vm = Vm {
        dialect,
        environment,
        now,
        scopes: Vec::new(),
        variables: Vec::new(),
        leaks: Vec::new(),
        memory: 0,
        steps: 0,
    };
    vm.eval(node)
}

impl Vm<'_> {
    pub(super) fn eval(&mut self, node: &Node) -> Evaluated {
        self.step(1, node.span)?;
        match &node.kind {
            Kind::Nil => Ok(Value::Nil),
            Kind::Bool(value) => Ok(Value::Bool(*value)),
            Kind::Int(value) => Ok(Value::Int(*value)),
            Kind::Float(value) => Ok(Value::Float(*value)),
            Kind::Str(text) => Ok(Value::Str(text.clone())),
            Kind::Name(name) => Ok(self.name(name)),
            Kind::Unary { op, operand } => self.unary(*op, operand, node.span),
            Kind::Binary { op, left, right, mode } => self.binary(*op, left, right, mode, node.span),
            Kind::Chain(inner) => Ok(self.chain(inner)?.unwrap_or_default()),
            Kind::Member { .. } | Kind::Call { .. } => Ok(self.chain(node)?.unwrap_or_default()),
            Kind::Slice { base, from, to } => self.slice(base, from.as_deref(), to.as_deref(), node.span),
            Kind::Builtin(builtin) => self.builtin(builtin, node.span),
            Kind::Closure(body) => self.eval(body),
            Kind::Pointer(name) => self.pointer(name, node.span),
            Kind::Let { name, value, body } => self.declaration(name, value, body),
            Kind::Sequence(nodes) => nodes.iter().try_fold(Value::Nil, |_, node| self.eval(node)),
            Kind::Conditional { condition, then, otherwise } => {
                let chosen = if self.condition(condition)? { then } else { otherwise };
                self.eval(chosen)
            }
            Kind::Array(nodes) => self.array(nodes, node.span),
            Kind::Map(pairs) => self.map(pairs, node.span),
        }
    }

    fn step(&mut self, count: u64, span: Span) -> Result<(), Error> {
        self.steps = self.steps.saturating_add(count);
        if self.steps <= STEP_BUDGET {
            return Ok(());
        }
        Err(Error::run(
            format!("evaluation takes more than {STEP_BUDGET} steps, which firedrill does not run"),
            span,
        ))
    }

    /// Counts slots against upstream's memory budget.
    pub(super) fn grow(&mut self, slots: usize, span: Span) -> Result<(), Error> {
        self.memory = self.memory.saturating_add(slots as u64);
        if self.memory >= MEMORY_BUDGET { Err(Error::run("memory budget exceeded", span)) } else { Ok(()) }
    }

    /// Refuses a value that is too high or too heavy to be walked, and charges for its size.
    pub(super) fn bounded(&mut self, value: Value, span: Span) -> Evaluated {
        if value.height() > HEIGHT_LIMIT || value.weight() > WEIGHT_LIMIT {
            return Err(Error::run("the value is too large for firedrill to evaluate", span));
        }
        Ok(value)
    }

    /// The operands an instruction of upstream's stack machine finds when these nodes were compiled before it.
    ///
    /// `findLast` and `findLastIndex` forget to pop the outcome of their loop test. Standing last they do no harm, but as a right
    /// operand they push the left one out of reach: `1 <= findLast(…)` compares `true` with what was found. Both versions do so.
    pub(super) fn operands<'n>(
        &mut self,
        nodes: impl Iterator<Item = &'n Node>,
    ) -> Result<Vec<Value>, Error> {
        let mark = self.leaks.len();
        let mut stack = Vec::with_capacity(nodes.size_hint().0);
        let mut wanted = 0;
        for node in nodes {
            let value = self.eval(node)?;
            stack.extend(self.leaks.drain(mark..));
            stack.push(value);
            wanted += 1;
        }
        Ok(self.top(stack, wanted))
    }

    /// The uppermost `wanted` values; the others stay below.
    pub(super) fn top(&mut self, mut stack: Vec<Value>, wanted: usize) -> Vec<Value> {
        if stack.len() > wanted {
            let top = stack.split_off(stack.len() - wanted);
            self.leaks.append(&mut stack);
            return top;
        }
        stack
    }

    /// Evaluates `node` above `below` and gives back what then lies just below its value, and the value.
    pub(super) fn above(&mut self, below: Value, node: &Node) -> Result<(Value, Value), Error> {
        let mark = self.leaks.len();
        let value = self.eval(node)?;
        if self.leaks.len() == mark {
            return Ok((below, value));
        }
        self.leaks.insert(mark, below);
        Ok((self.leaks.pop().unwrap_or_default(), value))
    }

    fn name(&self, name: &str) -> Value {
        if let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| **known == *name) {
            return value.clone();
        }
        if name == "$env" { self.environment.as_map() } else { self.environment.get(name) }
    }

    fn unary(&mut self, op: UnaryOp, operand: &Node, span: Span) -> Evaluated {
        let value = self.eval(operand)?;
        match op {
            UnaryOp::Not | UnaryOp::Bang => Ok(Value::Bool(!as_bool(&value, span)?)),
            UnaryOp::Plus => Ok(value),
            UnaryOp::Minus => match value {
                Value::Int(value) => Ok(Value::Int(value.wrapping_neg())),
                Value::Int64(value) => Ok(Value::Int64(value.wrapping_neg())),
                Value::Byte(value) => Ok(Value::Byte(value.wrapping_neg())),
                Value::Float(value) => Ok(Value::Float(-value)),
                other => Err(Error::run(format!("invalid operation: - {}", other.type_name()), span)),
            },
        }
    }

    /// The value of a node where Go demands a boolean.
    pub(super) fn condition(&mut self, node: &Node) -> Result<bool, Error> {
        let value = self.eval(node)?;
        as_bool(&value, node.span)
    }

    fn binary(&mut self, op: BinaryOp, left: &Node, right: &Node, mode: &Mode, span: Span) -> Evaluated {
        let l = self.eval(left)?;
        match op {
            // The right side of a logical operator may be anything: only its value comes out.
            BinaryOp::Or(_) if as_bool(&l, span)? => return Ok(l),
            BinaryOp::And(_) if !as_bool(&l, span)? => return Ok(l),
            BinaryOp::Or(_) | BinaryOp::And(_) => return self.eval(right),
            BinaryOp::Coalesce => return if l.is_nil() { self.eval(right) } else { Ok(l) },
            _ => {}
        }
        match mode {
            Mode::Pattern(pattern) => return self.matches(&l, None, Some(pattern), span),
            Mode::Set { members, of } => return in_set(&l, members, of, span),
            Mode::General | Mode::Ints | Mode::Strings => {}
        }
        let (l, r) = self.above(l, right)?;
        self.apply(op, &l, &r, mode, span)
    }

    fn apply(&mut self, op: BinaryOp, l: &Value, r: &Value, mode: &Mode, span: Span) -> Evaluated {
        self.step(l.weight().min(r.weight()) / 16, span)?;
        let fail = |message: String| Error::run(message, span);
        match op {
            BinaryOp::Equal => self.equal(l, r, mode, span),
            BinaryOp::NotEqual => {
                let equal = self.equal(l, r, mode, span)?;
                Ok(Value::Bool(!as_bool(&equal, span)?))
            }
            BinaryOp::Less | BinaryOp::Greater | BinaryOp::GreaterEqual | BinaryOp::LessEqual => {
                ops::compare(op, l, r).map(Value::Bool).map_err(fail)
            }
            BinaryOp::In => self.contains(l, r, span).map(Value::Bool),
            BinaryOp::Matches => self.matches(l, Some(r), None, span),
            BinaryOp::Contains | BinaryOp::StartsWith | BinaryOp::EndsWith => {
                self.text_operation(op, l, r, span)
            }
            BinaryOp::Range => self.range(l, r, matches!(mode, Mode::Ints), span),
            _ => {
                let value = ops::arithmetic(op, l, r).map_err(fail)?;
                self.bounded(value, span)
            }
        }
    }

    fn equal(&self, l: &Value, r: &Value, mode: &Mode, span: Span) -> Evaluated {
        let wanted = match mode {
            Mode::Ints => "int",
            Mode::Strings => "string",
            _ => return Ok(Value::Bool(ops::equal(l, r, self.dialect))),
        };
        // The compiled comparison unpacks the right side first.
        for value in [l, r] {
            let fits = matches!((wanted, value), ("int", Value::Int(_)) | ("string", Value::Str(_)));
            if !fits {
                return Err(conversion(value, wanted, span));
            }
        }
        Ok(Value::Bool(ops::equal(l, r, self.dialect)))
    }

    fn matches(
        &self,
        text: &Value,
        expression: Option<&Value>,
        known: Option<&regex::Regex>,
        span: Span,
    ) -> Evaluated {
        let nil = text.is_nil() || expression.is_some_and(Value::is_nil);
        if self.dialect == Dialect::V1_10 && nil {
            return Ok(Value::Bool(false));
        }
        // v1.15.5 unpacks the pattern before the text; v1.17.8 takes text or bytes.
        let compiled = match (known, expression) {
            (Some(known), _) => Cow::Borrowed(known),
            (None, Some(Value::Str(expression))) => {
                as_pattern_subject(text, self.dialect, span)?;
                Cow::Owned(pattern::compile(expression).map_err(|message| Error::run(message, span))?)
            }
            (None, other) => return Err(conversion(other.unwrap_or(&Value::Nil), "string", span)),
        };
        Ok(Value::Bool(compiled.is_match(as_pattern_subject(text, self.dialect, span)?)))
    }

    fn text_operation(&self, op: BinaryOp, l: &Value, r: &Value, span: Span) -> Evaluated {
        if self.dialect == Dialect::V1_10 && (l.is_nil() || r.is_nil()) {
            return Ok(Value::Bool(false));
        }
        let l = as_text(l, span)?;
        let r = as_text(r, span)?;
        Ok(Value::Bool(match op {
            BinaryOp::Contains => l.contains(r),
            BinaryOp::StartsWith => l.starts_with(r),
            _ => l.ends_with(r),
        }))
    }

    /// `constant` bounds are expanded by v1.15.5 before it runs, up to a million elements, outside its memory budget.
    fn range(&mut self, l: &Value, r: &Value, constant: bool, span: Span) -> Evaluated {
        let fail = |message: String| Error::run(message, span);
        let (from, to) = (ops::to_int(l).map_err(fail)?, ops::to_int(r).map_err(fail)?);
        let size = to.wrapping_sub(from).wrapping_add(1).max(0);
        if !(constant && size <= 1_000_000) {
            self.grow(usize::try_from(size).unwrap_or(usize::MAX), span)?;
        }
        let items = (0..size).map(|i| Value::Int(from.wrapping_add(i))).collect();
        Ok(Value::slice(Elem::Int, items))
    }

    /// A member, call or chain of them; nothing if a `?.` met nil.
    fn chain(&mut self, node: &Node) -> Result<Option<Value>, Error> {
        match &node.kind {
            Kind::Member { base, property, optional, .. } => {
                let Some(base) = self.chain(base)? else { return Ok(None) };
                if *optional && base.is_nil() {
                    return Ok(None);
                }
                let (base, property) = self.above(base, property)?;
                self.fetch(&base, &property, node.span).map(Some)
            }
            Kind::Call { callee, arguments } => {
                let values = self.operands(arguments.iter())?;
                let Some(function) = self.chain(callee)? else { return Ok(None) };
                self.call(&function, &values, !callee.ty.is_any(), node.span).map(Some)
            }
            _ => self.eval(node).map(Some),
        }
    }

    fn pointer(&self, name: &str, span: Span) -> Evaluated {
        let outside = || Error::run("cannot use pointer accessor outside closure", span);
        let scope = self.scopes.last().ok_or_else(outside)?;
        match name {
            "index" => Ok(Value::Int(scope.index as i64)),
            "acc" => Ok(scope.accumulator.clone()),
            _ => scope.items.get(scope.index, self.dialect).map_err(|message| Error::run(message, span)),
        }
    }

    fn declaration(&mut self, name: &Arc<str>, value: &Node, body: &Node) -> Evaluated {
        let value = self.eval(value)?;
        self.variables.push((name.clone(), value));
        let result = self.eval(body);
        self.variables.pop();
        result
    }

    fn array(&mut self, nodes: &[Node], span: Span) -> Evaluated {
        let items = self.operands(nodes.iter())?;
        self.grow(items.len(), span)?;
        self.bounded(Value::list(items), span)
    }

    fn map(&mut self, pairs: &[(Node, Node)], span: Span) -> Evaluated {
        let mut values = self.operands(pairs.iter().flat_map(|(key, value)| [key, value]))?;
        self.grow(pairs.len(), span)?;
        let mut entries = BTreeMap::new();
        // Upstream pops the pairs from its stack, so of two equal keys the first wins and the last bad key is reported.
        while let (Some(value), Some(key)) = (values.pop(), values.pop()) {
            let Value::Str(key) = key else { return Err(conversion(&key, "string", span)) };
            entries.insert(Key::Str(key), value);
        }
        self.bounded(Value::map_of(MapKind::StringToAny, entries), span)
    }
}

/// Go's panic when an interface does not hold what the compiled code expects.
pub(super) fn conversion(value: &Value, wanted: &str, span: Span) -> Error {
    Error::run(conversion_message(value, wanted), span)
}

pub(super) fn conversion_message(value: &Value, wanted: &str) -> String {
    let got = if matches!(value, Value::Nil) { "nil".to_owned() } else { value.type_name() };
    format!("interface conversion: interface {{}} is {got}, not {wanted}")
}

fn as_bool(value: &Value, span: Span) -> Result<bool, Error> {
    if let Value::Bool(value) = value { Ok(*value) } else { Err(conversion(value, "bool", span)) }
}

fn as_text(value: &Value, span: Span) -> Result<&str, Error> {
    value.as_str().ok_or_else(|| conversion(value, "string", span))
}

/// v1.17.8 falls back to bytes, which a condition cannot produce, and says so in its message.
fn as_pattern_subject(value: &Value, dialect: Dialect, span: Span) -> Result<&str, Error> {
    let wanted = if dialect == Dialect::V1_9 { "string" } else { "[]uint8" };
    value.as_str().ok_or_else(|| conversion(value, wanted, span))
}

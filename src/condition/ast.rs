//! The tree the parser builds, the checker annotates and the evaluator walks.

use std::sync::Arc;

use regex::Regex;

use super::error::Span;
use super::types::Type;
use super::value::Value;

/// A node, its place in the source and, once checked, its static type.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) ty: Type,
    /// Height of the tree below, so that no walk of it can exhaust the stack.
    pub(super) depth: u32,
}

/// The forms an expression can take.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    Name(Arc<str>),
    Unary {
        op: UnaryOp,
        operand: Box<Node>,
    },
    Binary {
        op: BinaryOp,
        left: Box<Node>,
        right: Box<Node>,
        mode: Mode,
    },
    /// The whole of `a?.b.c`: a nil at any `?.` ends it with nil.
    Chain(Box<Node>),
    Member {
        base: Box<Node>,
        property: Box<Node>,
        optional: bool,
        called: bool,
    },
    Slice {
        base: Box<Node>,
        from: Option<Box<Node>>,
        to: Option<Box<Node>>,
    },
    Call {
        callee: Box<Node>,
        arguments: Vec<Node>,
    },
    Builtin(Builtin),
    Closure(Box<Node>),
    Pointer(Arc<str>),
    Let {
        name: Arc<str>,
        value: Box<Node>,
        body: Box<Node>,
    },
    Sequence(Vec<Node>),
    Conditional {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Array(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// A call of a function of the language itself.
#[derive(Clone, Debug)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<Node>,
    /// Set by the optimiser: what to give back for each element found, when a `map` was merged into this call.
    pub(super) map: Option<Box<Node>>,
    /// Set by the optimiser: `filter(…)[0]` became `find`, which must still fail when nothing is found.
    pub(super) throws: bool,
}

/// Operators with one operand. The two spellings of "not" are told apart only in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnaryOp {
    Not,
    Bang,
    Plus,
    Minus,
}

impl UnaryOp {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "not" => Self::Not,
            "!" => Self::Bang,
            "+" => Self::Plus,
            "-" => Self::Minus,
            _ => return None,
        })
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Not => "not",
            Self::Bang => "!",
            Self::Plus => "+",
            Self::Minus => "-",
        }
    }

    pub(super) fn precedence(self) -> u32 {
        match self {
            Self::Not | Self::Bang => 50,
            Self::Plus | Self::Minus => 90,
        }
    }
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryOp {
    Pipe,
    Or(&'static str),
    And(&'static str),
    Equal,
    NotEqual,
    Less,
    Greater,
    GreaterEqual,
    LessEqual,
    In,
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    Range,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power(&'static str),
    Coalesce,
}

impl BinaryOp {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "|" => Self::Pipe,
            "or" => Self::Or("or"),
            "||" => Self::Or("||"),
            "and" => Self::And("and"),
            "&&" => Self::And("&&"),
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            ">" => Self::Greater,
            ">=" => Self::GreaterEqual,
            "<=" => Self::LessEqual,
            "in" => Self::In,
            "matches" => Self::Matches,
            "contains" => Self::Contains,
            "startsWith" => Self::StartsWith,
            "endsWith" => Self::EndsWith,
            ".." => Self::Range,
            "+" => Self::Add,
            "-" => Self::Subtract,
            "*" => Self::Multiply,
            "/" => Self::Divide,
            "%" => Self::Modulo,
            "**" => Self::Power("**"),
            "^" => Self::Power("^"),
            "??" => Self::Coalesce,
            _ => return None,
        })
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Pipe => "|",
            Self::Or(text) | Self::And(text) | Self::Power(text) => text,
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::LessEqual => "<=",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Range => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Coalesce => "??",
        }
    }

    pub(super) fn precedence(self) -> u32 {
        match self {
            Self::Pipe => 0,
            Self::Or(_) => 10,
            Self::And(_) => 15,
            Self::Range => 25,
            Self::Add | Self::Subtract => 30,
            Self::Multiply | Self::Divide | Self::Modulo => 60,
            Self::Power(_) => 100,
            Self::Coalesce => 500,
            _ => 20,
        }
    }

    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Self::Less | Self::Greater | Self::GreaterEqual | Self::LessEqual)
    }

    /// Operators that may follow `not`, as in `a not in b`.
    pub(super) fn may_be_negated(self) -> bool {
        matches!(self, Self::In | Self::Matches | Self::Contains | Self::StartsWith | Self::EndsWith)
    }
}

/// How a binary node runs, decided from the static types; the Go compiler picks its instructions the same way.
#[derive(Clone, Debug, Default)]
pub(super) enum Mode {
    #[default]
    General,
    /// Both sides are statically `int`: anything else at run time is a failed conversion.
    Ints,
    /// Both sides are statically `string`.
    Strings,
    /// `matches` with a pattern known in advance.
    Pattern(Regex),
    /// `in` with a list of string constants, or of integer constants for a subject that is statically an `int`: they became the
    /// keys of a map, which cannot be asked about anything of another type.
    Set { members: Arc<[Value]>, of: &'static str },
}

impl Node {
    pub(super) fn new(kind: Kind, span: Span) -> Self {
        let mut depth = 0;
        each_child(&kind, &mut |child| depth = depth.max(child.depth));
        Self { kind, span, ty: Type::Any, depth: depth + 1 }
    }
}

/// Calls `visit` with every direct child.
pub(super) fn each_child<'a>(kind: &'a Kind, visit: &mut dyn FnMut(&'a Node)) {
    match kind {
        Kind::Nil
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Str(_)
        | Kind::Name(_)
        | Kind::Pointer(_) => {}
        Kind::Unary { operand: child, .. } | Kind::Chain(child) | Kind::Closure(child) => visit(child),
        Kind::Binary { left, right, .. } | Kind::Member { base: left, property: right, .. } => {
            visit(left);
            visit(right);
        }
        Kind::Slice { base, from, to } => {
            visit(base);
            from.iter().chain(to).for_each(|child| visit(child));
        }
        Kind::Call { callee, arguments } => {
            visit(callee);
            arguments.iter().for_each(visit);
        }
        Kind::Builtin(Builtin { arguments, map, .. }) => {
            arguments.iter().for_each(&mut *visit);
            map.iter().for_each(|child| visit(child));
        }
        Kind::Let { value, body, .. } => {
            visit(value);
            visit(body);
        }
        Kind::Sequence(nodes) | Kind::Array(nodes) => nodes.iter().for_each(visit),
        Kind::Conditional { condition, then, otherwise } => {
            visit(condition);
            visit(then);
            visit(otherwise);
        }
        Kind::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
    }
}

/// Calls `visit` with every direct child, for rewriting.
pub(super) fn each_child_mut(kind: &mut Kind, visit: &mut dyn FnMut(&mut Node)) {
    match kind {
        Kind::Nil
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Str(_)
        | Kind::Name(_)
        | Kind::Pointer(_) => {}
        Kind::Unary { operand: child, .. } | Kind::Chain(child) | Kind::Closure(child) => visit(child),
        Kind::Binary { left, right, .. } | Kind::Member { base: left, property: right, .. } => {
            visit(left);
            visit(right);
        }
        Kind::Slice { base, from, to } => {
            visit(base);
            from.iter_mut().chain(to).for_each(|child| visit(child));
        }
        Kind::Call { callee, arguments } => {
            visit(callee);
            arguments.iter_mut().for_each(visit);
        }
        Kind::Builtin(Builtin { arguments, map, .. }) => {
            arguments.iter_mut().for_each(&mut *visit);
            map.iter_mut().for_each(|child| visit(child));
        }
        Kind::Let { value, body, .. } => {
            visit(value);
            visit(body);
        }
        Kind::Sequence(nodes) | Kind::Array(nodes) => nodes.iter_mut().for_each(visit),
        Kind::Conditional { condition, then, otherwise } => {
            visit(condition);
            visit(then);
            visit(otherwise);
        }
        Kind::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
    }
}

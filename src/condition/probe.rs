//! Questions a linter asks about a condition: how does it answer no data, NaN and a grid of values, and does it compare a vector
//! with a number? Nothing here judges; rules live with the linter.

use std::ops::Range;

use super::ast::{BinaryOp, Kind, Node, each_child};
use super::environment::Types;
use super::error::Error;
use super::time::Time;
use super::value::Value;
use super::{Condition, Shape, checker};

/// What an operand of a comparison is, statically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A list of any kind, such as the whole of a vector result.
    List,
    /// A number.
    Number,
    /// Anything else, or unknown.
    Other,
}

/// One `<`, `>`, `<=`, `>=`, `==` or `!=` of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The operator as written.
    pub operator: &'static str,
    /// What stands on its left.
    pub left: Role,
    /// What stands on its right.
    pub right: Role,
    /// The bytes of the whole comparison.
    pub span: Range<usize>,
}

impl Comparison {
    /// A list against a number: the library refuses to compile it.
    pub fn is_list_against_number(&self) -> bool {
        matches!((self.left, self.right), (Role::List, Role::Number) | (Role::Number, Role::List))
    }
}

/// How a condition answers the results a policy meets in practice.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// An empty vector: no series matched.
    pub empty: Result<bool, Error>,
    /// A vector with one NaN: typically 0/0 without traffic.
    pub nan: Result<bool, Error>,
    /// A vector with one positive infinity: typically a division by zero.
    pub infinite: Result<bool, Error>,
    /// One-element vectors over the grid, in its order.
    pub grid: Vec<(f64, Result<bool, Error>)>,
}

impl Probe {
    /// Whether every value of the grid gets the same answer, so that the metric decides nothing.
    pub fn is_constant(&self) -> bool {
        self.grid.windows(2).all(|pair| pair[0].1.as_ref().ok() == pair[1].1.as_ref().ok())
    }
}

/// Evaluates `condition` against vectors: empty, NaN, infinite, and one for each value of `grid`.
pub fn probe(condition: &Condition, grid: &[f64], now: Time) -> Probe {
    let ask = |samples: &[f64]| condition.evaluate(&Value::vector(samples.iter().copied()), now);
    Probe {
        empty: ask(&[]),
        nan: ask(&[f64::NAN]),
        infinite: ask(&[f64::INFINITY]),
        grid: grid.iter().map(|value| (*value, ask(&[*value]))).collect(),
    }
}

impl Condition {
    /// The comparisons of this condition with the roles of their operands, for a result of this shape.
    ///
    /// Types are found even where the condition as a whole does not compile, as far as its parts do.
    pub fn comparisons(&self, shape: Shape) -> Vec<Comparison> {
        let mut root = self.root.clone();
        let types = Types::Metric(shape.ty());
        // A failed check leaves the types of everything it visited before; what it did not reach stays unknown.
        let _ = checker::check(&mut root, &types, self.dialect);
        let mut found = Vec::new();
        collect(&root, self, &mut found);
        found
    }

    /// Every number written in the condition: the thresholds a linter probes around.
    pub fn numbers(&self) -> Vec<f64> {
        let mut found = Vec::new();
        collect_numbers(&self.root, &mut found);
        found
    }

    /// Whether the condition mentions `result` at all.
    pub fn mentions_result(&self) -> bool {
        mentions(&self.root, "result")
    }
}

fn collect(node: &Node, condition: &Condition, found: &mut Vec<Comparison>) {
    if let Kind::Binary { op, left, right, .. } = &node.kind
        && (op.is_comparison() || matches!(op, BinaryOp::Equal | BinaryOp::NotEqual))
    {
        let role = |side: &Node| match &side.ty {
            ty if ty.is_array() => Role::List,
            ty if ty.is_number(condition.dialect) => Role::Number,
            _ => Role::Other,
        };
        found.push(Comparison {
            operator: op.text(),
            left: role(left),
            right: role(right),
            span: node.span.range(),
        });
    }
    each_child(&node.kind, &mut |child| collect(child, condition, found));
}

fn collect_numbers(node: &Node, found: &mut Vec<f64>) {
    match node.kind {
        Kind::Int(value) => found.push(value as f64),
        Kind::Float(value) => found.push(value),
        _ => each_child(&node.kind, &mut |child| collect_numbers(child, found)),
    }
}

fn mentions(node: &Node, name: &str) -> bool {
    let mut found = matches!(&node.kind, Kind::Name(known) if **known == *name || **known == *"$env");
    each_child(&node.kind, &mut |child| found |= mentions(child, name));
    found
}

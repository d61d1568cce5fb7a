//! Binary operators: arithmetic, comparison and set operations, between numbers and vectors
//! (Prometheus `promql/engine.go` `VectorBinop`, v3).

use std::collections::BTreeSet;

use super::super::ast::{Binary, BinaryOp, Cardinality, Expr, Matching};
use super::super::error::EvalError;
use super::super::labels::Labels;
use super::pairing::{Pairing, Signature, participates, signature};
use super::{Element, Evaluator, Operand};

impl Evaluator<'_> {
    pub(super) fn binary(&self, binary: &Binary, expr: &Expr, t: i64) -> Result<Operand, EvalError> {
        let (lhs, rhs) = (self.eval(&binary.lhs, t)?, self.eval(&binary.rhs, t)?);
        match (lhs, rhs) {
            (Operand::Scalar(l), Operand::Scalar(r)) => Ok(Operand::Scalar(scalars(binary.op, l, r))),
            (Operand::Vector(l), Operand::Scalar(r)) => {
                self.with_scalar(binary, l, |v| (v, r), expr).map(Operand::Vector)
            }
            (Operand::Scalar(l), Operand::Vector(r)) => {
                self.with_scalar(binary, r, |v| (l, v), expr).map(Operand::Vector)
            }
            (Operand::Vector(l), Operand::Vector(r)) if binary.op.is_set() => {
                Ok(Operand::Vector(set_operation(binary, l, r)))
            }
            (Operand::Vector(l), Operand::Vector(r)) => self.vectors(binary, l, r, expr).map(Operand::Vector),
            _ => Err(EvalError::new(expr.span(), "operands must be numbers or instant vectors")),
        }
    }

    /// A vector and a number; `sides` puts them in the order they were written.
    fn with_scalar(
        &self,
        binary: &Binary,
        mut elements: Vec<Element>,
        sides: impl Fn(f64) -> (f64, f64),
        expr: &Expr,
    ) -> Result<Vec<Element>, EvalError> {
        let (op, as_bool) = (binary.op, binary.return_bool);
        if op.is_trim() {
            return self.untrimmable(&elements, binary, expr);
        }
        elements.retain_mut(|element| {
            let (l, r) = sides(element.v);
            if !op.is_comparison() {
                element.v = arithmetic(op, l, r);
                return true;
            }
            // A comparison that filters keeps the vector's value, on whichever side it stands.
            let holds = compare(op, l, r);
            if as_bool {
                element.v = f64::from(u8::from(holds));
            }
            holds || as_bool
        });
        if !op.is_comparison() || as_bool {
            self.drop_names(&mut elements, expr.span())?;
        }
        Ok(elements)
    }

    /// Only native histograms can be trimmed.
    fn untrimmable(
        &self,
        elements: &[Element],
        binary: &Binary,
        expr: &Expr,
    ) -> Result<Vec<Element>, EvalError> {
        if !elements.is_empty() {
            self.remarks.borrow_mut().incompatible_types(binary.op.symbol(), &expr.span);
        }
        Ok(Vec::new())
    }

    fn vectors(
        &self,
        binary: &Binary,
        lhs: Vec<Element>,
        rhs: Vec<Element>,
        expr: &Expr,
    ) -> Result<Vec<Element>, EvalError> {
        if binary.op.is_trim() {
            self.remarks.borrow_mut().incompatible_types(binary.op.symbol(), &expr.span);
            return Ok(Vec::new());
        }
        if (lhs.is_empty() || rhs.is_empty()) && !binary.matching.fill.any() {
            return Ok(Vec::new());
        }
        // From here on there is a "many" and a "one" side; values are swapped back when it comes to computing.
        let swapped = binary.matching.cardinality == Cardinality::OneToMany;
        let (many, one) = if swapped { (&rhs, &lhs) } else { (&lhs, &rhs) };
        let mut pairing = Pairing::new(&binary.matching, one, expr)?;
        let mut out = Vec::new();
        let mut meet = |many: &Element, one: &Element, group: usize, pairing: &mut Pairing<'_>| {
            let (l, r) = if swapped { (one.v, many.v) } else { (many.v, one.v) };
            let (v, keep) = compute(binary, l, r);
            let labels = self.result_labels(binary, &many.labels, &one.labels);
            pairing.record(group, &labels, expr)?;
            if keep {
                // Upstream forgets here that a name was to be dropped.
                let drop_name = binary.return_bool;
                out.push(Element { labels, v, taken: many.taken, drop_name });
            }
            Ok::<_, EvalError>(())
        };
        // Upstream does not swap these with the sides; `fill_right` is always for the "one" side.
        let fill = binary.matching.fill;
        for element in many {
            match (pairing.group(element), fill.right) {
                (group, _) if group < one.len() => meet(element, &one[group], group, &mut pairing)?,
                (group, Some(v)) => meet(element, &stand_in(binary, element, v), group, &mut pairing)?,
                (_, None) => {}
            }
        }
        if let Some(v) = fill.left {
            for (group, element) in one.iter().enumerate() {
                if !pairing.has_met(group) {
                    meet(&stand_in(binary, element, v), element, group, &mut pairing)?;
                }
            }
        }
        Ok(out)
    }

    fn result_labels(&self, binary: &Binary, many: &Labels, one: &Labels) -> Labels {
        let matching = &binary.matching;
        let mut labels = many.clone();
        let name_goes = binary.return_bool && !self.options.delayed_name_removal;
        if !binary.op.is_comparison() || name_goes {
            labels = labels.without_metadata();
        }
        if matching.cardinality == Cardinality::OneToOne {
            let listed = |name: &str| matching.labels.iter().any(|l| **l == *name);
            if matching.on || !matching.labels.is_empty() {
                labels = labels.filter(|name| listed(name) == matching.on);
            }
        }
        matching.include.iter().fold(labels, |labels, name| labels.with(name, one.value(name)))
    }
}

/// What a missing sample is taken to be: the labels both sides must share, and the given value.
fn stand_in(binary: &Binary, partner: &Element, v: f64) -> Element {
    let labels = partner.labels.filter(|name| participates(&binary.matching, name));
    Element::new(labels, v, partner.taken)
}

fn set_operation(binary: &Binary, lhs: Vec<Element>, rhs: Vec<Element>) -> Vec<Element> {
    let matching = &binary.matching;
    match binary.op {
        BinaryOp::And => retain(matching, lhs, &rhs, true),
        BinaryOp::Unless => retain(matching, lhs, &rhs, false),
        _ => {
            let added = retain(matching, rhs, &lhs, false);
            lhs.into_iter().chain(added).collect()
        }
    }
}

/// The elements that do (or do not) have a partner among `others`.
fn retain(
    matching: &Matching,
    mut elements: Vec<Element>,
    others: &[Element],
    with_partner: bool,
) -> Vec<Element> {
    let present: BTreeSet<Signature<'_>> = others.iter().map(|e| signature(matching, &e.labels)).collect();
    elements.retain(|e| present.contains(&signature(matching, &e.labels)) == with_partner);
    elements
}

/// Value and fate of one pair.
fn compute(binary: &Binary, l: f64, r: f64) -> (f64, bool) {
    if !binary.op.is_comparison() {
        return (arithmetic(binary.op, l, r), true);
    }
    let holds = compare(binary.op, l, r);
    if binary.return_bool { (f64::from(u8::from(holds)), true) } else { (l, holds) }
}

fn scalars(op: BinaryOp, l: f64, r: f64) -> f64 {
    if op.is_comparison() { f64::from(u8::from(compare(op, l, r))) } else { arithmetic(op, l, r) }
}

fn arithmetic(op: BinaryOp, l: f64, r: f64) -> f64 {
    match op {
        BinaryOp::Add => l + r,
        BinaryOp::Sub => l - r,
        BinaryOp::Mul => l * r,
        BinaryOp::Div => l / r,
        BinaryOp::Mod => l % r,
        BinaryOp::Pow => l.powf(r),
        BinaryOp::Atan2 => l.atan2(r),
        // Comparisons and set operators do not come here.
        _ => f64::NAN,
    }
}

fn compare(op: BinaryOp, l: f64, r: f64) -> bool {
    match op {
        BinaryOp::Eq => l == r,
        BinaryOp::Ne => l != r,
        BinaryOp::Gt => l > r,
        BinaryOp::Lt => l < r,
        BinaryOp::Ge => l >= r,
        BinaryOp::Le => l <= r,
        _ => false,
    }
}

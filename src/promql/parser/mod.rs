//! From text to [`Expr`]: a Pratt parser over the lexer's words. Types are checked while the tree is built
//! (`check.rs`), so an [`Expr`] that exists is well typed. Nesting is bounded; nothing a query says can overflow
//! the stack, here or in anything that recurses over the tree later.
//!
//! Experimental syntax is understood whether or not the server to come has its feature flags set.

mod check;
mod cursor;
mod lengths;
mod lexer;
mod modifiers;
mod number;
mod selector;
mod strings;
mod token;

use std::sync::Arc;

use self::cursor::Cursor;
use self::token::{Keyword, Tok};
use super::ast::{Aggregate, AggregateOp, Binary, BinaryOp, Expr, ExprKind, Matching, Reach, ValueType};
use super::error::{ParseError, Span};
use super::format;
use super::matcher::Matcher;

/// Deepest nesting of a query, counted both in the text and in the tree (a long `a or b or c …` is deep, too).
pub const MAX_DEPTH: usize = 200;

/// Parses a query.
pub fn parse(source: &str) -> Result<Expr, ParseError> {
    let mut parser = Parser { cursor: Cursor::new(source), depth: 0, labels_only: false };
    if parser.cursor.peek() == Tok::End {
        return Err(ParseError::new(0..0, "no expression found in input"));
    }
    let expr = parser.expression(0)?;
    match parser.cursor.peek() {
        Tok::End => Ok(expr),
        _ => Err(parser.cursor.unexpected("", "")),
    }
}

/// Parses a bare selector, as the `match[]` parameter of the HTTP API takes it.
pub fn parse_selector(source: &str) -> Result<Vec<Matcher>, ParseError> {
    let expr = parse(source)?;
    match expr.kind {
        ExprKind::Selector(selector) => Ok(selector.matchers),
        _ => Err(ParseError::new(expr.span, "expected a vector selector")),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    depth: usize,
    /// The selector to come states labels of info metrics and may be empty.
    labels_only: bool,
}

/// `without` or not, and the labels.
type Grouping = (bool, Vec<Arc<str>>);

/// Binding strength of a binary operator; higher binds tighter.
fn strength(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And | BinaryOp::Unless => 2,
        BinaryOp::TrimUpper | BinaryOp::TrimLower => 3,
        op if op.is_comparison() => 3,
        BinaryOp::Add | BinaryOp::Sub => 4,
        BinaryOp::Pow => POWER,
        _ => 5,
    }
}

const POWER: u8 = 6;

impl Parser<'_> {
    /// An expression whose operators all bind at least as tightly as `min`.
    fn expression(&mut self, min: u8) -> Result<Expr, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(self.cursor.span()));
        }
        let mut lhs = self.operand()?;
        while let Tok::Op(op) = self.cursor.peek()
            && strength(op) >= min
        {
            lhs = self.binary(lhs, op)?;
        }
        self.depth -= 1;
        Ok(lhs)
    }

    fn binary(&mut self, lhs: Expr, op: BinaryOp) -> Result<Expr, ParseError> {
        let op_span = self.cursor.span();
        self.cursor.advance();
        let (return_bool, matching) = self.binary_modifiers()?;
        // Power associates to the right, everything else to the left.
        let rhs = self.expression(if op == BinaryOp::Pow { POWER } else { strength(op) + 1 })?;
        let mut binary = Binary { op, lhs, rhs, return_bool, matching };
        let value_type = check::binary(&mut binary, op_span)?;
        let span = binary.lhs.span.start..binary.rhs.span.end;
        build(ExprKind::Binary(Box::new(binary)), span, value_type)
    }

    fn operand(&mut self) -> Result<Expr, ParseError> {
        let start = self.cursor.span().start;
        let negate = match self.cursor.peek() {
            Tok::Op(BinaryOp::Sub) => true,
            Tok::Op(BinaryOp::Add) => false,
            _ => return self.with_suffixes(),
        };
        self.cursor.advance();
        // A sign binds like multiplication, so that -2^2 is -(2^2).
        let inner = self.expression(POWER)?;
        let value_type = check::unary(&inner)?;
        let span = start..inner.span.end;
        build(ExprKind::Unary(negate, Box::new(inner)), span, value_type)
    }

    fn with_suffixes(&mut self) -> Result<Expr, ParseError> {
        let mut expr = self.primary()?;
        loop {
            expr = match self.cursor.peek() {
                Tok::LeftBracket => self.bracketed(expr)?,
                Tok::Keyword(Keyword::Offset) => self.offset(expr)?,
                Tok::At => self.at(expr)?,
                Tok::Keyword(Keyword::Anchored) => self.reach(expr, Reach::Anchored)?,
                Tok::Keyword(Keyword::Smoothed) => self.reach(expr, Reach::Smoothed)?,
                _ => return Ok(expr),
            };
        }
    }

    fn primary(&mut self) -> Result<Expr, ParseError> {
        let tok = self.cursor.peek();
        let next = self.cursor.peek_second();
        match tok {
            Tok::Number | Tok::Duration | Tok::Keyword(Keyword::Inf | Keyword::Nan) => self.number(),
            Tok::Text => self.text(),
            Tok::LeftParen => self.parenthesised(),
            Tok::Aggregator(op) if starts_aggregation(next) => self.aggregation(op),
            Tok::Ident | Tok::Keyword(Keyword::Start | Keyword::Stop) if next == Tok::LeftParen => {
                self.call()
            }
            Tok::LeftBrace => self.selector(),
            tok if tok.is_name() => self.selector(),
            _ => Err(self.cursor.unexpected("", "")),
        }
    }

    fn number(&mut self) -> Result<Expr, ParseError> {
        let span = self.cursor.span();
        let value = match self.cursor.peek() {
            Tok::Keyword(Keyword::Inf) => Some(f64::INFINITY),
            Tok::Keyword(Keyword::Nan) => Some(f64::NAN),
            Tok::Duration => number::milliseconds(self.cursor.text()).map(|ms| ms as f64 / 1000.0),
            _ => number::number(self.cursor.text()),
        };
        let shown = format::quote(self.cursor.text());
        let value =
            value.ok_or_else(|| ParseError::new(span.clone(), format!("error parsing number: {shown}")))?;
        self.cursor.advance();
        build(ExprKind::Number(value), span, ValueType::Scalar)
    }

    fn text(&mut self) -> Result<Expr, ParseError> {
        let span = self.cursor.span();
        let text = self.cursor.take_text()?;
        build(ExprKind::String(text), span, ValueType::String)
    }

    fn parenthesised(&mut self) -> Result<Expr, ParseError> {
        let start = self.cursor.span().start;
        self.cursor.advance();
        let inner = self.expression(0)?;
        let end = self.cursor.expect(Tok::RightParen, "")?.end;
        let value_type = inner.value_type;
        build(ExprKind::Paren(Box::new(inner)), start..end, value_type)
    }

    fn call(&mut self) -> Result<Expr, ParseError> {
        let name_span = self.cursor.span();
        let func = check::function(self.cursor.text(), &name_span)?;
        self.cursor.advance();
        let (args, end) = self.arguments(func.name == "info")?;
        let span = name_span.start..end;
        let call = check::call(func, args, &span)?;
        build(ExprKind::Call(call), span, func.result)
    }

    /// Arguments with their parentheses, and where the last parenthesis ends.
    fn arguments(&mut self, labels_second: bool) -> Result<(Vec<Expr>, usize), ParseError> {
        self.cursor.expect(Tok::LeftParen, "")?;
        let mut args = Vec::new();
        if self.cursor.peek() != Tok::RightParen {
            args.push(self.expression(0)?);
        }
        while self.cursor.peek() == Tok::Comma {
            let comma = self.cursor.span();
            self.cursor.advance();
            if self.cursor.peek() == Tok::RightParen {
                return Err(ParseError::new(comma, "trailing commas not allowed in function call args"));
            }
            self.labels_only = labels_second && args.len() == 1 && self.cursor.peek() == Tok::LeftBrace;
            args.push(self.expression(0)?);
        }
        let end = self.cursor.expect(Tok::RightParen, "")?.end;
        Ok((args, end))
    }

    fn aggregation(&mut self, op: AggregateOp) -> Result<Expr, ParseError> {
        let start = self.cursor.span().start;
        self.cursor.advance();
        let before = self.grouping()?;
        if self.cursor.peek() != Tok::LeftParen {
            return Err(self.cursor.unexpected("aggregation", ""));
        }
        self.check_label_parameter(op)?;
        let (args, end) = self.arguments(false)?;
        let after = if before.is_none() { self.grouping()? } else { None };
        let end = after.as_ref().map_or(end, |_| self.cursor.previous_end());
        let (without, mut grouping) = before.or(after).unwrap_or_default();
        grouping.sort();
        let span = start..end;
        let (param, expr) = check::aggregate(op, args, &span)?;
        let aggregate = Aggregate { op, param, expr, without, grouping };
        build(ExprKind::Aggregate(Box::new(aggregate)), span, ValueType::Vector)
    }

    /// A label to be written by `count_values` must be text; say so in Prometheus' words before the general
    /// complaint about bytes that are no text.
    fn check_label_parameter(&self, op: AggregateOp) -> Result<(), ParseError> {
        let (tok, literal, span) = self.cursor.second();
        if op == AggregateOp::CountValues && tok == Tok::Text {
            let value = strings::unquote(literal);
            if value == Err(strings::Flaw::NotUtf8) || value.is_ok_and(|v| v.is_empty()) {
                return Err(ParseError::new(span, format!("invalid label name {literal}")));
            }
        }
        Ok(())
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let without = match self.cursor.peek() {
            Tok::Keyword(Keyword::By) => false,
            Tok::Keyword(Keyword::Without) => true,
            _ => return Ok(None),
        };
        self.cursor.advance();
        Ok(Some((without, self.label_list()?)))
    }

    fn binary_modifiers(&mut self) -> Result<(bool, Matching), ParseError> {
        let return_bool = self.cursor.eat(Tok::Keyword(Keyword::Bool));
        let mut matching = self.matching()?;
        matching.fill = self.fill()?;
        Ok((return_bool, matching))
    }
}

fn starts_aggregation(next: Tok) -> bool {
    matches!(next, Tok::LeftParen | Tok::Keyword(Keyword::By | Keyword::Without))
}

fn too_deep(span: Span) -> ParseError {
    ParseError::new(span, format!("query nests deeper than {MAX_DEPTH} levels"))
}

/// Finishes a node, unless the tree has become too deep.
fn build(kind: ExprKind, span: Span, value_type: ValueType) -> Result<Expr, ParseError> {
    let (mut depth, mut contextual) = (1, kind.is_contextual());
    let mut expr = Expr { invariant: kind.is_invariant(), contextual, kind, span, value_type, depth: 1 };
    for child in expr.children() {
        (depth, contextual) = (depth.max(child.depth + 1), contextual || child.contextual);
    }
    (expr.depth, expr.contextual) = (depth, contextual);
    if expr.depth > MAX_DEPTH { Err(too_deep(expr.span)) } else { Ok(expr) }
}

#[cfg(test)]
mod tests;

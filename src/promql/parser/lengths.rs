//! Durations where a duration is wanted: `[5m]`, `[1h / 2]`, `[range() : step()]`, `offset -5m`
//! (Prometheus `promql/parser/generated_parser.y` `duration_expr`, v0.313.5).

use super::super::ast::BinaryOp;
use super::super::error::{ParseError, Span};
use super::super::length::{Frame, Length, LengthKind};
use super::token::{Keyword, Tok};
use super::{MAX_DEPTH, POWER, Parser, number, strength, too_deep};

/// Binds like multiplication: a sign in front of a power belongs to the whole power.
const SIGN: u8 = 5;

/// Milliseconds, and the expression they come from when only the query can tell.
pub(super) type Found = (i64, Option<Box<Length>>);

impl Parser<'_> {
    /// The length of a range or of a step, which must be positive.
    pub(super) fn length(&mut self, context: &str) -> Result<Found, ParseError> {
        let length = self.sum_of_lengths(0, context)?;
        settle(length, false)
    }

    /// The length of an offset. Without parentheses it ends after one operand: `a offset 5m * 2` doubles the metric.
    pub(super) fn offset_length(&mut self) -> Result<Found, ParseError> {
        let start = self.cursor.span();
        let negative = match self.cursor.peek() {
            Tok::Op(op @ (BinaryOp::Sub | BinaryOp::Add)) => {
                self.cursor.advance();
                op == BinaryOp::Sub
            }
            Tok::LeftParen => return settle(self.sum_of_lengths(0, OFFSET)?, true),
            _ => return settle(self.one_length(OFFSET)?, true),
        };
        let inner = match self.cursor.peek() {
            Tok::Op(_) => self.sum_of_lengths(SIGN, OFFSET)?,
            _ => self.one_length(OFFSET)?,
        };
        settle(signed(negative, inner, start)?, true)
    }

    fn sum_of_lengths(&mut self, min: u8, context: &str) -> Result<Length, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(self.cursor.span()));
        }
        let mut lhs = self.signed_length(context)?;
        while let Tok::Op(op) = self.cursor.peek()
            && is_arithmetic(op)
            && strength(op) >= min
        {
            let op_span = self.cursor.span();
            self.cursor.advance();
            let rhs =
                self.sum_of_lengths(if op == BinaryOp::Pow { POWER } else { strength(op) + 1 }, context)?;
            lhs = combine(op, op_span, lhs, rhs)?;
        }
        self.depth -= 1;
        Ok(lhs)
    }

    fn signed_length(&mut self, context: &str) -> Result<Length, ParseError> {
        let Tok::Op(op @ (BinaryOp::Sub | BinaryOp::Add)) = self.cursor.peek() else {
            return self.one_length(context);
        };
        let start = self.cursor.span();
        self.cursor.advance();
        let inner = self.sum_of_lengths(POWER, context)?;
        signed(op == BinaryOp::Sub, inner, start)
    }

    /// A number, a duration, `step()`, `range()`, `min_of(…)`, `max_of(…)`, or anything in parentheses.
    fn one_length(&mut self, context: &str) -> Result<Length, ParseError> {
        let span = self.cursor.span();
        let word = self.cursor.text().to_ascii_lowercase();
        match (self.cursor.peek(), word.as_str()) {
            (Tok::Number | Tok::Duration, _) => self.literal_length(),
            (Tok::LeftParen, _) => {
                self.cursor.advance();
                let mut inner = self.sum_of_lengths(0, context)?;
                let close = self.cursor.expect(Tok::RightParen, context)?;
                inner.span = span.start..close.end;
                Ok(inner)
            }
            (Tok::Ident, "step" | "range") => {
                self.cursor.advance();
                self.cursor.expect(Tok::LeftParen, context)?;
                let close = self.cursor.expect(Tok::RightParen, context)?;
                let kind = if word == "step" { LengthKind::Step } else { LengthKind::Range };
                Ok(Length { kind, span: span.start..close.end, depth: 1 })
            }
            (Tok::Ident, "min_of" | "max_of") => self.extreme_length(&word, context),
            (Tok::Keyword(Keyword::Inf | Keyword::Nan), _) => {
                Err(ParseError::new(span, "duration out of range"))
            }
            _ if context == OFFSET => {
                Err(self.cursor.unexpected(context, "number, duration, step(), or range()"))
            }
            _ => Err(self.cursor.unexpected(context, "number, duration, step(), or range()")),
        }
    }

    fn literal_length(&mut self) -> Result<Length, ParseError> {
        let span = self.cursor.span();
        let seconds = match self.cursor.peek() {
            Tok::Duration => number::milliseconds(self.cursor.text()).map(|ms| ms as f64 / 1000.0),
            _ => number::number(self.cursor.text()).filter(|v| number::seconds_to_ms(*v).is_some()),
        };
        let seconds = seconds.ok_or_else(|| ParseError::new(span.clone(), "duration out of range"))?;
        self.cursor.advance();
        Ok(Length { kind: LengthKind::Literal(seconds), span, depth: 1 })
    }

    fn extreme_length(&mut self, word: &str, context: &str) -> Result<Length, ParseError> {
        let start = self.cursor.span().start;
        self.cursor.advance();
        self.cursor.expect(Tok::LeftParen, context)?;
        let lhs = self.sum_of_lengths(0, context)?;
        self.cursor.expect(Tok::Comma, context)?;
        let rhs = self.sum_of_lengths(0, context)?;
        let close = self.cursor.expect(Tok::RightParen, context)?;
        let pair = Box::new([lhs, rhs]);
        let depth = deeper(&pair);
        let kind = if word == "min_of" { LengthKind::Least(pair) } else { LengthKind::Most(pair) };
        checked(Length { kind, span: start..close.end, depth })
    }
}

const OFFSET: &str = "offset";

fn is_arithmetic(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod | BinaryOp::Pow
    )
}

fn combine(op: BinaryOp, op_span: Span, lhs: Length, rhs: Length) -> Result<Length, ParseError> {
    if rhs.kind == LengthKind::Literal(0.0) && matches!(op, BinaryOp::Div | BinaryOp::Mod) {
        let what = if op == BinaryOp::Div { "division" } else { "modulo" };
        return Err(ParseError::new(op_span, format!("{what} by zero")));
    }
    let span = lhs.span.start..rhs.span.end;
    let pair = Box::new([lhs, rhs]);
    let depth = deeper(&pair);
    checked(Length { kind: LengthKind::Binary(op, pair), span, depth })
}

/// A sign in front of a literal is part of it.
fn signed(negative: bool, mut inner: Length, sign: Span) -> Result<Length, ParseError> {
    let span = sign.start..inner.span.end;
    let depth = inner.depth + 1;
    match inner.kind {
        LengthKind::Literal(ref mut seconds) => {
            *seconds = if negative { -*seconds } else { *seconds };
            Ok(Length { span, ..inner })
        }
        _ if negative => checked(Length { kind: LengthKind::Negated(Box::new(inner)), span, depth }),
        _ => Ok(Length { span, ..inner }),
    }
}

fn deeper(pair: &[Length; 2]) -> usize {
    1 + pair[0].depth.max(pair[1].depth)
}

fn checked(length: Length) -> Result<Length, ParseError> {
    if length.depth > MAX_DEPTH { Err(too_deep(length.span)) } else { Ok(length) }
}

/// Computes what can be computed now.
fn settle(length: Length, any_sign: bool) -> Result<Found, ParseError> {
    if !length.is_constant() {
        return Ok((0, Some(Box::new(length))));
    }
    let ms = length.milliseconds(Frame::default(), any_sign);
    ms.map(|ms| (ms, None)).map_err(|(span, message)| ParseError::new(span, message))
}

//! What may follow a selector or stand between two operands: ranges, subqueries, `offset`, `@`, and the matching
//! of vectors.

use super::super::ast::{
    At, BinaryOp, Cardinality, Expr, ExprKind, Fill, Matching, RangeSelector, Reach, Subquery, Timing,
    ValueType,
};
use super::super::error::{ParseError, Span};
use super::lengths::Found;
use super::token::{Keyword, Tok};
use super::{Parser, build, number};

impl Parser<'_> {
    /// `[5m]` or `[30m:1m]` after an expression.
    pub(super) fn bracketed(&mut self, expr: Expr) -> Result<Expr, ParseError> {
        let open = self.cursor.span();
        self.cursor.advance();
        let (range_ms, range) = self.length("subquery or range selector")?;
        if self.cursor.peek() == Tok::Colon {
            return self.subquery(expr, (range_ms, range));
        }
        let close = self.closing_bracket("subquery or range", "\":\" or \"]\"")?;
        let brackets = open.start..close.end;
        let selector_span = expr.span.clone();
        let selector = match expr.kind {
            ExprKind::Selector(selector) => selector,
            _ => {
                return Err(ParseError::new(brackets, "ranges only allowed for vector selectors"));
            }
        };
        if selector.timing.offset_ms != 0 || selector.timing.offset.is_some() {
            return Err(ParseError::new(brackets, "no offset modifiers allowed before range"));
        }
        if selector.timing.at.is_some() {
            return Err(ParseError::new(brackets, "no @ modifiers allowed before range"));
        }
        let span = selector_span.start..close.end;
        let range = RangeSelector { selector: *selector, selector_span, range_ms, range };
        build(ExprKind::Range(Box::new(range)), span, ValueType::Matrix)
    }

    fn subquery(&mut self, expr: Expr, (range_ms, range): Found) -> Result<Expr, ParseError> {
        self.cursor.advance();
        let (step_ms, step) = match self.cursor.peek() {
            Tok::RightBracket => (None, None),
            _ => self.length("subquery selector").map(|(ms, step)| (Some(ms), step))?,
        };
        let close = self.closing_bracket("subquery selector", "\"]\"")?;
        let span = expr.span.start..close.end;
        if expr.value_type != ValueType::Vector {
            let got = expr.value_type;
            let message = format!("subquery is only allowed on instant vector, got {got} instead");
            return Err(ParseError::new(span, message));
        }
        let subquery = Subquery { expr, range_ms, range, step_ms, step, timing: Timing::default() };
        build(ExprKind::Subquery(Box::new(subquery)), span, ValueType::Matrix)
    }

    fn closing_bracket(&mut self, context: &str, expected: &str) -> Result<Span, ParseError> {
        let span = self.cursor.span();
        if self.cursor.eat(Tok::RightBracket) {
            return Ok(span);
        }
        Err(self.cursor.unexpected(context, expected))
    }

    pub(super) fn offset(&mut self, mut expr: Expr) -> Result<Expr, ParseError> {
        self.cursor.advance();
        let (offset_ms, offset) = self.offset_length()?;
        let end = self.cursor.previous_end();
        let span = expr.span.clone();
        let timing = timing(&mut expr, "offset")?;
        if timing.offset_ms != 0 || timing.offset.is_some() {
            return Err(ParseError::new(span, "offset may not be set multiple times"));
        }
        let contextual = offset.is_some();
        (timing.offset_ms, timing.offset) = (offset_ms, offset);
        expr.contextual |= contextual;
        expr.span.end = end;
        Ok(expr)
    }

    /// `anchored` or `smoothed` after a selector.
    pub(super) fn reach(&mut self, mut expr: Expr, reach: Reach) -> Result<Expr, ParseError> {
        let word = if reach == Reach::Anchored { "anchored" } else { "smoothed" };
        let selector = match &mut expr.kind {
            ExprKind::Selector(selector) => selector,
            ExprKind::Range(range) => &mut range.selector,
            ExprKind::Subquery(_) => {
                let message = format!("{word} modifier is not supported for subqueries");
                return Err(ParseError::new(expr.span, message));
            }
            _ => return Err(ParseError::new(expr.span, format!("{word} modifier not implemented"))),
        };
        if selector.reach != Reach::Inside && selector.reach != reach {
            let message = "anchored and smoothed modifiers cannot be used together";
            return Err(ParseError::new(expr.span, message));
        }
        selector.reach = reach;
        self.cursor.advance();
        expr.span.end = self.cursor.previous_end();
        Ok(expr)
    }

    pub(super) fn at(&mut self, mut expr: Expr) -> Result<Expr, ParseError> {
        self.cursor.advance();
        let at = self.moment()?;
        let end = self.cursor.previous_end();
        let span = expr.span.clone();
        let timing = timing(&mut expr, "@")?;
        if timing.at.is_some() {
            return Err(ParseError::new(span, "@ <timestamp> may not be set multiple times"));
        }
        timing.at = Some(at);
        expr.invariant = true;
        expr.span.end = end;
        Ok(expr)
    }

    fn moment(&mut self) -> Result<At, ParseError> {
        let bound = match self.cursor.peek() {
            Tok::Keyword(Keyword::Start) => At::Start,
            Tok::Keyword(Keyword::Stop) => At::End,
            _ => return self.timestamp(),
        };
        self.cursor.advance();
        self.cursor.expect(Tok::LeftParen, "@")?;
        self.cursor.expect(Tok::RightParen, "@")?;
        Ok(bound)
    }

    fn timestamp(&mut self) -> Result<At, ParseError> {
        let start = self.cursor.span().start;
        let negative = self.cursor.eat(Tok::Op(BinaryOp::Sub));
        if !negative {
            self.cursor.eat(Tok::Op(BinaryOp::Add));
        }
        let seconds = match self.cursor.peek() {
            Tok::Number => number::number(self.cursor.text()),
            Tok::Duration => number::milliseconds(self.cursor.text()).map(|ms| ms as f64 / 1000.0),
            Tok::Keyword(Keyword::Inf | Keyword::Nan) => None,
            _ => return Err(self.cursor.unexpected("@", "timestamp")),
        };
        let ms = seconds.and_then(number::seconds_to_ms);
        let span = start..self.cursor.span().end;
        let ms = ms.ok_or_else(|| ParseError::new(span, "timestamp out of bounds for @ modifier"))?;
        self.cursor.advance();
        Ok(At::Time(if negative { -ms } else { ms }))
    }

    /// `on (…) group_left (…)` after a binary operator.
    pub(super) fn matching(&mut self) -> Result<Matching, ParseError> {
        let on = match self.cursor.peek() {
            Tok::Keyword(Keyword::On) => true,
            Tok::Keyword(Keyword::Ignoring) => false,
            _ => return Ok(Matching::default()),
        };
        self.cursor.advance();
        let labels = self.label_list()?;
        let cardinality = match self.cursor.peek() {
            Tok::Keyword(Keyword::GroupLeft) => Cardinality::ManyToOne,
            Tok::Keyword(Keyword::GroupRight) => Cardinality::OneToMany,
            _ => {
                return Ok(Matching { on, labels, ..Matching::default() });
            }
        };
        self.cursor.advance();
        let include = if self.cursor.peek() == Tok::LeftParen { self.label_list()? } else { Vec::new() };
        Ok(Matching { cardinality, on, labels, include, ..Matching::default() })
    }

    /// `fill(0)`, `fill_left(0)`, `fill_right(0)` after the matching.
    pub(super) fn fill(&mut self) -> Result<Fill, ParseError> {
        let mut fill = Fill::default();
        while self.cursor.peek_second() == Tok::LeftParen {
            match self.cursor.peek() {
                Tok::Keyword(Keyword::Fill) if !fill.any() => {
                    let v = self.fill_value()?;
                    return Ok(Fill { left: Some(v), right: Some(v) });
                }
                Tok::Keyword(Keyword::FillLeft) if fill.left.is_none() => {
                    fill.left = Some(self.fill_value()?)
                }
                Tok::Keyword(Keyword::FillRight) if fill.right.is_none() => {
                    fill.right = Some(self.fill_value()?);
                }
                _ => break,
            }
        }
        Ok(fill)
    }

    fn fill_value(&mut self) -> Result<f64, ParseError> {
        self.cursor.advance();
        self.cursor.expect(Tok::LeftParen, "fill")?;
        let sign = match self.cursor.peek() {
            Tok::Op(BinaryOp::Sub) => -1.0,
            _ => 1.0,
        };
        if matches!(self.cursor.peek(), Tok::Op(BinaryOp::Sub | BinaryOp::Add)) {
            self.cursor.advance();
        }
        let ExprKind::Number(v) = self.number()?.kind else {
            return Err(self.cursor.unexpected("fill", "number"));
        };
        self.cursor.expect(Tok::RightParen, "fill")?;
        Ok(sign * v)
    }
}

/// The place in an expression that `offset` and `@` write to.
fn timing<'e>(expr: &'e mut Expr, modifier: &str) -> Result<&'e mut Timing, ParseError> {
    match &mut expr.kind {
        ExprKind::Selector(selector) => Ok(&mut selector.timing),
        ExprKind::Range(range) => Ok(&mut range.selector.timing),
        ExprKind::Subquery(subquery) => Ok(&mut subquery.timing),
        _ => {
            let message = format!(
                "{modifier} modifier must be preceded by an instant vector selector or range vector selector or a subquery"
            );
            Err(ParseError::new(expr.span.clone(), message))
        }
    }
}

//! What may follow a selector or stand between two operands: ranges, subqueries, `offset`, `@`, and the matching
//! of vectors.

use super::super::ast::{
    At, BinaryOp, Cardinality, Expr, ExprKind, Matching, RangeSelector, Subquery, Timing, ValueType,
};
use super::super::error::{ParseError, Span};
use super::token::{Keyword, Tok};
use super::{Parser, build, number};

impl Parser<'_> {
    /// `[5m]` or `[30m:1m]` after an expression.
    pub(super) fn bracketed(&mut self, expr: Expr) -> Result<Expr, ParseError> {
        let open = self.cursor.span();
        self.cursor.advance();
        let range_ms = self.duration("subquery or range selector", false)?;
        if self.cursor.peek() == Tok::Colon {
            return self.subquery(expr, range_ms);
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
        if selector.timing.offset_ms != 0 {
            return Err(ParseError::new(brackets, "no offset modifiers allowed before range"));
        }
        if selector.timing.at.is_some() {
            return Err(ParseError::new(brackets, "no @ modifiers allowed before range"));
        }
        let span = selector_span.start..close.end;
        let range = RangeSelector { selector, selector_span, range_ms };
        build(ExprKind::Range(range), span, ValueType::Matrix)
    }

    fn subquery(&mut self, expr: Expr, range_ms: i64) -> Result<Expr, ParseError> {
        self.cursor.advance();
        let step_ms = match self.cursor.peek() {
            Tok::RightBracket => None,
            _ => Some(self.duration("subquery selector", false)?),
        };
        let close = self.closing_bracket("subquery selector", "\"]\"")?;
        let span = expr.span.start..close.end;
        if expr.value_type != ValueType::Vector {
            let got = expr.value_type;
            let message = format!("subquery is only allowed on instant vector, got {got} instead");
            return Err(ParseError::new(span, message));
        }
        let subquery = Subquery { expr, range_ms, step_ms, timing: Timing::default() };
        build(ExprKind::Subquery(Box::new(subquery)), span, ValueType::Matrix)
    }

    fn closing_bracket(&mut self, context: &str, expected: &str) -> Result<Span, ParseError> {
        let span = self.cursor.span();
        if self.cursor.eat(Tok::RightBracket) {
            return Ok(span);
        }
        match self.cursor.peek() {
            Tok::Op(_) => Err(self.cursor.unsupported("duration expression with")),
            _ => Err(self.cursor.unexpected(context, expected)),
        }
    }

    /// A duration, or a number of seconds. Ranges and steps must be positive, offsets need not.
    fn duration(&mut self, context: &str, any_sign: bool) -> Result<i64, ParseError> {
        let negative = any_sign && self.cursor.eat(Tok::Op(BinaryOp::Sub));
        if any_sign && !negative {
            self.cursor.eat(Tok::Op(BinaryOp::Add));
        }
        let span = self.cursor.span();
        if !matches!(self.cursor.peek(), Tok::Duration | Tok::Number) {
            return Err(match self.cursor.peek() {
                Tok::LeftParen | Tok::Op(_) | Tok::Ident => {
                    self.cursor.unsupported("duration expression with")
                }
                _ => self.cursor.unexpected(context, "number or duration"),
            });
        }
        let ms = number::milliseconds(self.cursor.text())
            .ok_or_else(|| ParseError::new(span.clone(), "duration out of range"))?;
        if ms == 0 && !any_sign {
            return Err(ParseError::new(span, "duration must be greater than 0"));
        }
        self.cursor.advance();
        Ok(if negative { -ms } else { ms })
    }

    pub(super) fn offset(&mut self, mut expr: Expr) -> Result<Expr, ParseError> {
        self.cursor.advance();
        let offset_ms = self.duration("offset", true)?;
        let end = self.cursor.previous_end();
        let span = expr.span.clone();
        let timing = timing(&mut expr, "offset")?;
        if timing.offset_ms != 0 {
            return Err(ParseError::new(span, "offset may not be set multiple times"));
        }
        timing.offset_ms = offset_ms;
        expr.span.end = end;
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
        // `a * on` multiplies by the metric called "on".
        if self.cursor.peek_second() != Tok::LeftParen {
            return Ok(Matching::default());
        }
        self.cursor.advance();
        let labels = self.label_list()?;
        let cardinality = match self.cursor.peek() {
            Tok::Keyword(Keyword::GroupLeft) => Cardinality::ManyToOne,
            Tok::Keyword(Keyword::GroupRight) => Cardinality::OneToMany,
            _ => {
                return Ok(Matching { cardinality: Cardinality::OneToOne, on, labels, include: Vec::new() });
            }
        };
        self.cursor.advance();
        let include = if self.cursor.peek() == Tok::LeftParen { self.label_list()? } else { Vec::new() };
        Ok(Matching { cardinality, on, labels, include })
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

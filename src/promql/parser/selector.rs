//! `metric{label="value"}` and lists of labels.

use std::sync::Arc;

use super::super::ast::{BinaryOp, Expr, ExprKind, Reach, Selector, Timing, ValueType};
use super::super::error::{ParseError, Span};
use super::super::format;
use super::super::labels::METRIC_NAME;
use super::super::matcher::{MatchOp, Matcher};
use super::token::{Keyword, Tok};
use super::{Parser, build};

impl Parser<'_> {
    pub(super) fn selector(&mut self) -> Result<Expr, ParseError> {
        let start = self.cursor.span().start;
        let labels_only = std::mem::take(&mut self.labels_only);
        let mut matchers = Vec::new();
        let mut name = None;
        if self.cursor.peek() != Tok::LeftBrace {
            name = Some(Arc::from(self.cursor.text()));
            self.cursor.advance();
        }
        if self.cursor.eat(Tok::LeftBrace) {
            self.matchers(&mut name, &mut matchers)?;
        }
        let span = start..self.cursor.previous_end();
        let selector = if labels_only && name.is_none() {
            Selector { name, matchers, timing: Timing::default(), reach: Reach::Inside }
        } else {
            finish(name, matchers, &span)?
        };
        build(ExprKind::Selector(Box::new(selector)), span, ValueType::Vector)
    }

    fn matchers(
        &mut self,
        name: &mut Option<Arc<str>>,
        matchers: &mut Vec<Matcher>,
    ) -> Result<(), ParseError> {
        while !self.cursor.eat(Tok::RightBrace) {
            self.one_matcher(name, matchers)?;
            if !self.cursor.eat(Tok::Comma) && self.cursor.peek() != Tok::RightBrace {
                return Err(self.cursor.unexpected("label matching", "\",\" or \"}\""));
            }
        }
        Ok(())
    }

    /// `label="value"`, `"quoted label"="value"`, or a quoted metric name standing alone.
    fn one_matcher(
        &mut self,
        name: &mut Option<Arc<str>>,
        matchers: &mut Vec<Matcher>,
    ) -> Result<(), ParseError> {
        let span = self.cursor.span();
        let (label, quoted) = match self.cursor.peek() {
            Tok::Ident => {
                let label: Arc<str> = self.cursor.text().into();
                self.cursor.advance();
                (label, false)
            }
            Tok::Text => (self.cursor.take_text()?, true),
            _ => {
                return Err(self.cursor.unexpected("label matching", "identifier or \"}\""));
            }
        };
        let op = match self.cursor.peek() {
            Tok::Equal => MatchOp::Equal,
            Tok::Op(BinaryOp::Ne) => MatchOp::NotEqual,
            Tok::EqualRegex => MatchOp::Regex,
            Tok::NotRegex => MatchOp::NotRegex,
            Tok::Comma | Tok::RightBrace if quoted => return set_name(name, label, span),
            _ => {
                return Err(self.cursor.unexpected("label matching", "label matching operator"));
            }
        };
        self.cursor.advance();
        if self.cursor.peek() != Tok::Text {
            return Err(self.cursor.unexpected("label matching", "string"));
        }
        let value = self.cursor.take_text()?;
        let span = span.start..self.cursor.previous_end();
        matchers.push(Matcher::new(label, op, value).map_err(|message| ParseError::new(span, message))?);
        Ok(())
    }

    /// `(label, "quoted label")`, as `by`, `on` and their like take it.
    pub(super) fn label_list(&mut self) -> Result<Vec<Arc<str>>, ParseError> {
        if !self.cursor.eat(Tok::LeftParen) {
            return Err(self.cursor.unexpected("grouping opts", "\"(\""));
        }
        let mut labels = Vec::new();
        while !self.cursor.eat(Tok::RightParen) {
            labels.push(self.label()?);
            if !self.cursor.eat(Tok::Comma) && self.cursor.peek() != Tok::RightParen {
                return Err(self.cursor.unexpected("grouping opts", "\",\" or \")\""));
            }
        }
        Ok(labels)
    }

    fn label(&mut self) -> Result<Arc<str>, ParseError> {
        let tok = self.cursor.peek();
        if tok == Tok::Text {
            let span = self.cursor.span();
            let label = self.cursor.take_text()?;
            let message = "unexpected string \"\" in grouping opts, expected label";
            return if label.is_empty() { Err(ParseError::new(span, message)) } else { Ok(label) };
        }
        // Even `bool` is a label here.
        let excluded = [Keyword::Without, Keyword::Inf, Keyword::Nan].map(Tok::Keyword).contains(&tok);
        let is_word = tok.is_name() || matches!(tok, Tok::Keyword(_) | Tok::Op(BinaryOp::Atan2));
        if !is_word || excluded {
            return Err(self.cursor.unexpected("grouping opts", "label"));
        }
        let label = self.cursor.text().into();
        self.cursor.advance();
        Ok(label)
    }
}

fn set_name(name: &mut Option<Arc<str>>, value: Arc<str>, span: Span) -> Result<(), ParseError> {
    match name {
        Some(first) => Err(name_twice(first, &value, span)),
        None => {
            *name = Some(value);
            Ok(())
        }
    }
}

fn name_twice(first: &str, second: &str, span: Span) -> ParseError {
    let (first, second) = (format::quote(first), format::quote(second));
    ParseError::new(span, format!("metric name must not be set twice: {first} or {second}"))
}

/// Adds the condition on the name and refuses selectors that would match everything by accident.
fn finish(name: Option<Arc<str>>, mut matchers: Vec<Matcher>, span: &Span) -> Result<Selector, ParseError> {
    if let Some(name) = name {
        if let Some(other) = matchers.iter().find(|m| &*m.name == METRIC_NAME) {
            return Err(name_twice(&name, &other.value, span.clone()));
        }
        matchers.push(Matcher::metric_name(name.clone()));
        return Ok(Selector { name: Some(name), matchers, timing: Timing::default(), reach: Reach::Inside });
    }
    if matchers.iter().all(|m| m.matches("")) {
        let message = "vector selector must contain at least one non-empty matcher";
        return Err(ParseError::new(span.clone(), message));
    }
    let by_name = matchers.iter().find(|m| &*m.name == METRIC_NAME && m.op == MatchOp::Equal);
    let name = by_name.map(|m| m.value.clone());
    Ok(Selector { name, matchers, timing: Timing::default(), reach: Reach::Inside })
}

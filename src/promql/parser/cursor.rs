//! A place in the list of words, and the complaints that can be made there.

use std::sync::Arc;

use super::super::error::{ParseError, Span};
use super::super::format;
use super::lexer::lex;
use super::strings::{Flaw, unquote};
use super::token::{Tok, Token};

pub(super) struct Cursor<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    pos: usize,
    /// What is wrong with the last token, if it is no word.
    error: Option<ParseError>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        let (tokens, error) = lex(source);
        Self { source, tokens, pos: 0, error }
    }

    /// The word `ahead` of the current one; past the end there is only the end.
    fn token(&self, ahead: usize) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.pos + ahead).min(last)]
    }

    pub(super) fn peek(&self) -> Tok {
        self.token(0).tok
    }

    pub(super) fn peek_second(&self) -> Tok {
        self.token(1).tok
    }

    /// The word after the current one, with text and place.
    pub(super) fn second(&self) -> (Tok, &'a str, Span) {
        let token = self.token(1);
        (token.tok, &self.source[token.span.clone()], token.span.clone())
    }

    pub(super) fn span(&self) -> Span {
        self.token(0).span.clone()
    }

    pub(super) fn text(&self) -> &'a str {
        &self.source[self.span()]
    }

    /// Where the word before the current one ends.
    pub(super) fn previous_end(&self) -> usize {
        self.tokens[self.pos.saturating_sub(1)].span.end
    }

    pub(super) fn advance(&mut self) {
        self.pos += 1;
    }

    pub(super) fn eat(&mut self, tok: Tok) -> bool {
        let found = self.peek() == tok;
        self.pos += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, tok: Tok, context: &str) -> Result<Span, ParseError> {
        let span = self.span();
        if self.eat(tok) { Ok(span) } else { Err(self.unexpected(context, "")) }
    }

    /// The value of the string literal here, which is consumed.
    pub(super) fn take_text(&mut self) -> Result<Arc<str>, ParseError> {
        let literal = self.text();
        let value = unquote(literal).map_err(|flaw| {
            let what = match flaw {
                Flaw::Escape => "invalid syntax",
                Flaw::NotUtf8 => "not valid UTF-8",
            };
            ParseError::new(self.span(), format!("error unquoting string {}: {what}", format::quote(literal)))
        })?;
        self.advance();
        Ok(value.into())
    }

    /// "unexpected …", as Prometheus says it.
    pub(super) fn unexpected(&self, context: &str, expected: &str) -> ParseError {
        if let (Tok::Bad, Some(error)) = (self.peek(), &self.error) {
            return error.clone();
        }
        let mut message = format!("unexpected {}", self.peek().describe(self.text()));
        if !context.is_empty() {
            message.push_str(" in ");
            message.push_str(context);
        }
        if !expected.is_empty() {
            message.push_str(", expected ");
            message.push_str(expected);
        }
        ParseError::new(self.span(), message)
    }
}

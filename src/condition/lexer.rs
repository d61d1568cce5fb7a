//! Text to tokens, as `parser/lexer` of the Go library does it (antonmedv/expr v1.15.5, expr-lang/expr v1.17.8).
//!
//! Newer syntax (raw strings, `::`, `if`/`else`, `\u{…}`) exists only in [`Dialect::V1_10`]. Byte literals (`b"…"`) are refused by name.

use std::borrow::Cow;

use super::Dialect;
use super::error::{Error, Span};
use super::gofmt::quote;

/// What sort of word a token is. The names appear in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Identifier,
    Number,
    String,
    Operator,
    Bracket,
    Eof,
}

/// One word of the source, with its text decoded and its place in bytes.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: Cow<'a, str>,
    pub(super) span: Span,
}

impl Token<'_> {
    pub(super) fn is(&self, kind: TokenKind, text: &str) -> bool {
        self.kind == kind && self.text == text
    }

    /// The token as the library prints it in "unexpected token" messages.
    pub(super) fn describe(&self) -> String {
        let kind = match self.kind {
            TokenKind::Identifier => "Identifier",
            TokenKind::Number => "Number",
            TokenKind::String => "String",
            TokenKind::Operator => "Operator",
            TokenKind::Bracket => "Bracket",
            TokenKind::Eof => "EOF",
        };
        if self.text.is_empty() { kind.to_owned() } else { format!("{kind}({})", quote(&self.text)) }
    }
}

/// All tokens up to the end or up to the first mistake.
///
/// v1.17.8 reads tokens on demand, so a syntax error to the left of a bad character wins; v1.15.5 reads all of them first.
pub(super) struct Lexed<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) error: Option<Error>,
}

/// Splits `source` into tokens.
pub(super) fn lex(source: &str, dialect: Dialect) -> Lexed<'_> {
    let mut lexer =
        Lexer { source, dialect, start: 0, end: 0, tokens: Vec::with_capacity(source.len() / 3 + 2) };
    let error = lexer.run().err();
    Lexed { tokens: lexer.tokens, error }
}

struct Lexer<'a> {
    source: &'a str,
    dialect: Dialect,
    start: usize,
    end: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Result<(), Error> {
        while let Some(c) = self.next() {
            self.token(c)?;
        }
        let at = self.source.len();
        self.tokens.push(Token { kind: TokenKind::Eof, text: Cow::Borrowed(""), span: Span::new(at, at) });
        Ok(())
    }

    fn token(&mut self, c: char) -> Result<(), Error> {
        match c {
            c if c.is_whitespace() => self.skip(),
            '\'' | '"' => return self.string(c),
            '`' if self.dialect == Dialect::V1_10 => return self.raw_string(),
            'b' | 'B' if self.dialect == Dialect::V1_10 && matches!(self.peek(), Some('\'' | '"')) => {
                return Err(self.error("byte literals are not supported by firedrill"));
            }
            '0'..='9' => {
                self.end = self.start;
                return self.number();
            }
            '?' => {
                self.accept(".?");
                self.emit(TokenKind::Operator);
            }
            '/' => return self.slash(),
            '#' => self.pointer(),
            '|' => {
                self.accept("|");
                self.emit(TokenKind::Operator);
            }
            ':' => {
                if self.dialect == Dialect::V1_10 {
                    self.accept(":");
                }
                self.emit(TokenKind::Operator);
            }
            '(' | '[' | '{' | ')' | ']' | '}' => self.emit(TokenKind::Bracket),
            ',' | ';' | '%' | '+' | '-' | '^' => self.emit(TokenKind::Operator),
            '&' | '!' | '=' | '*' | '<' | '>' => {
                self.accept("&=*");
                self.emit(TokenKind::Operator);
            }
            '.' => return self.dot(),
            c if is_word(c) => self.identifier(),
            c => return Err(self.error(format!("unrecognized character: {}", describe_char(c)))),
        }
        Ok(())
    }

    fn dot(&mut self) -> Result<(), Error> {
        if matches!(self.peek(), Some('0'..='9')) {
            return self.number();
        }
        self.accept(".");
        self.emit(TokenKind::Operator);
        Ok(())
    }

    fn number(&mut self) -> Result<(), Error> {
        self.scan_number();
        if self.peek().is_some_and(is_word) {
            self.next();
            let message = format!("bad number syntax: {}", quote(self.word()));
            return Err(self.error(message));
        }
        self.emit(TokenKind::Number);
        Ok(())
    }

    fn scan_number(&mut self) {
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        let before_dot = self.end;
        if self.accept(".") {
            // `1..2` is a range, not the number `1.` followed by `.2`.
            if self.peek() == Some('.') {
                self.end = before_dot;
                return;
            }
            self.accept_run(digits);
        }
        if self.accept("eE") {
            self.accept("+-");
            self.accept_run(digits);
        }
    }

    fn identifier(&mut self) {
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        let kind = match self.word() {
            "not" | "in" | "or" | "and" | "matches" | "contains" | "startsWith" | "endsWith" | "let" => {
                TokenKind::Operator
            }
            "if" | "else" if self.dialect == Dialect::V1_10 => TokenKind::Operator,
            _ => TokenKind::Identifier,
        };
        self.emit(kind);
    }

    fn slash(&mut self) -> Result<(), Error> {
        if self.accept("/") {
            while self.next().is_some_and(|c| c != '\n') {}
            self.skip();
            return Ok(());
        }
        if !self.accept("*") {
            self.emit(TokenKind::Operator);
            return Ok(());
        }
        loop {
            match self.next() {
                None => return Err(self.error("unclosed comment")),
                Some('*') if self.accept("/") => break,
                Some(_) => {}
            }
        }
        self.skip();
        Ok(())
    }

    fn pointer(&mut self) {
        self.accept("#");
        self.emit(TokenKind::Operator);
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        if !self.word().is_empty() {
            self.emit(TokenKind::Identifier);
        }
    }

    fn raw_string(&mut self) -> Result<(), Error> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.error("literal not terminated")),
                // A doubled backtick stands for one.
                Some('`') if self.accept("`") => text.push('`'),
                Some('`') => break,
                Some(c) => text.push(c),
            }
        }
        self.emit_text(TokenKind::String, Cow::Owned(text));
        Ok(())
    }

    fn string(&mut self, quote: char) -> Result<(), Error> {
        let mut text = String::new();
        let mut plain = true;
        loop {
            match self.next() {
                None | Some('\n') => return Err(self.error("literal not terminated")),
                Some(c) if c == quote => break,
                Some('\\') => {
                    plain = false;
                    let c = self.escape(quote)?;
                    text.push(c);
                }
                // Line ends inside a literal are normalised, so a lone carriage return becomes a line feed.
                Some('\r') => {
                    plain = false;
                    text.push('\n');
                }
                Some(c) => text.push(c),
            }
        }
        let inner = &self.source[self.start + 1..self.end - 1];
        self.emit_text(TokenKind::String, if plain { Cow::Borrowed(inner) } else { Cow::Owned(text) });
        Ok(())
    }

    fn escape(&mut self, quote: char) -> Result<char, Error> {
        Ok(match self.next() {
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some('\\') => '\\',
            Some(c) if c == quote => c,
            Some('x') => self.code_point(2)?,
            Some('u') if self.dialect == Dialect::V1_10 && self.peek() == Some('{') => {
                self.braced_code_point()?
            }
            Some('u') => self.code_point(4)?,
            Some('U') => self.code_point(8)?,
            Some(c @ '0'..='7') => self.octal(c)?,
            _ => return Err(self.error("invalid char escape")),
        })
    }

    fn octal(&mut self, first: char) -> Result<char, Error> {
        let mut value = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            match self.next().and_then(|c| c.to_digit(8)) {
                Some(digit) => value = value * 8 + digit,
                None => return Err(self.error("invalid char escape")),
            }
        }
        if first > '3' {
            return Err(self.error("unable to unescape string"));
        }
        self.to_char(value)
    }

    fn code_point(&mut self, digits: usize) -> Result<char, Error> {
        let mut value: u32 = 0;
        for _ in 0..digits {
            match self.next().and_then(|c| c.to_digit(16)) {
                Some(digit) => value = value.wrapping_mul(16) | digit,
                None => return Err(self.error("invalid char escape")),
            }
        }
        self.to_char(value)
    }

    fn braced_code_point(&mut self) -> Result<char, Error> {
        self.next();
        let mut value: u32 = 0;
        let mut digits = 0;
        loop {
            match self.next() {
                Some('}') if digits > 0 => return self.to_char(value),
                Some(c) if c.is_ascii_hexdigit() && digits < 6 => {
                    value = value * 16 + c.to_digit(16).unwrap_or(0);
                    digits += 1;
                }
                _ => return Err(self.error("invalid char escape")),
            }
        }
    }

    /// Go writes U+FFFD for a surrogate and refuses what lies beyond the last code point.
    fn to_char(&self, value: u32) -> Result<char, Error> {
        if value > 0x0010_FFFF && value <= i32::MAX as u32 {
            return Err(self.error("unable to unescape string"));
        }
        Ok(char::from_u32(value).unwrap_or('\u{FFFD}'))
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.end += c.len_utf8();
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.source[self.end..].chars().next()
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|c| valid.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn word(&self) -> &'a str {
        &self.source[self.start..self.end]
    }

    fn skip(&mut self) {
        self.start = self.end;
    }

    fn emit(&mut self, kind: TokenKind) {
        self.emit_text(kind, Cow::Borrowed(self.word()));
    }

    fn emit_text(&mut self, kind: TokenKind, text: Cow<'a, str>) {
        self.tokens.push(Token { kind, text, span: Span::new(self.start, self.end) });
        self.skip();
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::parse(message, Span::new(self.start, self.end))
    }
}

/// Letters, digits, `_` and `$`: what names are made of.
pub(super) fn is_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphabetic() || (c.is_numeric() && is_decimal_digit(c))
}

/// Go's `unicode.IsDigit` is category Nd; Rust's `is_numeric` also takes Nl and No, of which the common ones are excluded here.
fn is_decimal_digit(c: char) -> bool {
    c.is_ascii_digit()
        || !matches!(c, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{bc}'..='\u{be}' | '\u{2070}'..='\u{218b}' | '\u{2460}'..='\u{2793}')
}

/// Go's `%#U`: `U+0040 '@'`.
fn describe_char(c: char) -> String {
    let code = format!("U+{:04X}", c as u32);
    if c.is_control() { code } else { format!("{code} '{c}'") }
}

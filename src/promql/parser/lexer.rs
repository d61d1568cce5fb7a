//! Cuts a query into words. What a character means depends on where it stands: between braces every word is a
//! name, between brackets a colon separates, elsewhere it belongs to names (Prometheus `promql/parser/lex.go`, v3).

use super::super::ast::BinaryOp;
use super::super::error::ParseError;
use super::super::{duration, format};
use super::token::{Tok, Token, classify};

/// All words of a query; the last is always [`Tok::End`], or [`Tok::Bad`] with what is wrong there. A complaint about
/// an earlier word comes first, so what is no word is for the parser to report when it gets there.
pub(super) fn lex(source: &str) -> (Vec<Token>, Option<ParseError>) {
    let mut lexer = Lexer { source, pos: 0, parens: 0, brace: false, bracket: false, tokens: Vec::new() };
    let error = lexer.run().err();
    let (tok, span) = match &error {
        Some(error) => (Tok::Bad, error.span.clone()),
        None => (Tok::End, source.len()..source.len()),
    };
    lexer.tokens.push(Token { tok, span });
    (lexer.tokens, error)
}

struct Lexer<'a> {
    source: &'a str,
    pos: usize,
    parens: usize,
    brace: bool,
    bracket: bool,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(&mut self) -> Result<(), ParseError> {
        while let Some(c) = self.skip_blanks() {
            let start = self.pos;
            let tok = if self.brace { self.inside_braces(c) } else { self.outside_braces(c) }?;
            self.tokens.push(Token { tok, span: start..self.pos });
        }
        self.check_closed()
    }

    fn rest(&self) -> &str {
        &self.source[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn take(&mut self, bytes: usize, tok: Tok) -> Result<Tok, ParseError> {
        self.pos += bytes;
        Ok(tok)
    }

    fn fail(&self, message: impl Into<String>) -> ParseError {
        let width = self.peek().map_or(0, char::len_utf8);
        ParseError::new(self.pos..self.pos + width, message)
    }

    fn skip_blanks(&mut self) -> Option<char> {
        loop {
            match self.peek()? {
                ' ' | '\t' | '\n' | '\r' => self.pos += 1,
                '#' => self.pos += self.rest().find(['\n', '\r']).unwrap_or(self.rest().len()),
                c => return Some(c),
            }
        }
    }

    fn check_closed(&self) -> Result<(), ParseError> {
        match () {
            () if self.brace => Err(self.fail("unexpected end of input inside braces")),
            () if self.parens > 0 => Err(self.fail("unclosed left parenthesis")),
            () if self.bracket => Err(self.fail("unclosed left bracket")),
            () => Ok(()),
        }
    }

    fn inside_braces(&mut self, c: char) -> Result<Tok, ParseError> {
        match (c, self.byte(1)) {
            ('}', _) => {
                self.brace = false;
                self.take(1, Tok::RightBrace)
            }
            (',', _) => self.take(1, Tok::Comma),
            ('"' | '\'' | '`', _) => self.text(c),
            ('=', b'~') => self.take(2, Tok::EqualRegex),
            ('=', _) => self.take(1, Tok::Equal),
            ('!', b'~') => self.take(2, Tok::NotRegex),
            ('!', b'=') => self.take(2, Tok::Op(BinaryOp::Ne)),
            ('{', _) => Err(self.fail("unexpected left brace '{'")),
            ('a'..='z' | 'A'..='Z' | '_', _) => {
                let len = self.rest().bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                self.take(len, Tok::Ident)
            }
            _ => Err(self.fail(format!("unexpected character inside braces: {c:?}"))),
        }
    }

    fn outside_braces(&mut self, c: char) -> Result<Tok, ParseError> {
        match c {
            '(' | ')' | '{' | '}' | '[' | ']' => self.bracketing(c),
            ',' => self.take(1, Tok::Comma),
            '@' => self.take(1, Tok::At),
            '"' | '\'' | '`' => self.text(c),
            '0'..='9' => self.number(),
            '.' if self.byte(1).is_ascii_digit() => self.number(),
            ':' if self.bracket => self.colon(),
            'a'..='z' | 'A'..='Z' | '_' | ':' => Ok(self.word()),
            _ => self.operator(c),
        }
    }

    fn bracketing(&mut self, c: char) -> Result<Tok, ParseError> {
        match c {
            '(' => {
                self.parens += 1;
                self.take(1, Tok::LeftParen)
            }
            ')' if self.parens == 0 => Err(self.fail("unexpected right parenthesis ')'")),
            ')' => {
                self.parens -= 1;
                self.take(1, Tok::RightParen)
            }
            '{' => {
                self.brace = true;
                self.take(1, Tok::LeftBrace)
            }
            '[' if self.bracket => Err(self.fail("unexpected left bracket '['")),
            '[' => {
                self.bracket = true;
                self.take(1, Tok::LeftBracket)
            }
            ']' if self.bracket => {
                self.bracket = false;
                self.take(1, Tok::RightBracket)
            }
            _ => {
                Err(self
                    .fail(format!("unexpected right {} '{c}'", if c == '}' { "brace" } else { "bracket" })))
            }
        }
    }

    fn colon(&mut self) -> Result<Tok, ParseError> {
        let open = self.tokens.iter().rposition(|t| t.tok == Tok::LeftBracket).unwrap_or(0);
        if self.tokens[open..].iter().any(|t| t.tok == Tok::Colon) {
            return Err(self.fail("unexpected colon ':'"));
        }
        self.take(1, Tok::Colon)
    }

    fn operator(&mut self, c: char) -> Result<Tok, ParseError> {
        let (len, op) = match (c, self.byte(1)) {
            ('=', b'=') => (2, BinaryOp::Eq),
            ('=', b'~') => return self.take(2, Tok::EqualRegex),
            ('=', _) => return self.take(1, Tok::Equal),
            ('!', b'=') => (2, BinaryOp::Ne),
            ('!', _) => return Err(self.fail("unexpected character after '!'")),
            ('>', b'=') => (2, BinaryOp::Ge),
            ('<', b'=') => (2, BinaryOp::Le),
            ('<', b'/') => (2, BinaryOp::TrimUpper),
            ('>', b'/') => (2, BinaryOp::TrimLower),
            ('>', _) => (1, BinaryOp::Gt),
            ('<', _) => (1, BinaryOp::Lt),
            ('+', _) => (1, BinaryOp::Add),
            ('-', _) => (1, BinaryOp::Sub),
            ('*', _) => (1, BinaryOp::Mul),
            ('/', _) => (1, BinaryOp::Div),
            ('%', _) => (1, BinaryOp::Mod),
            ('^', _) => (1, BinaryOp::Pow),
            _ => return Err(self.fail(format!("unexpected character: {c:?}"))),
        };
        self.take(len, Tok::Op(op))
    }

    fn word(&mut self) -> Tok {
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b':';
        let len = self.rest().bytes().take_while(|b| is_part(b)).count();
        let tok = classify(&self.rest()[..len]);
        self.pos += len;
        tok
    }

    fn text(&mut self, quote: char) -> Result<Tok, ParseError> {
        let mut escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                c if c == quote && !escaped => return self.take(at + 1, Tok::Text),
                '\n' if quote != '`' => break,
                _ => escaped = c == '\\' && !escaped && quote != '`',
            }
        }
        let what = if quote == '`' { "raw" } else { "quoted" };
        Err(self.fail(format!("unterminated {what} string")))
    }

    fn number(&mut self) -> Result<Tok, ParseError> {
        let rest = self.rest();
        let all = rest.bytes().take_while(|b| b.is_ascii_alphanumeric()).count();
        if duration::parse_ms(&rest[..all]).is_some() && !rest[..all].bytes().all(|b| b.is_ascii_digit()) {
            return self.take(all, Tok::Duration);
        }
        let len = number_len(rest.as_bytes());
        // `5mm`, `1h5`, `3x`: a number must not run into a word.
        if rest[len..].starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
            let shown = format::quote(&rest[..end]);
            let span = self.pos..self.pos + end;
            return Err(ParseError::new(span, format!("bad number or duration syntax: {shown}")));
        }
        self.take(len, Tok::Number)
    }
}

/// Length of the number at the start of `text`: hexadecimal, or decimal with fraction and exponent.
fn number_len(text: &[u8]) -> usize {
    let at = |i: usize| text.get(i).copied().unwrap_or(0);
    if at(0) == b'0' && matches!(at(1), b'x' | b'X') {
        return 2 + digits(&text[2..], u8::is_ascii_hexdigit);
    }
    let mut len = digits(text, u8::is_ascii_digit);
    if at(len) == b'.' {
        len += 1 + digits(&text[len + 1..], u8::is_ascii_digit);
    }
    if matches!(at(len), b'e' | b'E') {
        let sign = usize::from(matches!(at(len + 1), b'+' | b'-'));
        let exponent = digits(text.get(len + 1 + sign..).unwrap_or_default(), u8::is_ascii_digit);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}

/// Length of a run of digits; single underscores may stand between two of them.
fn digits(text: &[u8], is_digit: fn(&u8) -> bool) -> usize {
    let mut len = 0;
    while text.get(len).is_some_and(is_digit)
        || (text.get(len) == Some(&b'_')
            && len > 0
            && text[len - 1] != b'_'
            && text.get(len + 1).is_some_and(is_digit))
    {
        len += 1;
    }
    len
}

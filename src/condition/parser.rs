//! Tokens to tree: the precedence climber of the Go library's `parser/parser.go`, with its dialects.
//!
//! The order in which mistakes are noticed is upstream's, because the first one is what a user of Argo sees. The terms between operators are in [`super::terms`]. Nesting is bounded
//! here, and only here: every later pass recurses over a tree whose height is known.

use std::sync::Arc;

use super::Dialect;
use super::ast::{BinaryOp, Kind, Mode, Node, UnaryOp};
use super::error::{Error, Span};
use super::lexer::{Token, TokenKind, lex};

/// How deep brackets, calls and the like may nest. The Go library has no such bound; its stack grows, ours does not.
const MAX_NESTING: u32 = 64;
/// How high the tree may grow, which a long chain of operators also makes it do.
const MAX_HEIGHT: u32 = 200;

/// Parses a whole condition.
pub(super) fn parse(source: &str, dialect: Dialect) -> Result<Node, Error> {
    let lexed = lex(source, dialect);
    if dialect == Dialect::V1_9
        && let Some(error) = lexed.error
    {
        return Err(error);
    }
    let mut parser = Parser {
        tokens: lexed.tokens,
        lex_error: lexed.error,
        position: 0,
        previous_end: Span::default(),
        closures: 0,
        depth: 0,
        dialect,
    };
    if parser.tokens.is_empty() {
        return Err(parser.end_of_tokens());
    }
    let node = parser.sequence()?;
    if parser.kind() != TokenKind::Eof {
        return Err(parser.unexpected());
    }
    Ok(node)
}

pub(super) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    lex_error: Option<Error>,
    position: usize,
    pub(super) previous_end: Span,
    pub(super) closures: u32,
    depth: u32,
    pub(super) dialect: Dialect,
}

pub(super) type Parsed = Result<Node, Error>;

impl<'a> Parser<'a> {
    pub(super) fn current(&self) -> &Token<'a> {
        &self.tokens[self.position]
    }

    pub(super) fn kind(&self) -> TokenKind {
        self.current().kind
    }

    pub(super) fn span(&self) -> Span {
        self.current().span
    }

    pub(super) fn is(&self, kind: TokenKind, text: &str) -> bool {
        self.current().is(kind, text)
    }

    pub(super) fn is_operator(&self, text: &str) -> bool {
        self.is(TokenKind::Operator, text)
    }

    pub(super) fn is_bracket(&self, text: &str) -> bool {
        self.is(TokenKind::Bracket, text)
    }

    pub(super) fn next(&mut self) -> Result<(), Error> {
        self.previous_end = self.span();
        if self.position + 1 >= self.tokens.len() {
            return Err(self.end_of_tokens());
        }
        self.position += 1;
        Ok(())
    }

    fn end_of_tokens(&mut self) -> Error {
        let at = self.tokens.last().map_or(Span::default(), |token| token.span);
        self.lex_error.take().unwrap_or_else(|| Error::parse("unexpected end of expression", at))
    }

    pub(super) fn expect(&mut self, kind: TokenKind, text: &str) -> Result<(), Error> {
        if !self.is(kind, text) {
            return Err(self.unexpected());
        }
        self.next()
    }

    pub(super) fn expect_name(&mut self) -> Result<Arc<str>, Error> {
        if self.kind() != TokenKind::Identifier {
            return Err(self.unexpected());
        }
        let name = Arc::from(self.current().text.as_ref());
        self.next()?;
        Ok(name)
    }

    pub(super) fn unexpected(&self) -> Error {
        self.error(format!("unexpected token {}", self.current().describe()))
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        Error::parse(message, self.span())
    }

    /// A node that reaches from `start` to the last token consumed.
    pub(super) fn node(&self, kind: Kind, start: Span) -> Parsed {
        let node = Node::new(kind, start.to(self.previous_end));
        if node.depth > MAX_HEIGHT { Err(self.too_deep()) } else { Ok(node) }
    }

    fn too_deep(&self) -> Error {
        self.error(format!("the expression nests more than {MAX_NESTING} levels deep or chains more than {MAX_HEIGHT} operators, which firedrill does not evaluate"))
    }

    /// `a; b; c` (1.10 only), else one expression.
    pub(super) fn sequence(&mut self) -> Parsed {
        let start = self.span();
        let first = self.expression(0)?;
        if self.dialect == Dialect::V1_9 || !self.is_operator(";") {
            return Ok(first);
        }
        let mut nodes = vec![first];
        while self.is_operator(";") {
            self.next()?;
            if self.kind() == TokenKind::Eof {
                break;
            }
            nodes.push(self.expression(0)?);
        }
        match nodes.len() {
            1 => Ok(nodes.swap_remove(0)),
            _ => self.node(Kind::Sequence(nodes), start),
        }
    }

    pub(super) fn expression(&mut self, precedence: u32) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(self.too_deep());
        }
        let node = self.expression_inner(precedence)?;
        self.depth -= 1;
        Ok(node)
    }

    fn expression_inner(&mut self, precedence: u32) -> Parsed {
        if precedence == 0 && self.is_operator("let") {
            return self.declaration();
        }
        if precedence == 0 && self.is_operator("if") {
            return self.conditional_if();
        }
        let mut left = self.primary()?;
        let mut after_coalesce = false;
        while self.kind() == TokenKind::Operator {
            let Some((op, negated)) = self.infix(precedence)? else { break };
            left = self.binary(left, op, negated, after_coalesce)?;
            after_coalesce = op == BinaryOp::Coalesce;
        }
        if precedence == 0 { self.ternary(left) } else { Ok(left) }
    }

    /// The operator at the cursor if it binds at least as tightly as `precedence`; `not` before it is consumed.
    fn infix(&mut self, precedence: u32) -> Result<Option<(BinaryOp, bool)>, Error> {
        let negated = self.is_operator("not");
        if negated {
            let before = self.position;
            self.next()?;
            if self.dialect == Dialect::V1_10 {
                let op = BinaryOp::parse(&self.current().text).filter(|op| op.may_be_negated());
                let Some(op) = op else { return Err(self.unexpected()) };
                if op.precedence() < precedence {
                    self.position = before;
                    return Ok(None);
                }
            }
            // v1.15.5 does not put the `not` back: `1 + 1 not in [3]` loses it and means `1 + 1 in [3]`.
        }
        let op = BinaryOp::parse(&self.current().text).filter(|op| op.precedence() >= precedence);
        Ok(op.map(|op| (op, negated)))
    }

    fn binary(&mut self, left: Node, op: BinaryOp, negated: bool, after_coalesce: bool) -> Parsed {
        let (start, operator) = (left.span, self.span());
        self.next()?;
        if op == BinaryOp::Pipe {
            return self.pipe(left);
        }
        if after_coalesce && op != BinaryOp::Coalesce {
            let text = op.text();
            let message = format!(
                "Operator ({text}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses."
            );
            return Err(Error::parse(message, operator));
        }
        if self.dialect == Dialect::V1_10 && op.is_comparison() {
            return self.comparison(left, op);
        }
        let right_associative = matches!(op, BinaryOp::Power(_));
        let right = self.expression(op.precedence() + u32::from(!right_associative))?;
        let node = self.pair(left, op, right, start)?;
        if negated {
            return self.node(Kind::Unary { op: UnaryOp::Not, operand: Box::new(node) }, start);
        }
        Ok(node)
    }

    fn pair(&self, left: Node, op: BinaryOp, right: Node, start: Span) -> Parsed {
        let (left, right) = (Box::new(left), Box::new(right));
        self.node(Kind::Binary { op, left, right, mode: Mode::General }, start)
    }

    /// `a < b < c` means `a < b && b < c` (1.10 only).
    fn comparison(&mut self, left: Node, first: BinaryOp) -> Parsed {
        let start = left.span;
        let (mut left, mut op) = (left, first);
        let mut root: Option<Node> = None;
        loop {
            let right = self.expression(op.precedence() + 1)?;
            let link = self.pair(left, op, right.clone(), start)?;
            root = Some(match root {
                None => link,
                Some(root) => self.pair(root, BinaryOp::And("&&"), link, start)?,
            });
            left = right;
            match BinaryOp::parse(&self.current().text) {
                Some(next) if self.kind() == TokenKind::Operator && next.is_comparison() => op = next,
                _ => break,
            }
            self.next()?;
        }
        root.ok_or_else(|| self.unexpected())
    }

    fn declaration(&mut self) -> Parsed {
        let start = self.span();
        self.next()?;
        let name = self.expect_name()?;
        self.expect(TokenKind::Operator, "=")?;
        let value = Box::new(self.expression(0)?);
        self.expect(TokenKind::Operator, ";")?;
        let body = Box::new(self.sequence()?);
        self.node(Kind::Let { name, value, body }, start)
    }

    fn conditional_if(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(self.too_deep());
        }
        let start = self.span();
        self.next()?;
        let condition = Box::new(self.expression(0)?);
        let then = Box::new(self.braced_sequence()?);
        self.expect(TokenKind::Operator, "else")?;
        let otherwise =
            Box::new(if self.is_operator("if") { self.conditional_if()? } else { self.braced_sequence()? });
        self.depth -= 1;
        self.node(Kind::Conditional { condition, then, otherwise }, start)
    }

    fn braced_sequence(&mut self) -> Parsed {
        self.expect(TokenKind::Bracket, "{")?;
        let node = self.sequence()?;
        self.expect(TokenKind::Bracket, "}")?;
        Ok(node)
    }

    fn ternary(&mut self, mut node: Node) -> Parsed {
        let start = node.span;
        while self.is_operator("?") {
            self.next()?;
            let condition = Box::new(node);
            let then = if self.is_operator(":") { condition.clone() } else { Box::new(self.expression(0)?) };
            self.expect(TokenKind::Operator, ":")?;
            let otherwise = Box::new(self.expression(0)?);
            node = self.node(Kind::Conditional { condition, then, otherwise }, start)?;
        }
        Ok(node)
    }

    fn primary(&mut self) -> Parsed {
        let start = self.span();
        if self.kind() == TokenKind::Operator
            && let Some(op) = UnaryOp::parse(&self.current().text)
        {
            self.next()?;
            let operand = Box::new(self.expression(op.precedence())?);
            let node = self.node(Kind::Unary { op, operand }, start)?;
            return self.postfix(node);
        }
        if self.is_bracket("(") {
            self.next()?;
            let mut node = self.sequence()?;
            self.expect(TokenKind::Bracket, ")")?;
            node.span = start.to(self.previous_end);
            return self.postfix(node);
        }
        if self.is_operator("#") || self.is_operator(".") {
            return self.pointer();
        }
        if self.is_operator("::") {
            self.next()?;
            let name = self.expect_name()?;
            let node = self.call(name, start, Vec::new())?;
            return self.postfix(node);
        }
        self.secondary()
    }
}

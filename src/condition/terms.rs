//! The parser, second half: what stands between operators. Literals, names, calls, closures, lists, maps and postfixes.

use std::sync::Arc;

use super::Dialect;
use super::ast::{Builtin, Kind, Node};
use super::error::{Error, Span};
use super::lexer::{TokenKind, is_word};
use super::literals;
use super::names;
use super::parser::{Parsed, Parser};

impl Parser<'_> {
    /// `#`, `#acc`, `#index`, or the `.` of `.field`, which stays for the postfix parser.
    pub(super) fn pointer(&mut self) -> Parsed {
        if self.closures == 0 {
            return Err(match self.dialect {
                Dialect::V1_9 => self.error("cannot use pointer accessor outside closure"),
                Dialect::V1_10 => self.unexpected(),
            });
        }
        let start = self.span();
        let mut name: Arc<str> = Arc::from("");
        if self.is_operator("#") {
            self.next()?;
            if self.kind() == TokenKind::Identifier {
                name = self.expect_name()?;
            }
        }
        let node = Node::new(Kind::Pointer(name), start);
        self.postfix(node)
    }

    pub(super) fn secondary(&mut self) -> Parsed {
        let start = self.span();
        match self.kind() {
            TokenKind::Identifier => self.word(start),
            TokenKind::Number => {
                let kind = literals::number(&self.current().text, self.dialect).map_err(|e| self.error(e))?;
                self.next()?;
                self.node(kind, start)
            }
            TokenKind::String => {
                let text = Arc::from(self.current().text.as_ref());
                self.next()?;
                let node = self.node(Kind::Str(text), start)?;
                if self.dialect == Dialect::V1_9 { Ok(node) } else { self.postfix(node) }
            }
            _ if self.is_bracket("[") => {
                let node = self.array()?;
                self.postfix(node)
            }
            _ if self.is_bracket("{") => {
                let node = self.map()?;
                self.postfix(node)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, start: Span) -> Parsed {
        let name = self.expect_name()?;
        let constant = match name.as_ref() {
            "true" => Some(Kind::Bool(true)),
            "false" => Some(Kind::Bool(false)),
            "nil" => Some(Kind::Nil),
            _ => None,
        };
        if let Some(kind) = constant {
            return self.node(kind, start);
        }
        let node = match self.is_bracket("(") {
            true => self.call(name, start, Vec::new())?,
            false => self.node(Kind::Name(name), start)?,
        };
        self.postfix(node)
    }

    pub(super) fn pipe(&mut self, left: Node) -> Parsed {
        let start = left.span;
        let name = self.expect_name()?;
        self.call(name, start, vec![left])
    }

    /// A call of a builtin or of a function of the environment; `arguments` holds what a pipe put in front.
    pub(super) fn call(&mut self, name: Arc<str>, start: Span, arguments: Vec<Node>) -> Parsed {
        let callee_span = self.previous_end;
        let kind = match names::builtin(&name, self.dialect) {
            Some((name, Some(shape))) => self.predicate_call(name, shape, arguments)?,
            Some((name, None)) => builtin(name, self.arguments(arguments)?),
            None => {
                let callee = Box::new(Node::new(Kind::Name(name), callee_span));
                Kind::Call { callee, arguments: self.arguments(arguments)? }
            }
        };
        self.node(kind, start)
    }

    fn predicate_call(
        &mut self,
        name: &'static str,
        shape: &[names::Argument],
        mut arguments: Vec<Node>,
    ) -> Result<Kind, Error> {
        self.expect(TokenKind::Bracket, "(")?;
        let wanted = &shape[arguments.len().min(shape.len())..];
        for (i, argument) in wanted.iter().enumerate() {
            let optional = argument.optional;
            if self.dialect == Dialect::V1_9 && optional && !self.is_operator(",") {
                break;
            }
            if self.dialect == Dialect::V1_10 && self.is_bracket(")") {
                if optional {
                    break;
                }
                return Err(self.error(format!("expected at least {} arguments", wanted.len())));
            }
            if i > 0 {
                self.expect(TokenKind::Operator, ",")?;
            }
            arguments.push(if argument.predicate { self.closure()? } else { self.expression(0)? });
        }
        if self.dialect == Dialect::V1_10 && self.is_operator(",") {
            self.next()?;
        }
        self.expect(TokenKind::Bracket, ")")?;
        Ok(builtin(name, arguments))
    }

    fn arguments(&mut self, mut arguments: Vec<Node>) -> Result<Vec<Node>, Error> {
        let piped = arguments.len();
        self.expect(TokenKind::Bracket, "(")?;
        while !self.is_bracket(")") {
            if arguments.len() > piped {
                self.expect(TokenKind::Operator, ",")?;
                if self.dialect == Dialect::V1_10 && self.is_bracket(")") {
                    break;
                }
            }
            arguments.push(self.expression(0)?);
        }
        self.next()?;
        Ok(arguments)
    }

    fn closure(&mut self) -> Parsed {
        let start = self.span();
        let braced = self.is_bracket("{");
        if braced {
            self.next()?;
        }
        self.closures += 1;
        let body = if braced { self.sequence()? } else { self.expression(0)? };
        if self.dialect == Dialect::V1_10 && !braced && self.is_operator(";") {
            return Err(self.error("wrap predicate with brackets { and }"));
        }
        self.closures -= 1;
        if braced {
            self.expect(TokenKind::Bracket, "}")?;
        }
        self.node(Kind::Closure(Box::new(body)), start)
    }

    fn array(&mut self) -> Parsed {
        let start = self.span();
        self.next()?;
        let mut nodes = Vec::new();
        while !self.is_bracket("]") {
            if !nodes.is_empty() {
                self.expect(TokenKind::Operator, ",")?;
                if self.is_bracket("]") {
                    break;
                }
            }
            nodes.push(self.expression(0)?);
        }
        self.next()?;
        self.node(Kind::Array(nodes), start)
    }

    fn map(&mut self) -> Parsed {
        let start = self.span();
        self.next()?;
        let mut pairs = Vec::new();
        while !self.is_bracket("}") {
            if !pairs.is_empty() {
                self.expect(TokenKind::Operator, ",")?;
                if self.is_bracket("}") {
                    break;
                }
                if self.is_operator(",") {
                    return Err(self.unexpected());
                }
            }
            let key = self.map_key()?;
            self.expect(TokenKind::Operator, ":")?;
            pairs.push((key, self.expression(0)?));
        }
        self.next()?;
        self.node(Kind::Map(pairs), start)
    }

    fn map_key(&mut self) -> Parsed {
        let span = self.span();
        match self.kind() {
            TokenKind::Number | TokenKind::String | TokenKind::Identifier => {
                let text = Arc::from(self.current().text.as_ref());
                self.next()?;
                self.node(Kind::Str(text), span)
            }
            _ if self.is_bracket("(") => self.expression(0),
            _ => Err(self.error(format!(
                "a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses (unexpected token {})",
                self.current().describe()
            ))),
        }
    }

    pub(super) fn postfix(&mut self, mut node: Node) -> Parsed {
        loop {
            let optional = self.is_operator("?.");
            if optional || self.is_operator(".") {
                self.next()?;
                if self.dialect == Dialect::V1_10 && optional && self.is_bracket("[") {
                    node = self.subscript(node, true)?;
                } else {
                    node = self.property(node, optional)?;
                }
            } else if self.is_bracket("[") {
                node = self.subscript(node, false)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn property(&mut self, node: Node, optional: bool) -> Parsed {
        let (start, span) = (node.span, self.span());
        let token = self.current();
        let is_name = token.kind == TokenKind::Identifier
            || (token.kind == TokenKind::Operator && is_valid_name(&token.text));
        let name: Arc<str> = Arc::from(token.text.as_ref());
        // Upstream steps over the token before it complains, so at the end of the text the complaint is another one.
        self.next()?;
        if !is_name {
            return Err(self.error("expected name"));
        }
        let property = Box::new(self.node(Kind::Str(name), span)?);
        let (chained, base) = match node.kind {
            Kind::Chain(inner) => (true, inner),
            _ => (false, Box::new(node)),
        };
        let called = self.is_bracket("(");
        let mut node = self.node(Kind::Member { base, property, optional, called }, start)?;
        if called {
            let arguments = self.arguments(Vec::new())?;
            node = self.node(Kind::Call { callee: Box::new(node), arguments }, start)?;
        }
        if chained || optional {
            node = self.node(Kind::Chain(Box::new(node)), start)?;
        }
        Ok(node)
    }

    fn subscript(&mut self, node: Node, optional: bool) -> Parsed {
        let start = node.span;
        self.next()?;
        let from = if self.is_operator(":") { None } else { Some(Box::new(self.expression(0)?)) };
        if !self.is_operator(":") {
            self.expect(TokenKind::Bracket, "]")?;
            let Some(property) = from else { return Err(self.unexpected()) };
            let member = Kind::Member { base: Box::new(node), property, optional, called: false };
            let node = self.node(member, start)?;
            return if optional { self.node(Kind::Chain(Box::new(node)), start) } else { Ok(node) };
        }
        self.next()?;
        let to = if self.is_bracket("]") { None } else { Some(Box::new(self.expression(0)?)) };
        self.expect(TokenKind::Bracket, "]")?;
        self.node(Kind::Slice { base: Box::new(node), from, to }, start)
    }
}

fn builtin(name: &'static str, arguments: Vec<Node>) -> Kind {
    Kind::Builtin(Builtin { name, arguments, map: None, throws: false })
}

fn is_valid_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c == '$' || c.is_alphabetic()) && text.chars().all(is_word)
}

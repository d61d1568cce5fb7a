//! The words of a query, with their places.

use super::super::ast::{AggregateOp, BinaryOp};
use super::super::error::Span;
use super::super::format;

/// One kind of word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tok {
    End,
    /// Something that is no word; what is wrong with it is known to the cursor.
    Bad,
    /// A name without a colon.
    Ident,
    /// A name with a colon: a recording rule's.
    MetricIdent,
    Number,
    Duration,
    Text,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    At,
    /// `=` between braces.
    Equal,
    /// `=~`
    EqualRegex,
    /// `!~`
    NotRegex,
    Op(BinaryOp),
    Aggregator(AggregateOp),
    Keyword(Keyword),
}

/// Words with a meaning of their own. All of them may also be labels, and most of them metric names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Bool,
    By,
    GroupLeft,
    GroupRight,
    Ignoring,
    Offset,
    On,
    Without,
    Start,
    Stop,
    Inf,
    Nan,
    Anchored,
    Smoothed,
    Fill,
    FillLeft,
    FillRight,
}

/// One word and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) tok: Tok,
    pub(super) span: Span,
}

const KEYWORDS: [(&str, Tok); 21] = [
    ("and", Tok::Op(BinaryOp::And)),
    ("or", Tok::Op(BinaryOp::Or)),
    ("unless", Tok::Op(BinaryOp::Unless)),
    ("atan2", Tok::Op(BinaryOp::Atan2)),
    ("bool", Tok::Keyword(Keyword::Bool)),
    ("by", Tok::Keyword(Keyword::By)),
    ("group_left", Tok::Keyword(Keyword::GroupLeft)),
    ("group_right", Tok::Keyword(Keyword::GroupRight)),
    ("ignoring", Tok::Keyword(Keyword::Ignoring)),
    ("offset", Tok::Keyword(Keyword::Offset)),
    ("on", Tok::Keyword(Keyword::On)),
    ("without", Tok::Keyword(Keyword::Without)),
    ("start", Tok::Keyword(Keyword::Start)),
    ("end", Tok::Keyword(Keyword::Stop)),
    ("inf", Tok::Keyword(Keyword::Inf)),
    ("nan", Tok::Keyword(Keyword::Nan)),
    ("anchored", Tok::Keyword(Keyword::Anchored)),
    ("smoothed", Tok::Keyword(Keyword::Smoothed)),
    ("fill", Tok::Keyword(Keyword::Fill)),
    ("fill_left", Tok::Keyword(Keyword::FillLeft)),
    ("fill_right", Tok::Keyword(Keyword::FillRight)),
];

/// What a bare word is. Keywords and aggregations are recognised in any case.
pub(super) fn classify(word: &str) -> Tok {
    let keyword = KEYWORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, tok)| *tok);
    let known = keyword.or_else(|| AggregateOp::parse(word).map(Tok::Aggregator));
    known.unwrap_or(if word.contains(':') { Tok::MetricIdent } else { Tok::Ident })
}

impl Tok {
    /// Whether the word could be a metric name.
    pub(super) fn is_name(self) -> bool {
        match self {
            Self::Ident | Self::MetricIdent | Self::Aggregator(_) => true,
            Self::Keyword(word) => !matches!(
                word,
                Keyword::Inf
                    | Keyword::Nan
                    | Keyword::Bool
                    | Keyword::On
                    | Keyword::Ignoring
                    | Keyword::GroupLeft
                    | Keyword::GroupRight
            ),
            Self::Op(op) => op.is_set(),
            _ => false,
        }
    }

    /// The word as Prometheus names it in "unexpected …" (`promql/parser/lex.go` `Item.desc`, v3).
    pub(super) fn describe(self, text: &str) -> String {
        match self {
            Self::End => "end of input".into(),
            Self::Ident => format!("identifier {}", format::quote(text)),
            Self::MetricIdent => format!("metric identifier {}", format::quote(text)),
            Self::Number => format!("number {}", format::quote(text)),
            Self::Duration => format!("duration {}", format::quote(text)),
            Self::Text => format!("string {}", format::quote(text)),
            Self::Op(op) => format!("<op:{}>", op.symbol()),
            Self::EqualRegex | Self::NotRegex => format!("<op:{text}>"),
            Self::Aggregator(op) => format!("<aggr:{}>", op.name()),
            Self::Keyword(Keyword::Inf | Keyword::Nan) => format!("number {}", format::quote(text)),
            Self::Keyword(_) => format!("<{text}>"),
            _ => format::quote(text),
        }
    }
}

//! The parsed query. Every node knows where it stands in the text, what type of value it yields and how deep it
//! is, so that no later step has to ask twice. Built by `parser`, read by `eval` and by the linter.

use std::fmt;
use std::sync::Arc;

use super::error::Span;
use super::length::Length;
use super::matcher::Matcher;
use super::signature::Function;

/// The type of value an expression yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A number.
    Scalar,
    /// Samples at one instant.
    Vector,
    /// Samples over a range.
    Matrix,
    /// A text.
    String,
}

impl fmt::Display for ValueType {
    /// The names Prometheus' documentation and error messages use.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        })
    }
}

/// One node of the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    pub(crate) span: Span,
    pub(crate) value_type: ValueType,
    /// Levels below and including this node. Bounded by the parser, so recursion over a query is safe.
    pub(crate) depth: usize,
    /// Something in it depends on the step or the bounds of the query, and is filled in when the query runs.
    pub(crate) contextual: bool,
    /// It is the same at every step of a query.
    pub(crate) invariant: bool,
}

/// The kinds of node.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `1.5`, `0x1F`, `5m` (which is 300), `Inf`.
    Number(f64),
    /// `"text"`
    String(Arc<str>),
    /// `metric{label="value"}`
    Selector(Box<Selector>),
    /// `metric[5m]`
    Range(Box<RangeSelector>),
    /// `expr[30m:1m]`
    Subquery(Box<Subquery>),
    /// `(expr)`
    Paren(Box<Expr>),
    /// `-expr` (true) or `+expr` (false)
    Unary(bool, Box<Expr>),
    /// `left op right`
    Binary(Box<Binary>),
    /// `sum by (label) (expr)`
    Aggregate(Box<Aggregate>),
    /// `rate(expr)`
    Call(Call),
}

/// Which series are meant, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    /// The metric name, when the query states one by equality.
    pub name: Option<Arc<str>>,
    /// All conditions, the one on the name included.
    pub matchers: Vec<Matcher>,
    /// `offset` and `@`.
    pub timing: Timing,
    /// `anchored` or `smoothed`.
    pub reach: Reach,
}

/// Which samples stand for the edges of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Those inside it, extrapolated.
    #[default]
    Inside,
    /// `anchored`: the last one before the range stands for its start.
    Anchored,
    /// `smoothed`: both edges are interpolated between the samples around them.
    Smoothed,
}

/// The modifiers that move a selector or subquery in time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timing {
    /// `offset`, in milliseconds; positive looks back.
    pub offset_ms: i64,
    /// The offset, when it depends on the query.
    pub offset: Option<Box<Length>>,
    /// `@`
    pub at: Option<At>,
}

/// The moment an `@` modifier fixes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    /// A timestamp in milliseconds.
    Time(i64),
    /// `start()`: start of the range query.
    Start,
    /// `end()`: end of the range query.
    End,
}

/// `metric[5m]`
#[derive(Debug, Clone, PartialEq)]
pub struct RangeSelector {
    /// The series and the moment.
    pub selector: Selector,
    /// Where the selector without its brackets stands.
    pub selector_span: Span,
    /// How far it reaches back.
    pub range_ms: i64,
    /// How far, when it depends on the query.
    pub range: Option<Box<Length>>,
}

/// `expr[30m:1m]`
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    /// What is evaluated again and again.
    pub expr: Expr,
    /// How far it reaches back.
    pub range_ms: i64,
    /// How far, when it depends on the query.
    pub range: Option<Box<Length>>,
    /// How often; the default step when absent.
    pub step_ms: Option<i64>,
    /// How often, when it depends on the query.
    pub step: Option<Box<Length>>,
    /// `offset` and `@`.
    pub timing: Timing,
}

/// `left op right`
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Left operand.
    pub lhs: Expr,
    /// Right operand.
    pub rhs: Expr,
    /// The `bool` modifier.
    pub return_bool: bool,
    /// How samples of two vectors find each other.
    pub matching: Matching,
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the operators' own names")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    TrimUpper,
    TrimLower,
    And,
    Or,
    Unless,
}

/// How many samples of one side may meet one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// At most one on each side.
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// Set operators.
    ManyToMany,
}

/// `on`/`ignoring` and `group_left`/`group_right`.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// How many meet how many.
    pub cardinality: Cardinality,
    /// True for `on`, false for `ignoring` and when neither is given.
    pub on: bool,
    /// The labels of `on` or `ignoring`.
    pub labels: Vec<Arc<str>>,
    /// The labels `group_left`/`group_right` copies from the "one" side.
    pub include: Vec<Arc<str>>,
    /// What stands in for samples that have no partner.
    pub fill: Fill,
}

/// `fill`, `fill_left` and `fill_right`: the value a missing sample is taken to have.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fill {
    /// For samples missing on the left.
    pub left: Option<f64>,
    /// For samples missing on the right.
    pub right: Option<f64>,
}

/// `sum by (label) (expr)`
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The operator.
    pub op: AggregateOp,
    /// The parameter of `topk`, `quantile`, `count_values` and their like.
    pub param: Option<Expr>,
    /// What is aggregated.
    pub expr: Expr,
    /// True for `without`, false for `by` and when neither is given.
    pub without: bool,
    /// The labels of `by` or `without`, sorted.
    pub grouping: Vec<Arc<str>>,
}

/// Aggregation operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the operators' own names")]
pub enum AggregateOp {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    TopK,
    BottomK,
    LimitK,
    LimitRatio,
    CountValues,
    Quantile,
}

/// `rate(expr)`
#[derive(Debug, Clone)]
pub struct Call {
    /// Which function.
    pub func: &'static Function,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// The compiled pattern of `label_replace`, when it is valid.
    pub(crate) pattern: Option<regex::Regex>,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        // The pattern follows from the arguments.
        self.func.name == other.func.name && self.args == other.args
    }
}

impl BinaryOp {
    /// Whether the operator compares.
    pub fn is_comparison(self) -> bool {
        matches!(self, Self::Eq | Self::Ne | Self::Gt | Self::Lt | Self::Ge | Self::Le)
    }

    /// Whether the operator works on sets of series rather than on values.
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    /// Whether the operator cuts native histograms, of which there are none here.
    pub fn is_trim(self) -> bool {
        matches!(self, Self::TrimUpper | Self::TrimLower)
    }

    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Atan2 => "atan2",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Lt => "<",
            Self::Ge => ">=",
            Self::Le => "<=",
            Self::TrimUpper => "</",
            Self::TrimLower => ">/",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }
}

impl AggregateOp {
    const ALL: [(&'static str, Self); 14] = [
        ("sum", Self::Sum),
        ("avg", Self::Avg),
        ("count", Self::Count),
        ("min", Self::Min),
        ("max", Self::Max),
        ("group", Self::Group),
        ("stddev", Self::Stddev),
        ("stdvar", Self::Stdvar),
        ("topk", Self::TopK),
        ("bottomk", Self::BottomK),
        ("limitk", Self::LimitK),
        ("limit_ratio", Self::LimitRatio),
        ("count_values", Self::CountValues),
        ("quantile", Self::Quantile),
    ];

    /// The operator called `name`, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map(|(_, op)| *op)
    }

    /// The operator as it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }

    /// The type of the parameter the operator takes, if it takes one.
    pub fn param_type(self) -> Option<ValueType> {
        match self {
            Self::TopK | Self::BottomK | Self::LimitK | Self::LimitRatio | Self::Quantile => {
                Some(ValueType::Scalar)
            }
            Self::CountValues => Some(ValueType::String),
            _ => None,
        }
    }
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            cardinality: Cardinality::OneToOne,
            on: false,
            labels: Vec::new(),
            include: Vec::new(),
            fill: Fill::default(),
        }
    }
}

impl Expr {
    /// Where the expression stands in the query.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// What type of value it yields.
    pub fn value_type(&self) -> ValueType {
        self.value_type
    }

    /// The expression inside any parentheses.
    pub fn unparen(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The direct parts of the expression, to be changed.
    pub(crate) fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Selector(_) | ExprKind::Range(_) => {
                Vec::new()
            }
            ExprKind::Subquery(sub) => vec![&mut sub.expr],
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => vec![inner],
            ExprKind::Binary(binary) => vec![&mut binary.lhs, &mut binary.rhs],
            ExprKind::Aggregate(agg) => agg.param.iter_mut().chain([&mut agg.expr]).collect(),
            ExprKind::Call(call) => call.args.iter_mut().collect(),
        }
    }

    /// The direct parts of the expression, in reading order.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Selector(_) | ExprKind::Range(_) => {
                Vec::new()
            }
            ExprKind::Subquery(sub) => vec![&sub.expr],
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => vec![inner],
            ExprKind::Binary(binary) => vec![&binary.lhs, &binary.rhs],
            ExprKind::Aggregate(agg) => agg.param.iter().chain([&agg.expr]).collect(),
            ExprKind::Call(call) => call.args.iter().collect(),
        }
    }
}

impl Fill {
    /// Whether either side is filled in.
    pub fn any(self) -> bool {
        self.left.is_some() || self.right.is_some()
    }
}

//! Which functions the language has, per dialect, and which of their arguments are closures.

use super::Dialect;

/// One argument position of a function that takes a closure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Argument {
    pub(super) predicate: bool,
    pub(super) optional: bool,
}

const VALUE: Argument = Argument { predicate: false, optional: false };
const CLOSURE: Argument = Argument { predicate: true, optional: false };
const OPTIONAL_CLOSURE: Argument = Argument { predicate: true, optional: true };
const OPTIONAL_VALUE: Argument = Argument { predicate: false, optional: true };

const PREDICATE: &[Argument] = &[VALUE, CLOSURE];
const MAYBE_PREDICATE: &[Argument] = &[VALUE, OPTIONAL_CLOSURE];
const PREDICATE_AND_VALUE: &[Argument] = &[VALUE, CLOSURE, OPTIONAL_VALUE];

/// Functions that take a closure, in both dialects (`parser.go`, table `predicates`).
const PREDICATES: &[(&str, &[Argument])] = &[
    ("all", PREDICATE),
    ("any", PREDICATE),
    ("count", PREDICATE),
    ("filter", PREDICATE),
    ("find", PREDICATE),
    ("findIndex", PREDICATE),
    ("findLast", PREDICATE),
    ("findLastIndex", PREDICATE),
    ("groupBy", PREDICATE),
    ("map", PREDICATE),
    ("none", PREDICATE),
    ("one", PREDICATE),
    ("reduce", PREDICATE_AND_VALUE),
];

/// Entries of [`PREDICATES`] that v1.17.8 added or loosened.
const NEWER_PREDICATES: &[(&str, &[Argument])] =
    &[("count", MAYBE_PREDICATE), ("sortBy", PREDICATE_AND_VALUE), ("sum", MAYBE_PREDICATE)];

/// Ordinary functions of both dialects (`builtin/builtin.go`).
const FUNCTIONS: &[&str] = &[
    "abs",
    "ceil",
    "date",
    "duration",
    "first",
    "float",
    "floor",
    "fromBase64",
    "fromJSON",
    "fromPairs",
    "get",
    "hasPrefix",
    "hasSuffix",
    "indexOf",
    "int",
    "join",
    "keys",
    "last",
    "lastIndexOf",
    "len",
    "lower",
    "max",
    "mean",
    "median",
    "min",
    "now",
    "repeat",
    "replace",
    "round",
    "sort",
    "sortBy",
    "split",
    "splitAfter",
    "string",
    "sum",
    "take",
    "toBase64",
    "toJSON",
    "toPairs",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "type",
    "upper",
    "values",
];

/// Ordinary functions that exist only since v1.17.8 (or an earlier version after v1.15.5).
const NEWER_FUNCTIONS: &[&str] = &[
    "bitand", "bitnand", "bitnot", "bitor", "bitshl", "bitshr", "bitushr", "bitxor", "concat", "flatten",
    "reverse", "timezone", "uniq",
];

/// The builtin of this name, with its closure arguments if it takes any.
pub(super) fn builtin(name: &str, dialect: Dialect) -> Option<(&'static str, Option<&'static [Argument]>)> {
    let in_table = |table: &'static [(&'static str, &'static [Argument])]| {
        table.iter().find(|(known, _)| *known == name).map(|(known, shape)| (*known, Some(*shape)))
    };
    let in_list =
        |list: &'static [&'static str]| list.iter().find(|known| **known == name).map(|known| (*known, None));
    let newer = dialect == Dialect::V1_10;
    (newer.then(|| in_table(NEWER_PREDICATES)).flatten())
        .or_else(|| in_table(PREDICATES))
        .or_else(|| in_list(FUNCTIONS))
        .or_else(|| newer.then(|| in_list(NEWER_FUNCTIONS)).flatten())
}

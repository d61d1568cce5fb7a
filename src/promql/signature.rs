//! The functions of PromQL: names, argument types and result types (Prometheus `promql/parser/functions.go`, v3).
//! Experimental functions are among them.

use super::ast::ValueType::{self, Matrix, Scalar, String, Vector};

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The types of its arguments.
    pub args: &'static [ValueType],
    /// How many of the last arguments may be left out or repeated.
    pub variadic: Variadic,
    /// The type of its result.
    pub result: ValueType,
}

/// Whether the last argument is exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variadic {
    /// Exactly the arguments listed.
    No,
    /// The last argument may be left out.
    Optional,
    /// The last argument may be left out or given any number of times.
    Any,
    /// The last argument may be left out or given up to so many times.
    UpTo(usize),
}

const fn fixed(name: &'static str, args: &'static [ValueType], result: ValueType) -> Function {
    Function { name, args, variadic: Variadic::No, result }
}

const fn optional(name: &'static str, args: &'static [ValueType]) -> Function {
    Function { name, args, variadic: Variadic::Optional, result: Vector }
}

const fn any(name: &'static str, args: &'static [ValueType]) -> Function {
    Function { name, args, variadic: Variadic::Any, result: Vector }
}

const fn over_time(name: &'static str) -> Function {
    fixed(name, &[Matrix], Vector)
}

const fn map(name: &'static str) -> Function {
    fixed(name, &[Vector], Vector)
}

/// All functions, sorted by name.
pub static FUNCTIONS: &[Function] = &[
    map("abs"),
    map("absent"),
    over_time("absent_over_time"),
    map("acos"),
    map("acosh"),
    map("asin"),
    map("asinh"),
    map("atan"),
    map("atanh"),
    over_time("avg_over_time"),
    map("ceil"),
    over_time("changes"),
    fixed("clamp", &[Vector, Scalar, Scalar], Vector),
    fixed("clamp_max", &[Vector, Scalar], Vector),
    fixed("clamp_min", &[Vector, Scalar], Vector),
    map("cos"),
    map("cosh"),
    over_time("count_over_time"),
    optional("day_of_month", &[Vector]),
    optional("day_of_week", &[Vector]),
    optional("day_of_year", &[Vector]),
    optional("days_in_month", &[Vector]),
    map("deg"),
    over_time("delta"),
    over_time("deriv"),
    fixed("double_exponential_smoothing", &[Matrix, Scalar, Scalar], Vector),
    fixed("end", &[], Scalar),
    map("exp"),
    over_time("first_over_time"),
    map("floor"),
    map("histogram_avg"),
    map("histogram_count"),
    fixed("histogram_fraction", &[Scalar, Scalar, Vector], Vector),
    fixed("histogram_quantile", &[Scalar, Vector], Vector),
    Function {
        name: "histogram_quantiles",
        args: &[Vector, String, Scalar, Scalar],
        variadic: Variadic::UpTo(9),
        result: Vector,
    },
    map("histogram_stddev"),
    map("histogram_stdvar"),
    map("histogram_sum"),
    fixed("holt_winters", &[Matrix, Scalar, Scalar], Vector),
    optional("hour", &[Vector]),
    over_time("idelta"),
    over_time("increase"),
    optional("info", &[Vector, Vector]),
    over_time("irate"),
    any("label_join", &[Vector, String, String, String]),
    fixed("label_replace", &[Vector, String, String, String, String], Vector),
    over_time("last_over_time"),
    map("ln"),
    map("log10"),
    map("log2"),
    over_time("mad_over_time"),
    fixed("max_of", &[Scalar, Scalar], Scalar),
    over_time("max_over_time"),
    fixed("min_of", &[Scalar, Scalar], Scalar),
    over_time("min_over_time"),
    optional("minute", &[Vector]),
    optional("month", &[Vector]),
    fixed("pi", &[], Scalar),
    fixed("predict_linear", &[Matrix, Scalar], Vector),
    over_time("present_over_time"),
    fixed("quantile_over_time", &[Scalar, Matrix], Vector),
    map("rad"),
    fixed("range", &[], Scalar),
    over_time("rate"),
    over_time("resets"),
    optional("round", &[Vector, Scalar]),
    fixed("scalar", &[Vector], Scalar),
    map("sgn"),
    map("sin"),
    map("sinh"),
    map("sort"),
    any("sort_by_label", &[Vector, String]),
    any("sort_by_label_desc", &[Vector, String]),
    map("sort_desc"),
    map("sqrt"),
    fixed("start", &[], Scalar),
    over_time("stddev_over_time"),
    over_time("stdvar_over_time"),
    fixed("step", &[], Scalar),
    over_time("sum_over_time"),
    map("tan"),
    map("tanh"),
    fixed("time", &[], Scalar),
    map("timestamp"),
    over_time("ts_of_first_over_time"),
    over_time("ts_of_last_over_time"),
    over_time("ts_of_max_over_time"),
    over_time("ts_of_min_over_time"),
    fixed("vector", &[Scalar], Vector),
    optional("year", &[Vector]),
];

/// The function called `name`. Function names are case-sensitive.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by(|f| f.name.cmp(name)).ok().map(|at| &FUNCTIONS[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_lookup_finds_every_entry() {
        assert!(FUNCTIONS.is_sorted_by_key(|f| f.name));
        for f in FUNCTIONS {
            assert_eq!(function(f.name).map(|found| found.name), Some(f.name));
        }
        assert!(function("Rate").is_none());
    }
}

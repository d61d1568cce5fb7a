//! Do we accept the queries that another PromQL parser accepts?

use super::promqltest;
use crate::promql;

/// Queries on which the two may differ, with the reason.
const EXCEPTIONS: [(&str, &str); 18] = [
    (r#"label_replace(testmetric, "\xff""#, "bytes that are no text, as above"),
    (
        r#"count_values("a\xc5z""#,
        "bytes that are no text are refused while parsing, elsewhere when evaluating",
    ),
    ("anchored", NEWER),
    ("smoothed", NEWER),
    ("fill", NEWER),
    ("</", NEWER),
    (">/", NEWER),
    ("info(", NEWER),
    ("histogram_quantiles(", NEWER),
    ("min_of(", NEWER),
    ("max_of(", NEWER),
    ("start()", NEWER),
    ("end()", NEWER),
    ("step()", NEWER),
    ("STEP()", NEWER),
    ("range()", NEWER),
    ("metric1_total", "computed durations, which the other parser does not have"),
    ("changes(http_requests[", "computed durations, which the other parser does not have"),
];

const NEWER: &str = "experimental, and newer than the other parser";

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test must say so")]
fn both_parsers_accept_the_same_queries() {
    let queries = promqltest::queries();
    if queries.is_empty() {
        eprintln!("SKIPPED: no Prometheus test files");
    }
    let mut differences = Vec::new();
    for query in &queries {
        let (ours, theirs) = (promql::parse(query), promql_parser::parser::parse(query));
        let known = EXCEPTIONS.iter().any(|(part, _)| query.contains(part));
        if ours.is_ok() != theirs.is_ok() && !known {
            differences.push(format!("{query}\n  ours: {:?}\n  theirs: {:?}", ours.err(), theirs.err()));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {}:\n{}",
        differences.len(),
        queries.len(),
        differences.join("\n")
    );
}

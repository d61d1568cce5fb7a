//! Do we accept the queries that another PromQL parser accepts?

use super::promqltest;
use crate::promql;

/// Queries on which the two may differ, with the reason.
const EXCEPTIONS: [(&str, &str); 1] = [(
    r#"count_values("a\xc5z""#,
    "bytes that are no text are refused while parsing, elsewhere when evaluating",
)];

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

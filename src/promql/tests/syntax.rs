//! Mangled queries, and what a real Prometheus parser (v0.313.5) said to them: `tests/data/promql/syntax.tsv` holds one
//! a line, with `ok` or `error` and the complaint; where it points differs now and then. `FIREDRILL_PROMQL_SYNTAX` names another file.

use std::path::{Path, PathBuf};

use crate::promql;

#[test]
#[allow(clippy::print_stderr, reason = "all differences at once are worth more than the first")]
fn mangled_queries_are_refused_where_prometheus_refuses_them() {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promql/syntax.tsv");
    let path = std::env::var_os("FIREDRILL_PROMQL_SYNTAX").map_or_else(own, PathBuf::from);
    let text = std::fs::read_to_string(path).expect("the file of queries");
    let (mut cases, mut differences) = (0, 0);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (query, wanted) = line.rsplit_once('\t').expect("two columns");
        cases += 1;
        let got = promql::parse(query);
        if got.is_ok() != (wanted == "ok") {
            differences += 1;
            eprintln!("{line}\n  {}", got.err().map_or("ok".to_owned(), |error| error.display_in(query)));
        }
    }
    assert!(cases > 100, "only {cases} cases");
    assert_eq!(differences, 0, "of {cases}");
}

//! Random queries over a small data set, with the answers a real Prometheus engine (v0.313.5) gave.
//! `tests/data/promql/generated.load` holds the series, `generated.tsv` one query a line: engine mode, moment or
//! `start:end:step` in seconds, query, answer, remarks. `FIREDRILL_PROMQL_GENERATED` names another file of queries.

use std::path::{Path, PathBuf};

use super::promqltest::{self, World};
use crate::promql::{self, Answer, Labels, Options, Value};

/// Sums in another order differ in their last digits.
const TOLERANCE: f64 = 1e-9;

struct Case<'t> {
    delayed: bool,
    when: Vec<i64>,
    query: &'t str,
    answer: &'t str,
    remarks: &'t str,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promql")
}

#[test]
#[allow(clippy::print_stderr, reason = "all differences at once are worth more than the first")]
fn random_queries_get_the_answers_of_prometheus() {
    let path = std::env::var_os("FIREDRILL_PROMQL_GENERATED")
        .map_or_else(|| folder().join("generated.tsv"), PathBuf::from);
    let text = std::fs::read_to_string(&path).expect("the file of queries");
    let load = std::fs::read_to_string(folder().join("generated.load")).expect("the file of series");
    let world = promqltest::world(&load);
    let (mut cases, mut differences) = (0, 0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        cases += 1;
        let case = Case::read(line).unwrap_or_else(|| panic!("not a case: {line}"));
        if let Err(difference) = case.run(&world) {
            differences += 1;
            eprintln!("{line}\n  {difference}");
        }
    }
    assert!(cases > 100, "only {cases} cases");
    assert_eq!(differences, 0, "of {cases}");
}

impl<'t> Case<'t> {
    fn read(line: &'t str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next();
        let delayed = next()? == "delayed";
        let milliseconds = |text: &str| Some((text.parse::<f64>().ok()? * 1000.0) as i64);
        let when = next()?.split(':').map(milliseconds).collect::<Option<_>>()?;
        Some(Self { delayed, when, query: next()?, answer: next()?, remarks: next()? })
    }

    fn run(&self, world: &World) -> Result<(), String> {
        let options = Options { delayed_name_removal: self.delayed, ..Options::default() };
        let answer = promql::parse(self.query)
            .map_err(|e| e.display_in(self.query))
            .and_then(|expr| self.evaluate(&expr, world, &options).map_err(|e| e.message));
        let (answer, wanted) = match (answer, self.answer.strip_prefix("error ")) {
            (Err(got), Some(wanted)) => {
                return if same_words(&got, wanted) { Ok(()) } else { Err(format!("fails: {got}")) };
            }
            (Err(got), None) => return Err(format!("fails: {got}")),
            (Ok(_), Some(_)) => return Err("should fail".to_owned()),
            (Ok(answer), None) => (answer, self.answer),
        };
        let got = show(&answer.value);
        if !same(&got, wanted) {
            return Err(format!("got {got}"));
        }
        let mut remarks: Vec<_> = answer.annotations.iter().map(|a| a.headline()).collect();
        remarks.sort();
        // Two places may give rise to the same words.
        remarks.dedup();
        let mut wanted: Vec<_> = self.remarks.split(" | ").filter(|r| !r.is_empty()).collect();
        wanted.dedup();
        if remarks == wanted { Ok(()) } else { Err(format!("remarks: {remarks:?}")) }
    }

    fn evaluate(
        &self,
        expr: &promql::Expr,
        world: &World,
        options: &Options,
    ) -> Result<Answer<Value>, promql::EvalError> {
        match self.when[..] {
            [start, end, step] => {
                let answer = promql::range(expr, &world.storage, start, end, step, options)?;
                Ok(Answer { value: Value::Matrix(answer.value), annotations: answer.annotations })
            }
            _ => promql::instant(expr, &world.storage, self.when[0], options),
        }
    }
}

/// The answer as the file writes it, sorted.
fn show(value: &Value) -> String {
    let list = |kind: &str, mut lines: Vec<String>| {
        lines.sort();
        format!("{kind} {}", lines.join("; "))
    };
    let series = |labels: &Labels, points: Vec<String>| format!("{labels} {}", points.join(" "));
    match value {
        Value::Scalar(point) => format!("scalar {}", promql::format_float(point.v)),
        Value::String { text, .. } => format!("string {text}"),
        Value::Vector(samples) => {
            let line = |s: &promql::Sample| series(&s.labels, vec![promql::format_float(s.v)]);
            list("vector", samples.iter().map(line).collect())
        }
        Value::Matrix(all) => {
            let point = |p: &promql::Point| format!("{}@{}", promql::format_float(p.v), p.t);
            let line = |s: &promql::RangeSeries| series(&s.labels, s.points.iter().map(point).collect());
            list("matrix", all.iter().map(line).collect())
        }
    }
}

/// Which of several duplicates upstream meets first depends on the order of its storage.
fn same_words(got: &str, wanted: &str) -> bool {
    const DUPLICATE: &str = "found duplicate series for the match group";
    wanted.ends_with(got) || (got.starts_with(DUPLICATE) && wanted.starts_with(DUPLICATE))
}

/// Word for word the same, give or take the last digits of numbers.
fn same(got: &str, wanted: &str) -> bool {
    let (mut a, mut b) = (got.split(' '), wanted.split(' '));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || close(a, b) => {}
            _ => return false,
        }
    }
}

fn close(a: &str, b: &str) -> bool {
    let read = |word: &str| {
        let word = word.trim_end_matches(';');
        let (v, t) = word.split_once('@').unwrap_or((word, ""));
        Some((v.parse::<f64>().ok()?, t.to_owned()))
    };
    let (Some((a, a_time)), Some((b, b_time))) = (read(a), read(b)) else { return false };
    let scale = a.abs().max(b.abs());
    a_time == b_time && (a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * scale)
}

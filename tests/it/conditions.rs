//! The condition language against the answers of the Go libraries, and against recordings of the real controller.

use std::path::PathBuf;

use crate::recordings::recording;
use firedrill::condition::{Condition, Dialect, Error, Stage, Time, Value, evaluate};

fn now() -> Time {
    Time::from_unix(1_800_000_000, 0)
}

/// The table that the Go library wrote, or another one of the same columns.
#[expect(
    clippy::disallowed_methods,
    reason = "the place of test data is the business of whoever runs the tests"
)]
fn shared_table() -> String {
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/conditions/expr.tsv"));
    let path = std::env::var("FIREDRILL_EXPR_CASES").map_or_else(|_| own(), PathBuf::from);
    std::fs::read_to_string(path).expect("the table")
}

/// A result as the tables write it.
fn result(kind: &str, text: &str) -> Value {
    match kind {
        "vf" => {
            let samples = text.trim_matches(['[', ']']).split(',').filter(|sample| !sample.is_empty());
            Value::vector(samples.map(|sample| sample.parse::<f64>().expect("a sample")))
        }
        "f" => Value::Float(text.parse().expect("a number")),
        "s" => Value::string(text),
        "any" | "nil" => Value::from(&serde_json::from_str::<serde_json::Value>(text).expect("JSON")),
        other => panic!("unknown kind of result {other}"),
    }
}

fn describe(answer: &Result<bool, Error>) -> (String, String) {
    match answer {
        Ok(value) => (value.to_string(), String::new()),
        Err(error) => {
            let stage = if error.stage == Stage::Run { "run" } else { "compile" };
            let message = error.message.replace('\n', "\\n").replace('\t', "\\t");
            ("err".to_owned(), format!("{stage}: {message}"))
        }
    }
}

/// Replays a table of kind, result, expression, answer and message; every difference is printed before the test fails.
#[expect(clippy::print_stdout, reason = "how much holds is the point of a conformance test")]
fn replay(table: &str, dialect: Dialect) {
    let mut differences = Vec::new();
    let mut total = 0;
    for line in table.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [kind, text, expression, answer, rest @ ..] = fields.as_slice() else {
            panic!("bad line {line:?}")
        };
        let message = rest.first().copied().unwrap_or_default();
        total += 1;
        let got = describe(&evaluate(expression, dialect, &result(kind, text), now()));
        if (got.0.as_str(), got.1.as_str()) != (*answer, message) {
            differences.push(format!(
                "{kind} {text}  {expression}\n  Go:   {answer} {message}\n  here: {} {}",
                got.0, got.1
            ));
        }
    }
    println!("{dialect:?}: {} of {total}", total - differences.len());
    assert!(total > 0, "the table is empty");
    assert!(differences.is_empty(), "{} of {total} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn the_shared_table_of_the_newer_library_holds() {
    replay(&shared_table(), Dialect::V1_10);
}

#[test]
fn the_older_library_answers_the_same() {
    replay(include_str!("../data/conditions/condition-1.9.tsv"), Dialect::V1_9);
}

#[test]
fn the_newer_library_answers_the_same() {
    replay(include_str!("../data/conditions/condition-1.10.tsv"), Dialect::V1_10);
}

/// Replays one recorded AnalysisRun: each metric is one expression, measured once.
fn replay_recording(name: &str) {
    let events = recording(name).observed();
    let runs: Vec<_> = events.iter().filter(|event| event["kind"] == "AnalysisRun").collect();
    let metrics = runs.iter().find_map(|run| run["spec"]["metrics"].as_array()).expect("the metrics");
    let results = runs.last().expect("a run")["status"]["metricResults"].as_array().expect("the results");
    assert_eq!(results.len(), metrics.len(), "every metric was measured");
    let value =
        results.iter().find_map(|result| result["measurements"][0]["value"].as_str()).expect("a value");
    let value = result("vf", value);
    for metric in metrics {
        let measured = results.iter().find(|result| result["name"] == metric["name"]).expect("a result");
        let measurement = &measured["measurements"][0];
        let condition = metric["successCondition"].as_str().expect("a condition");
        let answer = evaluate(condition, Dialect::V1_9, &value, now());
        let phase = match &answer {
            Ok(true) => "Successful",
            Ok(false) => "Failed",
            Err(_) => "Error",
        };
        assert_eq!(measurement["phase"], phase, "{name}: {condition}: {answer:?}");
        if let Err(error) = answer {
            assert_eq!(measurement["message"], error.message, "{name}: {condition}");
        }
    }
}

#[test]
fn the_recorded_controller_judges_nan_the_same() {
    replay_recording("ar-expression-table-nan");
}

#[test]
fn the_recorded_controller_judges_infinity_the_same() {
    replay_recording("ar-expression-table-inf");
}

#[test]
fn the_recorded_controller_judges_an_ordinary_value_the_same() {
    replay_recording("ar-expression-table-097");
}

#[test]
fn a_parsed_condition_can_be_asked_again() {
    let condition = Condition::parse("result[0] >= 0.95", Dialect::V1_9).expect("an expression");
    assert_eq!(condition.evaluate(&Value::vector([1.0]), now()), Ok(true));
    assert_eq!(condition.evaluate(&Value::vector([f64::NAN]), now()), Ok(false));
}

//! What the tables of `tests/` do not show: the API, spans, dialects, budgets, and that no input makes it panic.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn now() -> Time {
    Time::from_unix(1_800_000_000, 0)
}

fn error_of(source: &str, dialect: Dialect, result: &Value) -> Error {
    evaluate(source, dialect, result, now()).expect_err("an error")
}

fn when(source: &str, json: &str) -> Result<bool, Error> {
    let serde_json::Value::Object(fields) = serde_json::from_str(json).expect("JSON") else {
        panic!("an object")
    };
    evaluate_when(source, Dialect::V1_10, &Environment::from_json(&fields), now())
}

#[test]
fn an_error_points_at_the_bytes_it_is_about() {
    let error = error_of("true && result >= 0.95", Dialect::V1_9, &Value::vector([1.0]));
    assert_eq!((error.stage, error.span), (Stage::Check, 8..22));
    let error = error_of("true && resolt > 1", Dialect::V1_9, &Value::vector([1.0]));
    assert_eq!((error.message.as_str(), error.span), ("unknown name resolt", 8..14));
    let error = error_of("é && @", Dialect::V1_9, &Value::Nil);
    assert_eq!((error.stage, error.span), (Stage::Parse, 6..7));
    let error = error_of("1 < 2 && result[3] > 1", Dialect::V1_9, &Value::vector([1.0]));
    assert_eq!((error.stage, error.span), (Stage::Run, 9..18));
}

#[test]
fn a_shape_is_checked_without_a_value() {
    assert!(check("result[0] > 1", Dialect::V1_9, Shape::Vector).is_ok());
    assert!(check("result > 1", Dialect::V1_9, Shape::Scalar).is_ok());
    assert!(check("result > 1", Dialect::V1_9, Shape::Any).is_ok());
    assert_eq!(
        check("result > 1", Dialect::V1_9, Shape::Vector).expect_err("a type error").message,
        "invalid operation: > (mismatched types []float64 and int)"
    );
    assert_eq!(
        check("result[0] > 1", Dialect::V1_9, Shape::Scalar).expect_err("a type error").message,
        "type float64[int] is undefined"
    );
    assert!(check("result.ok", Dialect::V1_9, Shape::Object).is_ok());
    assert!(check("result + 1 == 2", Dialect::V1_9, Shape::Text).is_err());
    assert!(check("result && true", Dialect::V1_9, Shape::Bool).is_ok());
    assert!(check("result[0].a == 1", Dialect::V1_9, Shape::List).is_ok());
}

#[test]
fn the_dialects_differ_where_the_libraries_do() {
    let vector = Value::vector([0.97]);
    let answers = |source| {
        (
            evaluate(source, Dialect::V1_9, &vector, now()).ok(),
            evaluate(source, Dialect::V1_10, &vector, now()).ok(),
        )
    };
    assert_eq!(answers("max(result) > 0.9"), (None, Some(true)));
    assert_eq!(answers("0.95 <= result[0] <= 1"), (None, Some(true)));
    assert_eq!(answers("len('é') == 2"), (Some(true), Some(false)));
    assert_eq!(answers("result == [0.97]"), (Some(false), Some(true)));
    assert_eq!(answers("uniq(result)[0] > 0"), (None, Some(true)));
}

#[test]
fn a_trigger_reads_the_fields_of_its_object() {
    let degraded = r#"{"rollout": {"status": {"phase": "Degraded", "abort": true}}}"#;
    assert_eq!(when("rollout.status.phase in ['Degraded']", degraded), Ok(true));
    assert_eq!(when("rollout.status.phase == 'Healthy' || rollout.status.abort", degraded), Ok(true));
    assert_eq!(when("rollout.status?.message?.text == nil", degraded), Ok(true));
    assert_eq!(
        when("rollout.status.canary.weight > 1", degraded).expect_err("a missing field").message,
        "cannot fetch weight from <nil>"
    );
    assert_eq!(when("unknown == nil", degraded), Ok(true));
    assert_eq!(when("unknown.field", degraded).expect_err("nil").message, "cannot fetch field from <nil>");
}

#[test]
fn the_newer_controller_wraps_messages() {
    let error = error_of("result[0] > 1", Dialect::V1_10, &Value::vector([]));
    assert_eq!(
        wrap_error("successCondition", "result[0] > 1", &error, &Value::vector([])),
        "could not evaluate successCondition \"result[0] > 1\": metric result is nil or empty: no data returned from the metric provider"
    );
    let error = error_of("result[3] > 1", Dialect::V1_10, &Value::vector([1.0]));
    assert_eq!(
        wrap_error("failureCondition", "result[3] > 1", &error, &Value::vector([1.0])),
        "could not evaluate failureCondition \"result[3] > 1\": index out of range: 3 (array length is 1)"
    );
}

#[test]
fn the_present_is_an_argument() {
    let ask = |source| evaluate(source, Dialect::V1_9, &Value::Nil, Time::from_unix(1_714_953_600, 5));
    assert_eq!(ask("now() - duration('24h') == date('2024-05-05').Add(duration('5ns'))"), Ok(true));
    assert_eq!(ask("now().Weekday().String() == 'Monday' && now().YearDay() == 127"), Ok(true));
    let range = Condition::parse("now() - duration('5m')", Dialect::V1_9).expect("an expression");
    let value = range.value_in(&Environment::Metric(Value::Nil), Time::from_unix(600, 0)).expect("a time");
    assert!(matches!(value, Value::Time(time) if time == Time::from_unix(300, 0)));
}

#[test]
fn probing_shows_what_a_policy_would_not_catch() {
    let condition =
        Condition::parse("len(result) == 0 || result[0] >= 0.95", Dialect::V1_9).expect("an expression");
    let answers = probe(&condition, &[0.0, 0.9, 1.0], now());
    assert_eq!((answers.empty.clone(), answers.nan.clone()), (Ok(true), Ok(false)));
    assert!(!answers.is_constant());
    let constant = Condition::parse("result[0] >= 0 || true", Dialect::V1_9).expect("an expression");
    assert!(probe(&constant, &[0.0, 1.0], now()).is_constant());
    assert_eq!(condition.numbers(), vec![0.0, 0.0, 0.95]);
    assert!(condition.mentions_result());
}

#[test]
fn a_vector_compared_with_a_number_is_found() {
    let condition = Condition::parse("1 > 2 || result >= 0.95", Dialect::V1_9).expect("an expression");
    let found = condition.comparisons(Shape::Vector);
    assert_eq!(found.len(), 2);
    assert!(!found[0].is_list_against_number());
    assert!(found[1].is_list_against_number());
    assert_eq!((found[1].operator, found[1].span.clone()), (">=", 9..23));
}

#[test]
fn what_is_not_imitated_is_refused_by_name() {
    let refused = |source, dialect| error_of(source, dialect, &Value::Nil).message;
    assert!(refused("b'x' == 1", Dialect::V1_10).contains("byte literals"));
    assert!(refused("timezone('UTC') == nil", Dialect::V1_10).contains("time zone database"));
    assert!(
        refused("date('2024-01-01', '2006-01-02', 'Asia/Tokyo').Day() == 1", Dialect::V1_9)
            .contains("Asia/Tokyo")
    );
    assert!(refused("now().ISOWeek() == 1", Dialect::V1_9).contains("ISOWeek"));
    assert!(refused("let f = len; f([]) == 0", Dialect::V1_9).contains("through a variable"));
}

#[test]
fn nesting_is_bounded_instead_of_the_stack() {
    let deep = 100_000;
    for source in [
        "(".repeat(deep),
        "[".repeat(deep),
        "-".repeat(deep),
        "!".repeat(deep),
        "{a:".repeat(deep),
        "all(".repeat(deep),
        "1 ** ".repeat(deep),
        "1 + ".repeat(deep) + "1",
        "true && ".repeat(deep) + "true",
        "result".to_owned() + &".a".repeat(deep),
        "result".to_owned() + &"[0]".repeat(deep),
        "true ? ".repeat(deep),
        "true".to_owned() + &" ? true : true".repeat(deep),
        "let a = ".repeat(deep),
        "if true { ".repeat(deep),
        "if true { true } else ".repeat(deep),
        "1 | ".repeat(deep),
        "1 < ".repeat(deep) + "1",
    ] {
        for dialect in [Dialect::V1_9, Dialect::V1_10] {
            assert!(Condition::parse(&source, dialect).is_err());
        }
    }
    for fine in [
        "(".repeat(60) + "true" + &")".repeat(60),
        "true && ".repeat(190) + "true",
        "1 + ".repeat(190) + "1 > 0",
        "all([1], ".repeat(28) + "true" + &")".repeat(28),
        "len([".repeat(28) + "1" + &"])".repeat(28) + " == 1",
        "!".repeat(60) + "true",
    ] {
        assert_eq!(evaluate(&fine, Dialect::V1_9, &Value::Nil, now()), Ok(true), "{fine}");
    }
}

#[test]
fn work_is_bounded_instead_of_the_clock() {
    for source in [
        "all(1..100000, all(1..100000, # > 0))",
        "len(reduce(1..60, #acc + #acc, 'aa')) > 0",
        "len(reduce(1..60, [#acc, #acc], [1])) > 0",
        "len(reduce(1..10000, [#acc], [1])) > 0",
        "len(1..9000000000) > 0",
        "'a' matches 'a{1000}{1000}'",
        "len(repeat(repeat('a', 100000), 100000)) > 0",
        "len(replace(repeat('a', 1000000), 'a', repeat('b', 1000000))) > 0",
        "len(flatten(map(1..1000, map(1..1000, map(1..1000, #))))) > 0",
    ] {
        for dialect in [Dialect::V1_9, Dialect::V1_10] {
            assert!(evaluate(source, dialect, &Value::Nil, now()).is_err(), "{source}");
        }
    }
}

#[test]
fn a_failed_search_leaves_its_loop_test_on_the_stack_as_upstream() {
    let error = error_of("1 <= findLast([1, 2], # > 5)", Dialect::V1_9, &Value::Nil);
    assert_eq!(error.message, "invalid operation: bool <= <nil>");
    assert_eq!(evaluate("findLast([1, 2], # > 1) == 2", Dialect::V1_9, &Value::Nil, now()), Ok(true));
}

#[test]
fn numbers_of_json_are_floats() {
    let value = Value::from(&serde_json::json!({"n": 1, "list": [1, "a", null], "t": true}));
    assert_eq!(
        evaluate("result.n == 1 && type(result.n) == 'float'", Dialect::V1_9, &value, now()),
        Ok(true)
    );
    assert_eq!(
        evaluate("result.list[1] == 'a' && result.list[2] == nil", Dialect::V1_9, &value, now()),
        Ok(true)
    );
    let built = Value::map([(Arc::from("n"), Value::Int(1))]);
    assert_eq!(evaluate("result.n == 1", Dialect::V1_9, &built, now()), Ok(true));
}

/// Words from which random text becomes nearly an expression.
fn scraps() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "result",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "0",
        "1.5",
        "-1",
        "'a'",
        "\"\\u00e9\"",
        "<",
        ">=",
        "==",
        "&&",
        "||",
        "not",
        "in",
        "..",
        "?",
        ":",
        "??",
        "?.",
        ".",
        "#",
        "#acc",
        ",",
        "|",
        "len(",
        "filter(",
        "map(",
        "reduce(",
        "sum(",
        "findLast(",
        "sort(",
        "date('2024-01-01')",
        ".Year()",
        "duration('1h')",
        "let x = ",
        ";",
        "x",
        "if",
        "else",
        "matches",
        "contains",
        "nil",
        "true",
        "**",
        "%",
        "toJSON(",
        "9223372036854775807",
        "split(",
        "get(",
        "`",
        "\\",
        "é",
        "string(",
        "[1:]",
        "$env",
        "default(",
        "groupBy(",
        "first(",
        "asInt(",
        "isNaN(",
        "repeat(",
        "=",
        "*",
        "/",
        "0x",
    ]);
    prop::collection::vec(words, 0..14).prop_map(|words| words.join(" "))
}

fn survives(source: &str) {
    for dialect in [Dialect::V1_9, Dialect::V1_10] {
        for shape in [Shape::Vector, Shape::Scalar, Shape::Any, Shape::Object, Shape::Text] {
            let _ = check(source, dialect, shape);
        }
        for value in
            [Value::Nil, Value::vector([0.5, f64::NAN]), Value::string("é"), Value::Float(f64::INFINITY)]
        {
            let answer = evaluate(source, dialect, &value, now());
            assert!(answer.err().is_none_or(|error| error.span.end <= source.len()), "{source:?}");
        }
        let json = serde_json::json!({"a": [1, {"b": null}], "result": {"a": {"a": 1}}});
        let _ = evaluate(source, dialect, &Value::from(&json), now());
        if let Ok(condition) = Condition::parse(source, dialect) {
            let _ = probe(&condition, &[0.0, 1.0], now());
            let _ = condition.comparisons(Shape::Vector);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_is_survived(source in "\\PC{0,40}") {
        survives(&source);
    }

    #[test]
    fn any_ascii_is_survived(source in "[ -~\n]{0,40}") {
        survives(&source);
    }

    #[test]
    fn anything_like_an_expression_is_survived(source in scraps()) {
        survives(&source);
    }

    #[test]
    fn dates_come_back_as_they_went_out(seconds in -62_135_596_800_i64..253_402_300_799, nanos in 0_u32..1_000_000_000) {
        let time = Time::from_unix(seconds, nanos);
        prop_assert_eq!(layout::parse("2006-01-02T15:04:05Z07:00", &time.to_rfc3339_nano()), Ok(time));
    }

    #[test]
    fn durations_come_back_as_they_went_out(nanos in any::<i64>()) {
        // Go reads fractions through floats too, so a nanosecond may be lost.
        let back = duration::parse(&duration::format(nanos)).expect("a duration");
        prop_assert!(back.abs_diff(nanos) <= 1, "{} {}", nanos, back);
    }
}

//! What only the Rust interface can show: options, range vectors as answers, refusals.

use crate::promql::{self, Labels, Options, Storage, Value, json};

fn two_metrics() -> Storage {
    let mut storage = Storage::new();
    for name in ["a_total", "b_total"] {
        for t in [0, 10_000, 20_000] {
            storage
                .append_labels(&Labels::metric(name, [("job", "x")]), t, t as f64 / 1_000.0)
                .expect("in order");
        }
    }
    storage
}

fn ask(query: &str, options: &Options) -> Result<String, String> {
    let expr = promql::parse(query).map_err(|e| e.to_string())?;
    let answer = promql::instant(&expr, &two_metrics(), 20_000, options).map_err(|e| e.to_string())?;
    Ok(json::data(&answer.value))
}

#[test]
fn names_go_at_once_unless_that_is_put_off() {
    let now = Options::default();
    let late = Options { delayed_name_removal: true, ..Options::default() };
    let by_name = "sum by (__name__) (rate({job=\"x\"}[1m]))";
    let same = Err("vector cannot contain metrics with the same labelset".to_owned());
    assert_eq!(ask("rate({job=\"x\"}[1m])", &now), same);
    assert_eq!(ask("rate({job=\"x\"}[1m])", &late), same);
    assert_eq!(ask(by_name, &now), same);
    assert_eq!(ask(by_name, &late), same);
    let kept = ask(r#"count(label_replace(rate({job="x"}[1m]), "n", "$1", "__name__", "(.*)"))"#, &late);
    assert_eq!(kept.as_deref(), Ok(r#"{"resultType":"vector","result":[{"metric":{},"value":[20,"2"]}]}"#));
    let bare =
        Ok(r#"{"resultType":"vector","result":[{"metric":{"job":"x"},"value":[20,"-20"]}]}"#.to_owned());
    assert_eq!(ask("-a_total", &now), bare);
    assert_eq!(ask("-a_total", &late), bare);
}

#[test]
fn a_range_vector_answers_an_instant_query() {
    let expr = promql::parse("a_total[15s]").expect("valid");
    let answer = promql::instant(&expr, &two_metrics(), 20_000, &Options::default()).expect("an answer");
    let Value::Matrix(series) = answer.value else { panic!("not a matrix") };
    assert_eq!(series[0].labels.pretty(), r#"a_total{job="x"}"#);
    assert_eq!(series[0].points.iter().map(|p| p.t).collect::<Vec<_>>(), [10_000, 20_000]);
}

#[test]
fn impossible_ranges_are_refused() {
    let (storage, options) = (Storage::new(), Options::default());
    let ask = |query: &str, start, end, step| {
        let expr = promql::parse(query).expect("valid");
        promql::range(&expr, &storage, start, end, step, &options)
            .map(|a| a.value.len())
            .map_err(|e| e.message)
    };
    assert_eq!(ask("1", 0, 10, 10), Ok(1));
    assert!(ask("1", 0, 10, 0).is_err() && ask("1", 10, 0, 1).is_err() && ask("1", 0, 11_000, 1).is_err());
    assert!(ask("\"text\"", 0, 10, 1).is_err() && ask("a[5m]", 0, 10, 1).is_err());
    assert_eq!(ask("1", i64::MAX - 1, i64::MAX, i64::MAX), Ok(1));
}

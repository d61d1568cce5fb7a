//! What no recording shows.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Action, Story, World, controller};
use crate::clock::Moment;
use crate::twin::analysis::{Answer, Ask, Asking, Outcome, Pass, begin};
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Key, Kind, Store};

const NOW: Moment = Moment::VIRTUAL_EPOCH;

fn run(spec: Value) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
        "metadata": {"name": "run", "namespace": "drill"}, "spec": spec})
}

fn metric(extra: Value) -> Value {
    let mut metric = json!({"name": "errs", "successCondition": "result[0] <= 0.05",
        "provider": {"prometheus": {"address": "http://provider", "query": "script(\"errs: 0\")"}}});
    metric.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    metric
}

fn store(objects: Vec<(Kind, Value)>) -> (Store, Key) {
    let mut store = Store::with_namespaces(&["drill"]);
    for (kind, object) in objects {
        store.create(NOW, kind, object).unwrap();
    }
    (store, Key::new(Kind::AnalysisRun, "drill", "run"))
}

fn asking(spec: Value) -> Box<Asking> {
    let (store, key) = store(vec![(Kind::AnalysisRun, run(spec))]);
    match begin(&controller(), &store, NOW, &key) {
        Pass::Ask(asking) => asking,
        Pass::Done(reconciled) => panic!("{reconciled:?}"),
    }
}

fn answer(outcome: Outcome) -> Answer {
    Answer { at: NOW, outcome, warnings: vec![] }
}

fn status(reconciled: &Reconciled) -> Value {
    let patch = reconciled.effects.iter().find_map(|effect| match effect {
        Effect::Patch { patch: crate::twin::store::Patch::Merge(patch), .. } => Some(patch["status"].clone()),
        _ => None,
    });
    patch.expect("a status patch")
}

fn play(spec: Value, seconds: u64) -> Story {
    let actions: Vec<Action> = vec![];
    World::new(vec![run(spec)], actions, NOW).play(NOW, NOW + Duration::from_secs(seconds))
}

#[test]
fn a_question_carries_everything_that_is_needed_to_ask_it() {
    let provider = json!({"prometheus": {"address": "http://p:9090/", "query": "x{{args.a}}", "timeout": 5,
        "headers": [{"key": "X-Scope-OrgID", "value": "t"}], "rangeQuery": {"start": "now()", "end": "now()", "step": "1m"}}});
    let asking = asking(
        json!({"args": [{"name": "a", "value": "{\"b\"}"}], "metrics": [metric(json!({"provider": provider}))]}),
    );
    let Ask { query, timeout, headers, range, .. } = asking.asks[0].clone();
    assert_eq!((query.as_str(), timeout), ("x{\"b\"}", Duration::from_secs(5)));
    assert_eq!(headers, [("X-Scope-OrgID".to_owned(), "t".to_owned())]);
    assert_eq!(range.unwrap().step, Duration::from_secs(60));
    assert_eq!(asking.asks[0].url(), "http://p:9090/api/v1/query_range");
}

#[test]
fn a_matrix_is_flattened_and_warnings_are_kept() {
    let asking = asking(json!({"metrics": [metric(json!({}))]}));
    let warnings = vec!["one".to_owned(), "two".to_owned()];
    let reconciled = asking.finish(NOW, vec![Answer { warnings, ..answer(Outcome::Matrix(vec![0.0, 1.0])) }]);
    let measurement = status(&reconciled)["metricResults"][0]["measurements"][0].clone();
    assert_eq!(measurement["value"], "[0,1]");
    assert_eq!(measurement["metadata"]["warnings"], "\"one\", \"two\"");
}

#[test]
fn a_missing_answer_is_an_error_and_not_a_success() {
    let reconciled = asking(json!({"metrics": [metric(json!({}))]})).finish(NOW, vec![]);
    assert_eq!(status(&reconciled)["metricResults"][0]["measurements"][0]["phase"], "Error");
    assert_eq!(reconciled.requeue_after, Some(Duration::from_millis(10_001)));
}

#[test]
fn events_come_before_the_patch_and_show_the_run_half_way() {
    let reconciled =
        asking(json!({"metrics": [metric(json!({}))]})).finish(NOW, vec![answer(Outcome::Vector(vec![0.9]))]);
    let told: Vec<(&str, Value)> = reconciled
        .effects
        .iter()
        .map(|effect| match effect {
            Effect::Event { reason, regarding, .. } => (*reason, regarding["status"].clone()),
            _ => ("patch", Value::Null),
        })
        .collect();
    assert_eq!(
        told.iter().map(|(reason, _)| *reason).collect::<Vec<_>>(),
        ["MetricFailed", "AnalysisRunFailed", "patch"]
    );
    assert_eq!(told[0].1["phase"], Value::Null);
    assert_eq!(told[0].1["metricResults"][0]["phase"], "Running");
    assert_eq!(told[1].1["phase"], "Failed");
    assert_eq!(told[1].1["completedAt"], Value::Null);
}

#[test]
fn secrets_are_read_and_taken_out_of_messages() {
    let secret = json!({"metadata": {"name": "s", "namespace": "drill"}, "data": {"k": "aHVudGVyMg=="}});
    let spec = json!({"args": [{"name": "a", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "metrics": [metric(json!({"provider": {"prometheus": {"address": "http://p", "query": "{{args.a}}"}}}))]});
    let (store, key) = store(vec![(Kind::Secret, secret), (Kind::AnalysisRun, run(spec))]);
    let Pass::Ask(asking) = begin(&controller(), &store, NOW, &key) else { panic!("nothing asked") };
    assert_eq!(asking.asks[0].query, "hunter2");
    let reconciled = asking.finish(NOW, vec![answer(Outcome::Error("bad hunter2".into()))]);
    assert_eq!(status(&reconciled)["metricResults"][0]["measurements"][0]["message"], "bad *****");
}

#[test]
fn another_provider_is_an_error_that_names_it() {
    let story = play(
        json!({"metrics": [metric(json!({"consecutiveErrorLimit": 0, "provider": {"job": {"spec": {"template": {}}}}}))]}),
        1,
    );
    let (_, status) = story.statuses.last().unwrap();
    assert_eq!(
        status["message"],
        "Metric \"errs\" assessed Error due to consecutiveErrors (1) > consecutiveErrorLimit (0): \"Error Message: metric provider 'job' is not emulated: only prometheus is\""
    );
    assert_eq!(status["metricResults"][0].get("metadata"), None);
}

#[test]
fn the_fraction_of_an_interval_is_lost() {
    let gaps = |interval: &str| -> Vec<i64> {
        let spec = json!({"metrics": [metric(json!({"interval": interval, "count": 5}))]});
        let story = play(spec, 60);
        let at: Vec<i64> = story.statuses.iter().map(|(at, _)| at.unix_millis()).collect();
        at.windows(2).map(|pair| (pair[1] - pair[0] + 250) / 500 * 500).skip(1).collect()
    };
    assert_eq!(gaps("2500ms"), [2000, 2000, 2000]);
    assert_eq!(gaps("1500ms"), [1000, 1000, 1000]);
    assert_eq!(gaps("3s"), [3000, 3000, 3000]);
}

#[test]
fn retention_keeps_what_its_rule_says() {
    let spec = json!({"metrics": [metric(json!({"interval": "1s", "count": 6}))],
        "measurementRetention": [{"metricName": "er", "limit": 3}]});
    let story = play(spec, 20);
    let (_, status) = story.statuses.last().unwrap();
    assert_eq!(status["metricResults"][0]["measurements"].as_array().unwrap().len(), 3);
    assert_eq!(status["metricResults"][0]["count"], 6);
}

#[test]
fn a_failing_range_is_an_error_of_the_measurement() {
    let provider =
        json!({"prometheus": {"address": "http://p", "query": "x", "rangeQuery": {"start": "soon"}}});
    let story = play(json!({"metrics": [metric(json!({"provider": provider}))]}), 1);
    let message = &story.statuses[0].1["metricResults"][0]["measurements"][0]["message"];
    assert_eq!(message, "failed to parse rangeQuery.start as time: unknown name soon");
}

#[test]
fn a_run_without_metrics_is_refused_once() {
    let story = play(json!({"metrics": []}), 60);
    assert_eq!(story.statuses.len(), 1);
    assert_eq!(
        story.statuses[0].1,
        json!({"phase": "Error", "message": "Analysis spec invalid: no metrics specified"})
    );
    assert_eq!(story.events.len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_spec_panics(interval in "[0-9]{0,3}(ms|s|m|x|)", count in -2_i64..5, limit in -3_i64..5, delay in "[0-9]{0,2}s?",
        condition in "[a-z{}.\\[\\]<= 0-9]*", name in "\\PC{0,4}") {
        let spec = json!({"metrics": [metric(json!({"name": name, "interval": interval, "count": count,
            "failureLimit": limit, "initialDelay": delay, "successCondition": condition}))]});
        let _ = play(spec, 30);
    }
}

//! Recorded deliveries: the state the controller saw is given, the request must be the recorded one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::rules::LANGUAGE;
use crate::argo::notification::Config;
use crate::clock::Moment;
use crate::inbox::{self, By};
use crate::twin::effect::Effect;
use crate::twin::notifications::{Delivery, Engine, ServiceKind, Watch, on_event, trigger_of};
use crate::twin::recordings::{notification_config, recording};
use crate::twin::store::{Kind, Patch, Store};

const NAMESPACE: &str = "drill";

fn engine() -> Engine {
    let secret = json!({"data": {"slack-token": "dG9rZW4="}});
    Engine::new(Config::parse(&notification_config(), Some(&secret)).unwrap(), LANGUAGE).unwrap()
}

struct Line {
    kind: String,
    value: Value,
}

fn lines(scenario: &str) -> Vec<Line> {
    let line = |value: Value| Line { kind: value["kind"].as_str().unwrap().to_owned(), value };
    recording(scenario).observed().into_iter().map(line).collect()
}

/// The object of a kind as `given.yaml` has it, with the annotations that subscribe.
fn given(scenario: &str, kind: &str) -> Value {
    recording(scenario).given().into_iter().find(|object| object["kind"] == kind).unwrap()
}

/// The recorded body of a delivery, as the receiver parsed it.
fn body(delivery: &Delivery) -> Value {
    match delivery.kind {
        ServiceKind::Webhook => serde_json::from_str(&delivery.request.body).unwrap(),
        ServiceKind::Slack => {
            let request = &delivery.request;
            let message = inbox::read(&request.url, &request.headers, &request.body);
            assert_eq!(message.by, By::Slack);
            json!({"channel": message.recipient.replace("CHANNEL", "NAMESPACE-alerts"), "text": message.text})
        }
    }
}

/// The reason that fires a trigger.
fn reason_of(trigger: &str) -> String {
    let words = trigger.trim_start_matches("on-").split('-');
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let reason: String = words.map(capital).collect();
    assert_eq!(trigger_of(&reason), trigger);
    reason
}

/// Rebuilds what the controller saw from the recorded body itself: phase, message, abort and AnalysisRuns.
fn scene(scenario: &str, recorded: &Value) -> (Store, Value) {
    let mut store = Store::with_namespaces(&["drill"]);
    let mut rollout = given(scenario, "Rollout");
    rollout["metadata"]["namespace"] = json!(NAMESPACE);
    rollout["metadata"]["annotations"]["rollout.argoproj.io/revision"] = json!("2");
    let mut status = json!({"currentPodHash": "h"});
    for field in ["phase", "message"] {
        if recorded[field].is_string() && recorded[field] != "<no value>" {
            status[field] = recorded[field].clone();
        }
    }
    if recorded["abort"] == "true" {
        status["abort"] = json!(true);
    }
    rollout["status"] = status;
    for run in recorded["analysisRuns"].as_array().into_iter().flatten() {
        let (name, phase) = run.as_str().unwrap().split_once(':').unwrap();
        let meta = json!({"name": name, "namespace": NAMESPACE, "labels": {"rollouts-pod-template-hash": "h"},
            "annotations": {"rollout.argoproj.io/revision": "2"}});
        let run = json!({"metadata": meta, "spec": {"metrics": []}, "status": {"phase": phase}});
        store.create(Moment::VIRTUAL_EPOCH, Kind::AnalysisRun, run).unwrap();
    }
    (store, rollout)
}

/// Every recorded delivery of path A is composed again.
fn check(scenario: &str, expect_deliveries: usize) {
    let engine = engine();
    let mut seen = 0;
    for line in lines(scenario).iter().filter(|line| line.kind == "Delivery") {
        let recorded = &line.value["body"];
        let name = line.value["name"].as_str().unwrap();
        let slack = name.starts_with("slack/");
        let trigger = if slack {
            recorded["text"].as_str().unwrap().split_once(':').unwrap().0
        } else {
            recorded["trigger"].as_str().unwrap()
        };
        let phase =
            recorded["text"].as_str().and_then(|text| text.split_once("phase=")).map(|(_, phase)| phase);
        let seen_state = phase.map_or_else(|| recorded.clone(), |phase| json!({ "phase": phase }));
        let (store, rollout) = scene(scenario, &seen_state);
        let reason = reason_of(trigger);
        let all =
            on_event(&engine, &store, Moment::VIRTUAL_EPOCH, &Arc::new(rollout), Kind::Rollout, &reason);
        let service = if slack { "slack" } else { recorded["serviceType"].as_str().unwrap() };
        let sent = all.into_iter().map(Result::unwrap).find(|delivery| delivery.service == service).unwrap();
        assert_eq!(body(&sent), *recorded, "{scenario}");
        assert_eq!((sent.trigger.as_str(), sent.request.method.as_str()), (trigger, "POST"));
        seen += 1;
    }
    println!("{scenario}: {seen} of {expect_deliveries} deliveries");
    assert_eq!(seen, expect_deliveries, "{scenario}");
}

#[test]
fn blue_green_events_are_told_as_recorded() {
    check("notif-bg-all-events", 20);
}

#[test]
fn canary_events_are_told_as_recorded() {
    check("notif-canary-step-completed", 10);
    check("notif-canary-completed", 7);
}

#[test]
fn aborts_are_told_as_recorded() {
    check("notif-progress-deadline-abort-duplicates", 3);
    check("notif-receiver-404", 1);
    check("notif-receiver-429", 4);
    check("notif-receiver-fails-twice-then-ok", 3);
    check("notif-sink-down-5s", 1);
}

#[test]
fn webhook_and_slack_are_told_as_recorded() {
    check("notif-webhook-and-slack", 6);
}

#[test]
fn an_analysis_run_speaks_for_itself_when_its_metadata_subscribes() {
    let engine = engine();
    let annotations = given("notif-analysisrun-metadata-subscription", "Rollout")
        .pointer("/spec/strategy/blueGreen/postPromotionAnalysis/analysisRunMetadata/annotations")
        .unwrap()
        .clone();
    let mut told = 0;
    for line in lines("notif-analysisrun-metadata-subscription").iter().filter(|line| line.kind == "Delivery")
    {
        let recorded = &line.value["body"];
        let mut status = json!({ "phase": recorded["phase"] });
        if recorded["message"].is_string() {
            status["message"] = recorded["message"].clone();
        }
        let meta = json!({"name": recorded["name"], "namespace": NAMESPACE, "annotations": annotations});
        let run = Arc::new(json!({"metadata": meta, "status": status}));
        let reason = reason_of(recorded["trigger"].as_str().unwrap());
        let all = on_event(&engine, &Store::new(), Moment::VIRTUAL_EPOCH, &run, Kind::AnalysisRun, &reason);
        assert_eq!(body(all[0].as_ref().unwrap()), *recorded);
        told += 1;
    }
    assert_eq!(told, 2);
}

#[test]
fn an_unknown_service_is_a_problem_and_the_others_are_told() {
    let (store, rollout) = scene("notif-unknown-service", &json!({}));
    let rollout = Arc::new(rollout);
    let tell = |reason| on_event(&engine(), &store, Moment::VIRTUAL_EPOCH, &rollout, Kind::Rollout, reason);
    let problem = tell("RolloutAborted").remove(0).unwrap_err();
    assert_eq!(problem.why, "notification service 'nosuchservice' is not supported");
    assert!(tell("AnalysisRunFailed")[0].is_ok());
}

#[test]
fn triggers_that_do_not_exist_are_never_told() {
    let (store, rollout) = scene("notif-unknown-trigger", &json!({}));
    let rollout = Arc::new(rollout);
    for reason in ["RolloutAborted", "AnalysisRunFailed", "RolloutPaused", "RolloutCompleted"] {
        assert!(
            on_event(&engine(), &store, Moment::VIRTUAL_EPOCH, &rollout, Kind::Rollout, reason).is_empty()
        );
    }
}

#[test]
fn a_deadline_without_abort_is_heard_on_path_b_only() {
    let engine = engine();
    let all = lines("notif-progress-deadline-no-abort");
    let mut recorded = all.iter().filter(|line| line.kind == "Delivery").map(|line| &line.value["body"]);
    let recorded = recorded.next_back().unwrap();
    let (store, rollout) = scene("notif-progress-deadline-no-abort", recorded);
    let watch = Watch::begin(&engine, &store, Moment::VIRTUAL_EPOCH, &Arc::new(rollout)).unwrap();
    let told: Vec<&Delivery> = watch.notices.iter().map(|notice| notice.outcome.as_ref().unwrap()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(body(told[0]), *recorded);
    let Some(Effect::Patch { patch: Patch::Merge(patch), .. }) = watch.settle(&[true]) else {
        panic!("no memory")
    };
    let pointer = "/metadata/annotations/notified.notifications.argoproj.io";
    let written = all.iter().rev().find_map(|line| line.value.pointer(pointer)).unwrap();
    let keys = |text: &Value| -> Vec<String> {
        let memory: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        memory.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(patch.pointer(pointer).unwrap()), keys(written));
}

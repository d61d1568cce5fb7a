//! Rules of templates, triggers, paths and requests.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::argo::notification::Config;
use crate::clock::Moment;
use crate::twin::effect::Effect;
use crate::twin::notifications::{Delivery, Engine, Entry, Language, Problem, Watch, on_event, trigger_of};
use crate::twin::store::{Kind, Object, Patch, Store};

const NOW: Moment = Moment::VIRTUAL_EPOCH;

/// As much of the condition language as these tests need.
pub(super) const LANGUAGE: Language = Language { compile, when, once_per };

fn compile(text: &str) -> Result<(), String> {
    if text.contains("rollout.") { Ok(()) } else { Err(format!("unknown name {text}")) }
}

fn when(text: &str, vars: &Value, _: Moment) -> Result<bool, String> {
    let (path, wanted) = text.split_once(" == ").ok_or("no comparison")?;
    Ok(once_per(path, vars, NOW)? == wanted.trim_matches('\''))
}

fn once_per(text: &str, vars: &Value, _: Moment) -> Result<String, String> {
    let pointer = format!("/{}", text.replace('.', "/"));
    let value = vars.pointer(&pointer).ok_or_else(|| format!("no {text}"))?;
    Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn engine(data: Value) -> Result<Engine, String> {
    Engine::new(Config::parse(&json!({ "data": data }), Some(&json!({"data": {"t": "c2VjcmV0"}})))?, LANGUAGE)
}

fn rollout(annotations: Value, status: Value) -> Object {
    let meta = json!({"name": "app", "namespace": "drill", "annotations": annotations});
    Arc::new(json!({"metadata": meta, "status": status,
        "spec": {"replicas": 3, "strategy": {"blueGreen": {"activeService": "a"}},
            "template": {"spec": {"containers": [{"name": "one", "image": "i:1"}, {"name": "two", "image": "i:2"}]}}}}))
}

fn subscribed() -> Value {
    json!({"notifications.argoproj.io/subscribe.on-rollout-aborted.ok": ""})
}

fn tell(data: Value, annotations: Value) -> Vec<Result<Delivery, Problem>> {
    let engine = engine(data).unwrap();
    let rollout = rollout(annotations, json!({"phase": "Progressing"}));
    on_event(&engine, &Store::new(), NOW, &rollout, Kind::Rollout, "RolloutAborted")
}

fn with(template: &str) -> Value {
    json!({"service.webhook.ok": "url: http://sink/x/", "trigger.on-rollout-aborted": "[{send: [t]}]", "template.t": template})
}

#[test]
fn reasons_become_triggers() {
    let check = |reason: &str, expect: &str| assert_eq!(trigger_of(reason), expect);
    check("RolloutAborted", "on-rollout-aborted");
    check("AnalysisRunFailed", "on-analysis-run-failed");
    check("ScalingReplicaSet", "on-scaling-replica-set");
    check("NewReplicaSetCreated", "on-new-replica-set-created");
    check("SkipSteps", "on-skip-steps");
    check("HTTPServerError2Much", "on-http-server-error2-much");
    check("", "on-");
}

fn rendered(expression: &str, expect: &str) {
    let yaml = serde_saphyr::to_string(&json!({ "message": expression })).unwrap();
    let sent = tell(with(&yaml), subscribed()).remove(0);
    assert_eq!(sent.map(|sent| sent.request.body), Ok(expect.to_owned()), "{expression}");
}

#[test]
fn templates_speak_go() {
    rendered(
        "{{.rollout.metadata.name}} {{.rollout.status.abort}} {{.rollout.spec.replicas}}",
        "app <no value> 3",
    );
    rendered(
        "{{range $i, $c := .rollout.spec.template.spec.containers}}{{if $i}},{{end}}{{$c.name}}{{end}}",
        "one,two",
    );
    rendered("{{.serviceType}}/{{.recipient}}/{{.analysisRuns}}", "ok//<no value>");
    rendered("{{.rollout.status.canary}}", "map[]");
}

#[test]
fn a_step_is_told_by_its_number() {
    let text = "{{.rollout.status.currentStepIndex}}/{{len .rollout.spec.strategy.canary.steps}}";
    let yaml = serde_saphyr::to_string(&json!({ "message": text })).unwrap();
    let mut object = Value::clone(&rollout(subscribed(), json!({"currentStepIndex": 1})));
    object["spec"]["strategy"] = json!({"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}});
    let engine = engine(with(&yaml)).unwrap();
    let sent =
        on_event(&engine, &Store::new(), NOW, &Arc::new(object), Kind::Rollout, "RolloutAborted").remove(0);
    assert_eq!(sent.unwrap().request.body, "1/2");
}

#[test]
fn templates_speak_the_common_part_of_sprig() {
    rendered("{{.rollout.status.message | default \"none\" | upper | quote}}", "\"NONE\"");
    rendered(
        "{{.rollout.status.message | toJson}} {{toJson .rollout.spec.strategy}}",
        "null {\"blueGreen\":{\"activeService\":\"a\"}}",
    );
    rendered("{{\"a<b\" | toJson}} {{\"a<b\" | toRawJson}}", "\"a\\u003cb\" \"a<b\"");
    rendered("{{trunc 3 \"abcdef\"}} {{trunc -2 \"abcdef\"}} {{replace \"a\" \"b\" \"aa\"}}", "abc ef bb");
    rendered(
        "{{hasPrefix \"a\" \"ab\"}} {{contains \"x\" \"ab\"}} {{ternary \"y\" \"n\" true}}",
        "true false y",
    );
    rendered("{{join \"-\" (list \"a\" \"b\")}}|{{\"x\\ny\" | nindent 2}}", "a-b|\n  x\n  y");
    rendered("{{b64enc \"foo\"}} {{(dict \"k\" \"v\").k}} {{add 1 2}} {{div 7 2}}", "Zm9v v 3 3");
    rendered("{{now | date \"2006-01-02\"}} {{.secrets.t | toString}}", "2026-01-01 secret");
    rendered(
        "{{title \"rolled back\"}} {{regexReplaceAll \"a(x*)b\" \"-ab-axxb-\" \"${1}W\"}}",
        "Rolled Back -W-xxW-",
    );
}

#[test]
fn lists_of_lists_end_somewhere() {
    let text = "{{$x := list}}{{range splitList \"\" (repeat 200 \"a\")}}{{$x = list $x}}{{end}}{{len $x}}";
    let yaml = serde_saphyr::to_string(&json!({ "message": text })).unwrap();
    let why = tell(with(&yaml), subscribed()).remove(0).unwrap_err().why;
    assert!(why.contains("nested more than 100 deep"), "{why}");
}

#[test]
fn an_unknown_function_spoils_the_configuration_by_name() {
    let error = engine(with("message: '{{frobnicate 1}}'")).unwrap_err();
    assert!(error.contains("frobnicate"), "{error}");
    assert!(engine(with("email: {subject: '{{frobnicate 1}}'}")).is_err());
    assert!(engine(json!({"trigger.on-a": "[{when: nonsense}]"})).unwrap_err().starts_with("trigger.on-a: "));
}

#[test]
fn a_function_is_known_wherever_it_stands() {
    for text in [
        "{{if (frob 1)}}{{end}}",
        "{{range .x}}{{else}}{{frob}}{{end}}",
        "{{define \"d\"}}{{frob}}{{end}}",
        "{{(frob).x}}",
    ] {
        let yaml = serde_saphyr::to_string(&json!({ "message": text })).unwrap();
        assert_eq!(engine(with(&yaml)).unwrap_err(), "template: t: function \"frob\" not defined", "{text}");
    }
    assert!(
        engine(with("message: '{{printf \"%s\" (index .x 1) | urlquery}}{{range .x}}{{break}}{{end}}'"))
            .is_ok()
    );
}

#[test]
fn a_template_that_fails_is_a_problem_of_the_delivery() {
    let sent = tell(
        with("message: '{{.rollout.metadata.name | b64dec | fromJson | first}}{{fail \"no\"}}'"),
        subscribed(),
    );
    assert!(sent[0].as_ref().unwrap_err().why.contains("no"));
    let missing = json!({"service.webhook.ok": "url: x", "trigger.on-rollout-aborted": "[{send: [gone]}]"});
    assert_eq!(tell(missing, subscribed())[0].as_ref().unwrap_err().why, "template 'gone' is not supported");
}

#[test]
fn a_mistake_for_one_webhook_silences_all() {
    let data = with("message: hi\nwebhook: {other: {body: '{{fail \"no\"}}'}}");
    assert!(tell(data, subscribed())[0].is_err());
}

#[test]
fn a_webhook_without_a_part_of_its_own_gets_the_message_with_get() {
    let sent = tell(with("message: hi"), subscribed()).remove(0).unwrap();
    let request = &sent.request;
    assert_eq!(
        (request.method.as_str(), request.url.as_str(), request.body.as_str()),
        ("GET", "http://sink/x/", "hi")
    );
}

#[test]
fn a_webhook_has_method_path_headers_and_credentials() {
    let mut data =
        with("message: hi\nwebhook: {ok: {method: PUT, path: '/{{.rollout.metadata.name}}', body: b}}");
    data["service.webhook.ok"] = json!(
        "{url: 'http://sink/x/', headers: [{name: A, value: $t}, {name: a, value: z}], basicAuth: {username: u, password: p}}"
    );
    let request = tell(data, subscribed()).remove(0).unwrap().request;
    assert_eq!((request.method.as_str(), request.url.as_str()), ("PUT", "http://sink/x/app"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(request.headers, [pair("a", "z"), pair("authorization", "Basic dTpw")]);
}

#[test]
fn slack_gets_a_sorted_form() {
    let data = json!({
        "service.slack": "{token: $t, username: bot, icon: ':boom:', disableUnfurl: true}",
        "trigger.on-rollout-aborted": "[{send: [t]}]",
        "template.t": "message: a & b\nslack: {attachments: '[{\"title\": \"x\"}]', username: me, groupingKey: k}",
    });
    let annotations = json!({"notifications.argoproj.io/subscribe.on-rollout-aborted.slack": "c"});
    let request = tell(data, annotations).remove(0).unwrap().request;
    assert_eq!(request.url, "https://slack.com/api/chat.postMessage");
    assert_eq!(
        request.body,
        "attachments=%5B%7B%22title%22%3A%22x%22%7D%5D&channel=c&icon_emoji=%3Aboom%3A&text=a+%26+b&token=secret&unfurl_links=false&unfurl_media=false&username=me"
    );
}

#[test]
fn attachments_that_are_no_json_are_a_problem() {
    let data = json!({"service.slack": "token: x", "trigger.on-rollout-aborted": "[{send: [t]}]",
        "template.t": "slack: {attachments: '[,]'}"});
    let annotations = json!({"notifications.argoproj.io/subscribe.on-rollout-aborted.slack": "c"});
    let problem = tell(data, annotations).remove(0).unwrap_err();
    assert!(problem.why.starts_with("failed to unmarshal attachments '[,]'"));
}

/// Written after the shape of the templates Argo ships.
#[test]
fn templates_in_the_shape_of_the_shipped_ones_render() {
    let template = r##"message: Rollout {{.rollout.metadata.name}} has been aborted.
email:
  subject: Rollout {{.rollout.metadata.name}} has been aborted.
slack:
  attachments: |
    [{"title": "{{ .rollout.metadata.name}}", "color": "#E01E5A", "fields": [
      {"title": "Strategy", "value": "{{if .rollout.spec.strategy.blueGreen}}BlueGreen{{end}}{{if .rollout.spec.strategy.canary}}Canary{{end}}", "short": true}
      {{range $index, $c := .rollout.spec.template.spec.containers}}
        {{if not $index}},{{end}}
        {{if $index}},{{end}}
        {"title": "{{$c.name}}", "value": "{{$c.image}}", "short": true}
      {{end}}
    ]}]
"##;
    let data = json!({"service.slack": "token: $t", "trigger.on-rollout-aborted": "- send: [t]\n", "template.t": template});
    let annotations = json!({"notifications.argoproj.io/subscribe.on-rollout-aborted.slack": "c"});
    let request = tell(data, annotations).remove(0).unwrap().request;
    let message = crate::inbox::read(&request.url, &request.headers, &request.body);
    assert_eq!(message.text, "Rollout app has been aborted.\napp\nStrategy\nBlueGreen\none\ni:1\ntwo\ni:2");
}

#[test]
fn a_when_is_asked_of_the_state_before_the_change() {
    let mut data = with("message: hi");
    data["trigger.on-rollout-aborted"] = json!(
        "[{when: rollout.status.phase == 'Progressing', send: [t]}, {when: rollout.status.phase == 'Degraded', send: [t]}]"
    );
    assert_eq!(tell(data, subscribed()).len(), 1);
}

#[test]
fn path_a_tells_the_same_destination_twice_and_path_b_does_not() {
    let mut data = with("message: hi");
    data["subscriptions"] = json!("[{recipients: [ok], triggers: [on-rollout-aborted]}]");
    assert_eq!(tell(data.clone(), subscribed()).len(), 2);
    data["trigger.on-rollout-aborted"] = json!("[{when: rollout.status.phase == 'Degraded', send: [t]}]");
    let rollout = rollout(subscribed(), json!({"phase": "Degraded"}));
    let watch = Watch::begin(&engine(data).unwrap(), &Store::new(), NOW, &rollout).unwrap();
    assert_eq!(watch.notices.len(), 1);
}

fn memory_after(watch: Watch, delivered: &[bool]) -> Option<Value> {
    match watch.settle(delivered)? {
        Effect::Patch { patch: Patch::Merge(patch), .. } => {
            Some(patch["metadata"]["annotations"]["notified.notifications.argoproj.io"].clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_delivered_is_remembered_under_upstreams_key() {
    let mut data = with("message: hi");
    data["trigger.on-rollout-aborted"] =
        json!("[{when: rollout.status.phase == 'Degraded', oncePer: rollout.metadata.name, send: [t]}]");
    let engine = engine(data).unwrap();
    let degraded = rollout(subscribed(), json!({"phase": "Degraded"}));
    let look = |rollout: &Object| Watch::begin(&engine, &Store::new(), NOW, rollout).unwrap();
    let memory = memory_after(look(&degraded), &[true]).unwrap();
    let text = memory.as_str().unwrap();
    assert_eq!(text, "{\"app:on-rollout-aborted:[0].znepfVmnAvPuvsSa8G4jaiZ4500:ok:\":1767225600}");
    let mut annotations = subscribed();
    annotations["notified.notifications.argoproj.io"] = memory.clone();
    let again = look(&rollout(annotations, json!({"phase": "Degraded"})));
    assert_eq!(again.notices.len(), 0);
    assert_eq!(memory_after(again, &[]), None);
}

#[test]
fn what_was_lost_or_is_over_is_forgotten() {
    let mut data = with("message: hi");
    data["trigger.on-rollout-aborted"] = json!("[{when: rollout.status.phase == 'Degraded', send: [t]}]");
    let engine = engine(data).unwrap();
    let look = |rollout: &Object| Watch::begin(&engine, &Store::new(), NOW, rollout).unwrap();
    let degraded = rollout(subscribed(), json!({"phase": "Degraded"}));
    assert_eq!(memory_after(look(&degraded), &[false]), None);
    let memory = memory_after(look(&degraded), &[true]).unwrap();
    let mut annotations = subscribed();
    annotations["notified.notifications.argoproj.io"] = memory;
    let healthy = look(&rollout(annotations, json!({"phase": "Healthy"})));
    assert_eq!(memory_after(healthy, &[]), Some(Value::Null));
}

#[test]
fn entries_without_when_never_fire_on_a_mere_change() {
    let watch = Watch::begin(
        &engine(with("message: hi")).unwrap(),
        &Store::new(),
        NOW,
        &rollout(subscribed(), json!({})),
    );
    assert!(watch.unwrap().notices.is_empty());
    let nobody = rollout(json!({}), json!({}));
    assert!(Watch::begin(&engine(with("message: hi")).unwrap(), &Store::new(), NOW, &nobody).is_none());
}

#[test]
fn analysis_runs_are_those_of_hash_and_revision_newest_first() {
    let mut store = Store::with_namespaces(&["drill"]);
    let mut add = |second: u64, name: &str, hash: &str, revision: &str| {
        let meta = json!({"name": name, "namespace": "drill", "labels": {"rollouts-pod-template-hash": hash},
            "annotations": {"rollout.argoproj.io/revision": revision}});
        let at = NOW + std::time::Duration::from_secs(second);
        store.create(at, Kind::AnalysisRun, json!({"metadata": meta, "spec": {"metrics": []}})).unwrap();
    };
    add(1, "old", "h", "2");
    add(2, "new", "h", "2");
    add(3, "other-hash", "g", "2");
    add(4, "other-revision", "h", "1");
    let mut annotations = subscribed();
    annotations["rollout.argoproj.io/revision"] = json!("2");
    let rollout = rollout(annotations, json!({"currentPodHash": "h"}));
    let engine = engine(with("message: '{{range .analysisRuns}}{{.metadata.name}} {{end}}'")).unwrap();
    let sent = on_event(&engine, &store, NOW, &rollout, Kind::Rollout, "RolloutAborted").remove(0).unwrap();
    assert_eq!(sent.request.body, "new old ");
}

#[test]
fn the_ledger_does_not_keep_tokens() {
    let data = json!({"service.slack": "token: $t", "trigger.on-rollout-aborted": "[{send: [t]}]", "template.t": "message: hi"});
    let annotations = json!({"notifications.argoproj.io/subscribe.on-rollout-aborted.slack": "c"});
    let sent = tell(data, annotations).remove(0).unwrap();
    assert!(sent.request.body.contains("token=secret"));
    assert_eq!(Entry::of(&sent, NOW, 1, Some(200)).body, "channel=c&text=hi&token=*****");
}

#[test]
fn the_ledger_says_who_when_what_and_how_often() {
    let sent = tell(with("message: hi"), subscribed()).remove(0).unwrap();
    let entry = serde_json::to_value(Entry::of(&sent, NOW, 2, Some(500))).unwrap();
    let expect = json!({"at": "2026-01-01T00:00:00.000000Z", "attempt": 2, "service": "ok", "recipient": "",
        "trigger": "on-rollout-aborted", "url": "http://sink/x/", "status": 500, "body": "hi"});
    assert_eq!(entry, expect);
}

proptest::proptest! {
    #[test]
    fn no_template_panics(text in "(\\{\\{|\\}\\}|\\.rollout|\\.status| \\| |toJson|trunc|range|if|end|with|\\(|\\)|-?[0-9]{1,12}|\"|indent|repeat|substr|abbrev| |\\PC){0,40}") {
        let yaml = serde_saphyr::to_string(&json!({ "message": text })).unwrap();
        if let Ok(engine) = engine(with(&yaml)) {
            let _ = on_event(&engine, &Store::new(), NOW, &rollout(subscribed(), json!({})), Kind::Rollout, "RolloutAborted");
        }
    }

    #[test]
    fn no_reason_panics(reason in "\\PC*") {
        let _ = trigger_of(&reason);
    }
}

//! Server-side apply through the store, one rule a test.

use serde_json::{Value, json};

use super::super::{ApiError, Key, Kind, Object, Part, Patch, Store};
use super::{Applier, fields};
use crate::clock::Moment;

const NOW: Moment = Moment::VIRTUAL_EPOCH;

fn key(kind: Kind) -> Key {
    Key::new(kind, "default", "a")
}

fn by(manager: &str) -> Applier {
    Applier { manager: manager.to_owned(), force: false }
}

fn with(kind: Kind, mut config: Value) -> Value {
    config["apiVersion"] = json!(kind.info().api_version());
    config["kind"] = json!(kind.info().kind);
    for (field, value) in [("name", "a"), ("namespace", "default")] {
        config["metadata"][field] = json!(value);
    }
    config
}

fn apply(store: &mut Store, who: &Applier, kind: Kind, config: Value) -> Result<Object, ApiError> {
    store.apply(NOW, &key(kind), Part::Main, with(kind, config), who).map(|(object, _)| object)
}

fn deployment(containers: &Value) -> Value {
    json!({"spec": {
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": containers}},
    }})
}

fn managers(object: &Value) -> Vec<&str> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["manager"].as_str()).collect()
}

#[test]
fn the_first_apply_creates_and_owns() {
    let mut store = Store::new();
    let config = with(Kind::ConfigMap, json!({"data": {"x": "1"}}));
    let (object, is_new) =
        store.apply(NOW, &key(Kind::ConfigMap), Part::Main, config.clone(), &by("me")).expect("applied");
    assert!(is_new);
    let entry = &object["metadata"]["managedFields"][0];
    assert_eq!((&entry["manager"], &entry["operation"]), (&json!("me"), &json!("Apply")));
    assert_eq!(entry["fieldsV1"], json!({"f:data": {"f:x": {}}}));
    let version = store.version();
    let (_, is_new) =
        store.apply(NOW, &key(Kind::ConfigMap), Part::Main, config, &by("me")).expect("applied");
    assert!(!is_new);
    assert_eq!(store.version(), version, "the same again changes nothing");
}

#[test]
fn another_value_for_somebody_elses_field_is_a_conflict() {
    let mut store = Store::new();
    apply(&mut store, &by("me"), Kind::ConfigMap, json!({"data": {"x": "1", "y": "1"}})).expect("applied");
    let error =
        apply(&mut store, &by("you"), Kind::ConfigMap, json!({"data": {"x": "2"}})).expect_err("a conflict");
    assert_eq!((error.code, error.reason), (409, "Conflict"));
    assert_eq!(error.message, "Apply failed with 1 conflict: conflict with \"me\" using v1: .data.x");
    let both = json!({"data": {"x": "2", "y": "2"}});
    let error = apply(&mut store, &by("you"), Kind::ConfigMap, both).expect_err("two conflicts");
    assert_eq!(
        error.message,
        "Apply failed with 2 conflicts:\n- conflict with \"me\" using v1: .data.x\n- .data.y"
    );
}

#[test]
fn the_same_value_is_shared_and_force_takes_over() {
    let mut store = Store::new();
    apply(&mut store, &by("me"), Kind::ConfigMap, json!({"data": {"x": "1"}})).expect("applied");
    let shared = apply(&mut store, &by("you"), Kind::ConfigMap, json!({"data": {"x": "1"}})).expect("shared");
    assert_eq!(managers(&shared), ["me", "you"]);
    let forced = Applier { force: true, ..by("you") };
    let taken = apply(&mut store, &forced, Kind::ConfigMap, json!({"data": {"x": "2"}})).expect("taken");
    assert_eq!(managers(&taken), ["you"], "who owns nothing is not listed");
    assert_eq!(taken["data"]["x"], "2");
}

#[test]
fn what_is_no_longer_applied_goes_unless_somebody_else_owns_it() {
    let mut store = Store::new();
    let labels = json!({"metadata": {"labels": {"a": "b"}}, "data": {"x": "1", "y": "1"}});
    apply(&mut store, &by("me"), Kind::ConfigMap, labels).expect("applied");
    apply(&mut store, &by("you"), Kind::ConfigMap, json!({"data": {"y": "1"}})).expect("shared");
    let left = apply(&mut store, &by("me"), Kind::ConfigMap, json!({})).expect("applied");
    assert_eq!(left["data"], json!({"y": "1"}));
    assert_eq!(left["metadata"].get("labels"), None, "an object that is empty without it goes, too");
    assert_eq!(managers(&left), ["you"]);
}

#[test]
fn lists_that_are_maps_merge_by_their_keys() {
    let mut store = Store::new();
    let mine = json!([{"name": "app", "image": "a:1", "ports": [{"containerPort": 80}], "env": [{"name": "X", "value": "1"}]}]);
    apply(&mut store, &by("me"), Kind::Deployment, deployment(&mine)).expect("applied");
    let sidecar = json!({"spec": {"template": {"spec": {"containers": [{"name": "mesh", "image": "m:1"}]}}}});
    let both = apply(&mut store, &by("mesh"), Kind::Deployment, sidecar).expect("applied");
    let names = |object: &Value| {
        let containers = object["spec"]["template"]["spec"]["containers"].as_array().expect("a list").clone();
        containers.iter().map(|c| c["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&both), ["mesh", "app"], "the applied ones first");
    let mine = json!([{"name": "app", "image": "a:2", "ports": [{"containerPort": 80}]}]);
    let left = apply(&mut store, &by("me"), Kind::Deployment, deployment(&mine)).expect("applied");
    let app = &left["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&app["image"], app.get("env")), (&json!("a:2"), None));
    let mine = json!([{"name": "other", "image": "o:1"}]);
    let left = apply(&mut store, &by("me"), Kind::Deployment, deployment(&mine)).expect("applied");
    assert_eq!(names(&left), ["other", "mesh"]);
}

#[test]
fn a_label_selector_is_one_value() {
    let mut store = Store::new();
    let service = |selector: Value| json!({"spec": {"ports": [{"port": 80}], "selector": selector}});
    apply(&mut store, &by("me"), Kind::Service, service(json!({"app": "a"}))).expect("applied");
    let hash = Patch::Merge(json!({"spec": {"selector": {"hash": "x"}}}));
    store
        .writing_as("controller", |store| store.patch(NOW, &key(Kind::Service), Part::Main, &hash))
        .expect("patched");
    let error =
        apply(&mut store, &by("me"), Kind::Service, service(json!({"app": "a"}))).expect_err("a conflict");
    assert_eq!(
        error.message,
        "Apply failed with 1 conflict: conflict with \"controller\" using v1: .spec.selector"
    );
}

#[test]
fn writes_move_ownership_once_somebody_has_applied() {
    let mut store = Store::new();
    let merge = |store: &mut Store, patch: Value| {
        store
            .writing_as("writer", |store| {
                store.patch(NOW, &key(Kind::ConfigMap), Part::Main, &Patch::Merge(patch))
            })
            .expect("patched")
    };
    let config = with(Kind::ConfigMap, json!({"data": {"x": "1"}}));
    store.create(NOW, Kind::ConfigMap, config).expect("created");
    assert_eq!(managers(&merge(&mut store, json!({"data": {"y": "1"}}))), Vec::<&str>::new());
    let applied =
        apply(&mut store, &by("me"), Kind::ConfigMap, json!({"data": {"x": "1"}})).expect("applied");
    assert_eq!(managers(&applied), ["before-first-apply", "me"]);
    let written = merge(&mut store, json!({"data": {"x": "2", "y": null}}));
    assert_eq!(managers(&written), ["writer"], "it has changed the one and removed the other");
    assert_eq!(written["metadata"]["managedFields"][0]["fieldsV1"], json!({"f:data": {"f:x": {}}}));
}

#[test]
fn kubectl_takes_over_what_it_applied_on_its_own_side() {
    let mut store = Store::new();
    let last = r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"x":"1"}}"#;
    let annotations = json!({super::LAST_APPLIED: last});
    let config = with(
        Kind::ConfigMap,
        json!({"metadata": {"annotations": annotations}, "data": {"x": "1", "y": "1"}}),
    );
    store.create(NOW, Kind::ConfigMap, config).expect("created");
    assert_eq!(
        apply(&mut store, &by("me"), Kind::ConfigMap, json!({"data": {"x": "2"}}))
            .expect_err("a conflict")
            .code,
        409
    );
    apply(&mut store, &by("kubectl"), Kind::ConfigMap, json!({"data": {"x": "2"}})).expect("its own");
    let error = apply(&mut store, &by("kubectl"), Kind::ConfigMap, json!({"data": {"y": "2"}}))
        .expect_err("not its own");
    assert!(error.message.contains("before-first-apply"), "{}", error.message);
}

#[test]
fn a_status_is_applied_for_itself() {
    let mut store = Store::new();
    apply(
        &mut store,
        &by("me"),
        Kind::Service,
        json!({"spec": {"ports": [{"port": 80}]}, "status": {"x": "ignored"}}),
    )
    .expect("applied");
    let status = with(
        Kind::Service,
        json!({"spec": {"type": "NodePort"}, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}),
    );
    let (object, _) =
        store.apply(NOW, &key(Kind::Service), Part::Status, status, &by("lb")).expect("applied");
    assert_eq!(object["spec"]["type"], "ClusterIP");
    let entry = object["metadata"]["managedFields"]
        .as_array()
        .and_then(|entries| entries.last().cloned())
        .expect("an entry");
    assert_eq!((&entry["manager"], &entry["subresource"]), (&json!("lb"), &json!("status")));
}

#[test]
fn configurations_name_their_kind_and_no_owners() {
    let mut store = Store::new();
    let refused = |store: &mut Store, config: Value| {
        store.apply(NOW, &key(Kind::ConfigMap), Part::Main, config, &by("me")).expect_err("refused").code
    };
    assert_eq!(refused(&mut store, json!({"metadata": {"name": "a"}})), 400);
    assert_eq!(refused(&mut store, with(Kind::ConfigMap, json!({"metadata": {"managedFields": []}}))), 400);
}

#[test]
fn sets_of_fields_survive_being_written() {
    let written = json!({
        "f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {"v:\"x/y\"": {}}},
        "f:spec": {"f:list": {".": {}, "k:{\"name\":\"a\"}": {".": {}, "f:image": {}}, "k:{\"name\":\"b\"}": {}}},
    });
    assert_eq!(fields::write(&fields::read(&written)), written);
    assert_eq!(fields::read(&json!({"f:a": 1, "nonsense": {}})).len(), 2);
}

#[test]
fn long_lists_are_no_burden() {
    let ports = |from: u64, to: u64| -> Value {
        let port = |n: u64| json!({"name": format!("p{n}"), "port": n});
        json!({"spec": {"ports": (from..=to).map(port).collect::<Vec<_>>()}})
    };
    let mut store = Store::new();
    apply(&mut store, &by("me"), Kind::Service, ports(1, 20_000)).expect("applied");
    let left = apply(&mut store, &by("me"), Kind::Service, ports(10_001, 30_000)).expect("applied");
    assert_eq!(left["spec"]["ports"].as_array().map(Vec::len), Some(20_000));
    let error = apply(
        &mut store,
        &by("you"),
        Kind::Service,
        json!({"spec": {"ports": [{"name": "x", "port": 20_000}]}}),
    );
    assert!(error.is_err_and(|error| error.message.contains("[port=20000,protocol=\"TCP\"].name")));
}

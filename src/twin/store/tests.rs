//! The manners of an API server.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

const NOW: Moment = Moment::VIRTUAL_EPOCH;

/// A store with whatever a test starts from, in the namespace `default`.
struct World(Store);

impl World {
    fn new() -> World {
        World(Store::new())
    }

    fn create(&mut self, kind: Kind, name: &str, rest: Value) -> Result<Object, ApiError> {
        let mut object = rest;
        object["metadata"]["name"] = json!(name);
        if kind.info().namespaced {
            object["metadata"]["namespace"] = json!("default");
        }
        self.0.create(NOW, kind, object)
    }

    /// Creates what must work.
    fn with(&mut self, kind: Kind, name: &str, rest: Value) -> Object {
        self.create(kind, name, rest).expect("it can be created")
    }

    fn merge(&mut self, kind: Kind, name: &str, part: Part, patch: Value) -> Result<Object, ApiError> {
        self.0.patch(NOW, &key(kind, name), part, &Patch::Merge(patch))
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        self.0.list(kind, None).map(|(key, _)| key.name.to_string()).collect()
    }

    fn delete(&mut self, kind: Kind, name: &str, propagation: Propagation) {
        let options = DeleteOptions { propagation, ..DeleteOptions::default() };
        self.0.delete_with(NOW, &key(kind, name), &options).expect("it is there");
    }
}

fn key(kind: Kind, name: &str) -> Key {
    Key::new(kind, if kind.info().namespaced { "default" } else { "" }, name)
}

fn rollout() -> Value {
    json!({"spec": {"replicas": 1, "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "i:1"}]}}}})
}

fn replica_set() -> Value {
    rollout()
}

fn owned_by(owner: &Object) -> Value {
    let meta = &owner["metadata"];
    json!([{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"],
            "controller": true, "blockOwnerDeletion": true}])
}

fn with_owner(mut object: Value, owner: &Object) -> Value {
    object["metadata"]["ownerReferences"] = owned_by(owner);
    object
}

fn refused(result: Result<Object, ApiError>) -> (u16, String) {
    let error = result.expect_err("it must be refused");
    (error.code, error.message)
}

// --- creation

#[test]
fn the_server_writes_identity_and_time() {
    let mut world = World::new();
    let sent = json!({"metadata": {"uid": "mine", "generation": 9, "creationTimestamp": null, "managedFields": []},
                      "spec": rollout()["spec"], "status": {"phase": "Healthy"}});
    let object = world.with(Kind::Rollout, "a", sent);
    assert_eq!(object["metadata"]["generation"], 1);
    assert_ne!(object["metadata"]["uid"], "mine");
    assert_eq!(object["metadata"]["creationTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(object["metadata"]["resourceVersion"], world.0.version().to_string());
    assert_eq!(object.get("status"), None);
    assert_eq!(object["metadata"].get("managedFields"), None);
}

#[test]
fn names_are_generated_alike_in_every_run() {
    let name = || {
        let mut store = Store::new();
        let object =
            json!({"metadata": {"generateName": "run-", "namespace": "default"}, "spec": {"metrics": []}});
        let first = store.create(NOW, Kind::AnalysisRun, object.clone()).expect("created");
        let second = store.create(NOW, Kind::AnalysisRun, object).expect("created");
        assert_ne!(first["metadata"]["name"], second["metadata"]["name"]);
        text_at(&first, "/metadata/name").to_owned()
    };
    assert_eq!(name(), name());
    assert!(name().starts_with("run-") && name().len() == 9);
}

#[test]
fn what_cannot_be_created_is_refused_with_its_reason() {
    let mut world = World::new();
    world.with(Kind::ConfigMap, "there", json!({}));
    for (kind, name, rest, code, says) in [
        (Kind::ConfigMap, "there", json!({}), 409, "configmaps \"there\" already exists"),
        (Kind::ConfigMap, "Upper", json!({}), 422, "a lowercase RFC 1123 subdomain"),
        (Kind::Service, "1st", json!({"spec": {"ports": [{"port": 1}]}}), 422, "DNS-1035"),
        (Kind::ConfigMap, "", json!({}), 422, "name or generateName is required"),
        (Kind::ConfigMap, "a", json!({"metadata": {"resourceVersion": "7"}}), 400, "should not be set"),
        (
            Kind::ConfigMap,
            "a",
            json!({"data": {"a": 1}}),
            400,
            "ConfigMap in version \"v1\" cannot be handled",
        ),
        (Kind::ConfigMap, "a", json!({"metadata": {"labels": {"a": "x y"}}}), 422, "a valid label"),
        (
            Kind::Service,
            "a",
            json!({"spec": {}}),
            422,
            "Service \"a\" is invalid: spec.ports: Required value",
        ),
        (
            Kind::Rollout,
            "a",
            json!({"spec": {"replicas": "two"}}),
            422,
            "Rollout.argoproj.io \"a\" is invalid: spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer: \"string\"",
        ),
        (Kind::ReplicaSet, "a", json!({"spec": "x"}), 400, "spec in body must be of type object"),
        (Kind::Deployment, "a", json!({}), 422, "spec.selector: Required value"),
    ] {
        let (is, message) = refused(world.create(kind, name, rest));
        assert_eq!(is, code, "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn a_namespace_must_be_there() {
    let object = json!({"metadata": {"name": "a", "namespace": "prod"}});
    let refusal = refused(Store::new().create(NOW, Kind::ConfigMap, object));
    assert_eq!(refusal, (404, "namespaces \"prod\" not found".into()));
}

#[test]
fn built_in_kinds_get_their_defaults() {
    let mut world = World::new();
    let service = world.with(Kind::Service, "s", json!({"spec": {"ports": [{"port": 80}]}}));
    assert_eq!(service["spec"]["ports"], json!([{"port": 80, "protocol": "TCP", "targetPort": 80}]));
    assert_eq!(service["spec"]["type"], "ClusterIP");
    assert!(text_at(&service, "/spec/clusterIP").starts_with("10.96."));
    let mut set = replica_set();
    set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = json!({"httpGet": {"port": 1}});
    set["spec"].as_object_mut().expect("an object").remove("replicas");
    let set = world.with(Kind::ReplicaSet, "r", set);
    assert_eq!(set["spec"]["replicas"], 1);
    let pod = &set["spec"]["template"]["spec"];
    assert_eq!((&pod["restartPolicy"], &pod["dnsPolicy"]), (&json!("Always"), &json!("ClusterFirst")));
    assert_eq!(pod["terminationGracePeriodSeconds"], 30);
    assert_eq!(
        pod["containers"][0]["readinessProbe"],
        json!({"failureThreshold": 3, "httpGet": {"path": "/", "port": 1, "scheme": "HTTP"}, "periodSeconds": 10,
               "successThreshold": 1, "timeoutSeconds": 1})
    );
    assert_eq!(pod["containers"][0]["imagePullPolicy"], "IfNotPresent");
    let secret = world.with(Kind::Secret, "x", json!({"stringData": {"token": "abc"}}));
    assert_eq!((&secret["data"]["token"], secret.get("stringData")), (&json!("YWJj"), None));
}

#[test]
fn a_misspelt_field_is_dropped_on_the_way_in() {
    let mut sent = rollout();
    sent["spec"]["strateggy"] = json!({"canary": {}});
    let object = World::new().with(Kind::Rollout, "a", sent);
    assert_eq!(object["spec"].get("strateggy"), None);
}

// --- change

#[test]
fn status_is_another_part_than_the_rest() {
    let mut world = World::new();
    world.with(Kind::Rollout, "a", rollout());
    let both = json!({"spec": {"replicas": 3}, "status": {"phase": "Healthy"}});
    let main = world.merge(Kind::Rollout, "a", Part::Main, both.clone()).expect("patched");
    assert_eq!((&main["spec"]["replicas"], main.get("status")), (&json!(3), None));
    let status = world.merge(
        Kind::Rollout,
        "a",
        Part::Status,
        json!({"spec": {"replicas": 9}, "status": {"phase": "Healthy"}}),
    );
    let status = status.expect("patched");
    assert_eq!((&status["spec"]["replicas"], &status["status"]["phase"]), (&json!(3), &json!("Healthy")));
}

#[test]
fn generations_count_what_a_controller_must_see() {
    let mut world = World::new();
    world.with(Kind::Rollout, "r", rollout());
    world.with(Kind::AnalysisRun, "a", json!({"spec": {"metrics": []}}));
    let mut generation = |kind, name, part, patch| {
        world.merge(kind, name, part, patch).expect("patched")["metadata"]["generation"].clone()
    };
    assert_eq!(generation(Kind::Rollout, "r", Part::Main, json!({"metadata": {"labels": {"a": "b"}}})), 1);
    assert_eq!(generation(Kind::Rollout, "r", Part::Status, json!({"status": {"phase": "Paused"}})), 1);
    assert_eq!(generation(Kind::Rollout, "r", Part::Main, json!({"spec": {"replicas": 2}})), 2);
    // No status subresource, so its status counts.
    assert_eq!(generation(Kind::AnalysisRun, "a", Part::Main, json!({"status": {"phase": "Running"}})), 2);
    assert_eq!(
        generation(Kind::AnalysisRun, "a", Part::Main, json!({"metadata": {"labels": {"a": "b"}}})),
        2
    );
}

#[test]
fn a_kind_without_a_subresource_has_none() {
    let mut world = World::new();
    world.with(Kind::AnalysisRun, "a", json!({"spec": {"metrics": []}}));
    assert_eq!(refused(world.merge(Kind::AnalysisRun, "a", Part::Status, json!({}))).0, 404);
    assert_eq!(refused(world.merge(Kind::AnalysisRun, "a", Part::Scale, json!({}))).0, 404);
}

#[test]
fn a_write_that_changes_nothing_is_no_change() {
    let mut world = World::new();
    world.with(Kind::Rollout, "a", rollout());
    let version = world.0.version();
    world.merge(Kind::Rollout, "a", Part::Main, json!({"spec": {"replicas": 1}})).expect("patched");
    assert_eq!(world.0.version(), version);
}

#[test]
fn a_stale_write_is_refused() {
    let mut world = World::new();
    let first = world.with(Kind::ConfigMap, "a", json!({"data": {"a": "1"}}));
    world.merge(Kind::ConfigMap, "a", Part::Main, json!({"data": {"a": "2"}})).expect("patched");
    let stale = world.0.update(NOW, Kind::ConfigMap, Part::Main, (*first).clone());
    let (code, message) = refused(stale);
    assert_eq!(code, 409);
    assert!(
        message.contains("the object has been modified; please apply your changes to the latest version")
    );
    let mut blind = (*first).clone();
    blind["metadata"].as_object_mut().expect("an object").remove("resourceVersion");
    assert!(world.0.update(NOW, Kind::ConfigMap, Part::Main, blind).is_ok());
}

#[test]
fn what_must_not_change_does_not() {
    let mut world = World::new();
    world.with(Kind::Rollout, "r", rollout());
    world.with(Kind::ReplicaSet, "rs", replica_set());
    world.with(Kind::Service, "s", json!({"spec": {"ports": [{"port": 80}], "selector": {"app": "a"}}}));
    let other = json!({"spec": {"selector": {"matchLabels": {"app": "b"}}}});
    let (code, message) = refused(world.merge(Kind::Rollout, "r", Part::Main, other.clone()));
    assert_eq!(
        (code, message.as_str()),
        (
            422,
            "Rollout.argoproj.io \"r\" is invalid: spec.selector: Invalid value: .spec.selector is immutable"
        )
    );
    assert!(refused(world.merge(Kind::ReplicaSet, "rs", Part::Main, other)).1.contains("field is immutable"));
    let moved = json!({"spec": {"clusterIP": "10.1.1.1"}});
    assert!(
        refused(world.merge(Kind::Service, "s", Part::Main, moved)).1.contains("may not change once set")
    );
    let cleared =
        world.merge(Kind::Service, "s", Part::Main, json!({"spec": {"clusterIP": null}})).expect("kept");
    assert!(text_at(&cleared, "/spec/clusterIP").starts_with("10.96."));
}

#[test]
fn custom_resources_take_no_strategic_patch() {
    let mut world = World::new();
    world.with(Kind::Rollout, "r", rollout());
    world.with(
        Kind::Service,
        "s",
        json!({"spec": {"ports": [{"port": 80}], "selector": {"app": "a", "old": "1"}}}),
    );
    let patch = Patch::Strategic(json!({"spec": {"selector": {"hash": "1", "old": null}}}));
    assert_eq!(refused(world.0.patch(NOW, &key(Kind::Rollout, "r"), Part::Main, &patch)).0, 415);
    let service = world.0.patch(NOW, &key(Kind::Service, "s"), Part::Main, &patch).expect("patched");
    assert_eq!(service["spec"]["selector"], json!({"app": "a", "hash": "1"}));
}

#[test]
fn scale_reads_and_writes_replicas() {
    let mut world = World::new();
    let created = world.with(Kind::ReplicaSet, "a", replica_set());
    let scale = scale_of(Kind::ReplicaSet, &created).expect("it has one");
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["selector"]), (&json!(1), &json!("app=a")));
    let after =
        world.merge(Kind::ReplicaSet, "a", Part::Scale, json!({"spec": {"replicas": 4}})).expect("scaled");
    assert_eq!((&after["spec"]["replicas"], &after["metadata"]["generation"]), (&json!(4), &json!(2)));
    assert_eq!(
        refused(world.merge(Kind::ReplicaSet, "a", Part::Scale, json!({"spec": {"replicas": -1}}))).0,
        422
    );
    assert_eq!(
        refused(world.merge(Kind::ReplicaSet, "a", Part::Scale, json!({"spec": {"replicas": "x"}}))).0,
        400
    );
    let put = json!({"metadata": {"name": "a", "namespace": "default"}, "spec": {"replicas": 2}});
    assert_eq!(
        world.0.update(NOW, Kind::ReplicaSet, Part::Scale, put).expect("scaled")["spec"]["replicas"],
        2
    );
}

#[test]
fn patches_cannot_break_an_object() {
    let mut world = World::new();
    world.with(Kind::ReplicaSet, "a", replica_set());
    for (path, value) in [
        ("", json!(1)),
        ("/metadata", json!("x")),
        ("/spec", json!([])),
        ("/status", json!(1)),
        ("/spec/template", json!(7)),
    ] {
        let patch = Patch::Json(json!([{"op": "replace", "path": path, "value": value}]));
        for part in [Part::Main, Part::Status, Part::Scale] {
            let _ = world.0.patch(NOW, &key(Kind::ReplicaSet, "a"), part, &patch);
        }
    }
    let object = world.0.get(&key(Kind::ReplicaSet, "a")).expect("still there");
    assert_eq!(object["spec"]["selector"], json!({"matchLabels": {"app": "a"}}));
}

// --- deletion

#[test]
fn finalizers_hold_an_object_until_they_are_gone() {
    let mut world = World::new();
    world.with(Kind::ConfigMap, "a", json!({"metadata": {"finalizers": ["x/y"]}}));
    world.delete(Kind::ConfigMap, "a", Propagation::Background);
    let held = world.0.get(&key(Kind::ConfigMap, "a")).expect("held").clone();
    assert_eq!(held["metadata"]["deletionTimestamp"], "2026-01-01T00:00:00Z");
    let more = json!({"metadata": {"finalizers": ["x/y", "new"]}});
    assert_eq!(refused(world.merge(Kind::ConfigMap, "a", Part::Main, more)).0, 422);
    world
        .merge(Kind::ConfigMap, "a", Part::Main, json!({"metadata": {"finalizers": null}}))
        .expect("released");
    assert_eq!(world.0.get(&key(Kind::ConfigMap, "a")), None);
}

/// A Rollout, its ReplicaSet, and a pod of it.
fn family() -> World {
    let mut world = World::new();
    let rollout = world.with(Kind::Rollout, "a", rollout());
    let set = world.with(Kind::ReplicaSet, "a-1", with_owner(replica_set(), &rollout));
    world.with(
        Kind::Pod,
        "a-1-x",
        with_owner(json!({"spec": {"containers": [{"name": "a", "image": "i"}]}}), &set),
    );
    world
}

#[test]
fn dependents_go_with_their_owner() {
    for propagation in [Propagation::Background, Propagation::Foreground] {
        let mut world = family();
        let before = world.0.version();
        world.delete(Kind::Rollout, "a", propagation);
        let left = [Kind::Rollout, Kind::ReplicaSet, Kind::Pod].map(|kind| world.names(kind).len());
        assert_eq!(left, [0, 0, 0], "{propagation:?}");
        let removed = world.0.changes_after(before).expect("recent").filter(|change| change.new.is_none());
        let order: Vec<Kind> = removed.map(|change| change.key.kind).collect();
        let owner_first = [Kind::Rollout, Kind::ReplicaSet, Kind::Pod];
        let owner_last = [Kind::Pod, Kind::ReplicaSet, Kind::Rollout];
        assert_eq!(order, if propagation == Propagation::Background { owner_first } else { owner_last });
    }
}

#[test]
fn orphans_stay_without_an_owner() {
    let mut world = family();
    world.delete(Kind::Rollout, "a", Propagation::Orphan);
    assert_eq!(world.names(Kind::ReplicaSet), ["a-1"]);
    let set = world.0.get(&key(Kind::ReplicaSet, "a-1")).expect("it stays");
    assert_eq!(set["metadata"].get("ownerReferences"), None);
}

#[test]
fn a_dependent_with_another_living_owner_stays() {
    let mut world = World::new();
    let (a, b) = (world.with(Kind::ConfigMap, "a", json!({})), world.with(Kind::ConfigMap, "b", json!({})));
    let mut owners = owned_by(&a).as_array().expect("a list").clone();
    owners.extend(owned_by(&b).as_array().expect("a list").clone());
    world.with(Kind::Secret, "s", json!({"metadata": {"ownerReferences": owners}}));
    world.delete(Kind::ConfigMap, "a", Propagation::Background);
    let left = world.0.get(&key(Kind::Secret, "s")).expect("it stays");
    assert_eq!(left["metadata"]["ownerReferences"], owned_by(&b));
    world.delete(Kind::ConfigMap, "b", Propagation::Background);
    assert_eq!(world.names(Kind::Secret), Vec::<String>::new());
}

#[test]
fn a_running_pod_gets_time_to_stop() {
    let mut world = World::new();
    let pod = json!({"spec": {"nodeName": "n", "terminationGracePeriodSeconds": 7, "containers": []}});
    world.with(Kind::Pod, "p", pod);
    world.delete(Kind::Pod, "p", Propagation::Background);
    let stopping = world.0.get(&key(Kind::Pod, "p")).expect("it stops").clone();
    assert_eq!(stopping["metadata"]["deletionTimestamp"], "2026-01-01T00:00:07Z");
    assert_eq!(stopping["metadata"]["deletionGracePeriodSeconds"], 7);
    world.0.delete(NOW, &key(Kind::Pod, "p")).expect("the kubelet is done");
    assert_eq!(world.names(Kind::Pod), Vec::<String>::new());
}

#[test]
fn preconditions_protect_another_object_of_the_same_name() {
    let mut world = World::new();
    world.with(Kind::ConfigMap, "a", json!({}));
    let options = DeleteOptions { uid: Some("other".into()), ..DeleteOptions::default() };
    assert_eq!(refused(world.0.delete_with(NOW, &key(Kind::ConfigMap, "a"), &options)).0, 409);
    let options = DeleteOptions { version: Some("1".into()), ..DeleteOptions::default() };
    assert_eq!(refused(world.0.delete_with(NOW, &key(Kind::ConfigMap, "a"), &options)).0, 409);
}

#[test]
fn a_namespace_takes_its_content_along() {
    let mut world = World::new();
    world.with(Kind::Namespace, "prod", json!({}));
    let held = json!({"metadata": {"name": "held", "namespace": "prod", "finalizers": ["x/y"]}});
    let free = json!({"metadata": {"name": "free", "namespace": "prod"}});
    for object in [held, free.clone()] {
        world.0.create(NOW, Kind::ConfigMap, object).expect("created");
    }
    world.delete(Kind::Namespace, "prod", Propagation::Background);
    assert_eq!(world.0.get(&key(Kind::Namespace, "prod")).expect("waits")["status"]["phase"], "Terminating");
    assert_eq!(world.names(Kind::ConfigMap), ["held"]);
    assert_eq!(refused(world.0.create(NOW, Kind::ConfigMap, free)).0, 403);
    let release = Patch::Merge(json!({"metadata": {"finalizers": []}}));
    world.0.patch(NOW, &Key::new(Kind::ConfigMap, "prod", "held"), Part::Main, &release).expect("released");
    assert_eq!(world.0.get(&key(Kind::Namespace, "prod")), None);
    assert_eq!(refused(world.0.delete(NOW, &key(Kind::Namespace, "default"))).0, 403);
}

// --- history

#[test]
fn the_history_is_bounded_and_says_so() {
    let mut world = World::new();
    world.with(Kind::ConfigMap, "a", json!({}));
    let early = world.0.version();
    for n in 0..HISTORY {
        world
            .merge(Kind::ConfigMap, "a", Part::Main, json!({"data": {"n": n.to_string()}}))
            .expect("patched");
    }
    assert!(world.0.changes_after(early).is_ok());
    world.merge(Kind::ConfigMap, "a", Part::Main, json!({"data": {"n": "last"}})).expect("patched");
    assert!(world.0.changes_after(early).is_err());
    assert_eq!(world.0.history.len(), HISTORY);
}

#[test]
fn a_list_can_look_back() {
    let mut world = World::new();
    world.with(Kind::ConfigMap, "a", json!({"data": {"n": "1"}}));
    world.with(Kind::ConfigMap, "b", json!({}));
    let then = world.0.version();
    world.merge(Kind::ConfigMap, "a", Part::Main, json!({"data": {"n": "2"}})).expect("patched");
    world.delete(Kind::ConfigMap, "b", Propagation::Background);
    world.with(Kind::ConfigMap, "c", json!({}));
    let names = |version| {
        let objects = world.0.list_at(Kind::ConfigMap, Some("default"), version).expect("recent");
        objects.iter().map(|object| text_at(object, "/metadata/name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(then), ["a", "b"]);
    assert_eq!(names(world.0.version()), ["a", "c"]);
    assert_eq!(world.0.list_at(Kind::ConfigMap, None, then).expect("recent")[0]["data"]["n"], "1");
}

#[test]
fn events_are_forgotten_after_an_hour() {
    let mut world = World::new();
    world.with(Kind::Event, "old", json!({"lastTimestamp": NOW.rfc3339()}));
    world.with(Kind::Event, "new", json!({"lastTimestamp": (NOW + Duration::from_secs(60)).rfc3339()}));
    world.0.expire(NOW + Duration::from_secs(3601));
    assert_eq!(world.names(Kind::Event), ["new"]);
}

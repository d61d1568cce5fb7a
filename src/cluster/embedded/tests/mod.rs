//! The rim as its clients see it: kube-rs over the router, and raw requests for what kube-rs never sends.

mod any_request;
mod documents;

use std::sync::Arc;

use std::time::Duration;

use axum::body::Body;
use futures::{StreamExt, TryStreamExt};
use http::Request;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::watcher;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::twin::store::{Key, Kind, Part, Patch as StorePatch};

/// A store, a clock that somebody else moves, and one Service that answers.
struct TestHost {
    now: Moment,
    store: Store,
    settled: usize,
}

impl Host for TestHost {
    fn now(&self) -> Moment {
        self.now
    }
    fn store(&self) -> &Store {
        &self.store
    }
    fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }
    fn settle(&mut self) {
        self.settled += 1;
    }
    fn proxy(&mut self, request: ProxyRequest) -> Option<Reply> {
        let body = format!("{} {} {} {:?}", request.method, request.path, request.query, request.port);
        (request.service == "prometheus").then(|| Reply {
            status: StatusCode::OK,
            content_type: "text/plain".into(),
            body: body.into(),
        })
    }
}

fn world() -> World<TestHost> {
    World::new(TestHost { now: Moment::VIRTUAL_EPOCH, store: Store::new(), settled: 0 })
}

fn client(world: &World<TestHost>) -> kube::Client {
    kube::Client::new(world.router(), "default")
}

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(
        json!({"metadata": {"name": name, "labels": {"of": value}}, "data": {"key": value}}),
    )
    .expect("a ConfigMap")
}

fn rollouts(client: kube::Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout");
    Api::namespaced_with(client, "default", &ApiResource::from_gvk_with_plural(&kind, "rollouts"))
}

fn rollout(name: &str) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "strategy": {"blueGreen": {"activeService": "a"}}},
    }))
    .expect("a Rollout")
}

/// One raw request: status and JSON (or null).
async fn raw(world: &World<TestHost>, method: &str, uri: &str, media: &str, body: &str) -> (u16, Value) {
    let (status, bytes) = send(world, method, uri, &[("content-type", media)], body.to_owned().into()).await;
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn send(
    world: &World<TestHost>,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> (u16, Bytes) {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = world.router().oneshot(request.body(body).expect("a request")).await.expect("infallible");
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.expect("a body").to_bytes())
}

async fn get(world: &World<TestHost>, uri: &str) -> (u16, Value) {
    raw(world, "GET", uri, "application/json", "").await
}

fn code(error: &kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("no answer: {other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn typed_objects_live_and_die() {
    let world = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client(&world));
    let created = api.create(&PostParams::default(), &config_map("a", "1")).await.expect("created");
    assert_eq!(created.metadata.namespace.as_deref(), Some("default"));
    let mut changed = api.get("a").await.expect("found");
    changed.data.get_or_insert_default().insert("more".into(), "2".into());
    let replaced = api.replace("a", &PostParams::default(), &changed).await.expect("replaced");
    assert_ne!(replaced.metadata.resource_version, created.metadata.resource_version);
    let stale = api.replace("a", &PostParams::default(), &changed).await.expect_err("stale");
    assert_eq!(code(&stale), 409);
    let patch = Patch::Strategic(json!({"data": {"key": null}}));
    let patched = api.patch("a", &PatchParams::default(), &patch).await.expect("patched");
    assert_eq!(patched.data.expect("data").len(), 1);
    assert!(api.delete("a", &DeleteParams::default()).await.expect("deleted").is_right());
    assert!(api.get_opt("a").await.expect("an answer").is_none());
    assert_eq!(code(&api.delete("a", &DeleteParams::default()).await.expect_err("gone")), 404);
    assert_eq!(world.lock().settled, 4);
}

#[tokio::test(start_paused = true)]
async fn custom_objects_have_status_and_scale() {
    let world = world();
    let api = rollouts(client(&world));
    api.create(&PostParams::default(), &rollout("a")).await.expect("created");
    let patch = Patch::Merge(json!({"status": {"phase": "Healthy", "HPAReplicas": 2, "selector": "app=a"}}));
    let patched = api.patch_status("a", &PatchParams::default(), &patch).await.expect("patched");
    assert_eq!(patched.data["status"]["phase"], "Healthy");
    let scale = api.get_scale("a").await.expect("it scales");
    assert_eq!(scale.status.expect("a status").selector.as_deref(), Some("app=a"));
    let patch = Patch::Merge(json!({"spec": {"replicas": 5}}));
    api.patch_scale("a", &PatchParams::default(), &patch).await.expect("scaled");
    assert_eq!(api.get("a").await.expect("found").data["spec"]["replicas"], 5);
    let strategic = Patch::Strategic(json!({"spec": {"replicas": 1}}));
    let refused = api.patch("a", &PatchParams::default(), &strategic).await.expect_err("custom");
    assert_eq!(code(&refused), 415);
}

#[tokio::test(start_paused = true)]
async fn lists_are_selected_and_paged() {
    let world = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client(&world));
    for (name, value) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "x")] {
        api.create(&PostParams::default(), &config_map(name, value)).await.expect("created");
    }
    let names = |list: &kube::core::ObjectList<ConfigMap>| {
        list.items.iter().filter_map(|map| map.metadata.name.clone()).collect::<Vec<_>>().join(",")
    };
    let by_label = ListParams::default().labels("of in (x)");
    assert_eq!(names(&api.list(&by_label).await.expect("a list")), "a,c,d");
    let by_field = ListParams::default().fields("metadata.name=b");
    assert_eq!(names(&api.list(&by_field).await.expect("a list")), "b");
    let page = ListParams::default().labels("of=x").limit(2);
    let first = api.list(&page).await.expect("a page");
    assert_eq!((names(&first).as_str(), first.metadata.remaining_item_count), ("a,c", Some(1)));
    // What happens between two pages is not seen: a list is of one version.
    api.create(&PostParams::default(), &config_map("e", "x")).await.expect("created");
    let rest = page.continue_token(&first.metadata.continue_.expect("a token"));
    assert_eq!(names(&api.list(&rest).await.expect("the rest")), "d");
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_what_happens_in_order() {
    let world = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client(&world));
    api.create(&PostParams::default(), &config_map("a", "x")).await.expect("created");
    let version =
        api.list(&ListParams::default()).await.expect("a list").metadata.resource_version.expect("a version");
    let watch =
        api.watch(&WatchParams::default().labels("of=x").timeout(10), &version).await.expect("a watch");
    for value in ["y", "x", "x"] {
        let patch = Patch::Merge(json!({"metadata": {"labels": {"of": value}}, "data": {"key": value}}));
        api.patch("a", &PatchParams::default(), &patch).await.expect("patched");
    }
    api.create(&PostParams::default(), &config_map("b", "x")).await.expect("created");
    api.delete("b", &DeleteParams::default()).await.expect("deleted");
    let events: Vec<WatchEvent<ConfigMap>> = watch.try_collect().await.expect("it ends by its timeout");
    let told: Vec<&str> = events
        .iter()
        .map(|event| match event {
            WatchEvent::Added(_) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            WatchEvent::Bookmark(_) => "bookmark",
            WatchEvent::Error(_) => "error",
        })
        .collect();
    // It leaves the selection, comes back, is unchanged once; then the other one comes and goes.
    assert_eq!(told, ["deleted", "added", "added", "deleted"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_sends_bookmarks_while_nothing_happens() {
    let world = world();
    let watch = "/api/v1/namespaces/default/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=150&resourceVersion=";
    let version = world.lock().store().version();
    let (status, bytes) = send(&world, "GET", &format!("{watch}{version}"), &[], Body::empty()).await;
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    assert_eq!((status, text.lines().count()), (200, 2));
    assert!(
        text.lines()
            .all(|line| line.starts_with("{\"type\":\"BOOKMARK\"") && line.contains("\"kind\":\"Pod\""))
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_nowhere_begins_with_what_is_there() {
    let world = world();
    let (_, bytes) =
        send(&world, "GET", "/api/v1/namespaces?watch=1&timeoutSeconds=1", &[], Body::empty()).await;
    assert_eq!(String::from_utf8_lossy(&bytes).matches("\"type\":\"ADDED\"").count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_the_forgotten_past_is_gone() {
    let world = world();
    world.act(age_history);
    let uri = "/api/v1/configmaps?watch=true&resourceVersion=5";
    let (status, line) = get(&world, uri).await;
    assert_eq!((status, &line["type"], &line["object"]["code"]), (200, &json!("ERROR"), &json!(410)));
    let (status, answer) =
        get(&world, "/api/v1/configmaps?resourceVersion=5&resourceVersionMatch=Exact").await;
    assert_eq!((status, &answer["reason"]), (410, &json!("Expired")));
}

/// So many changes that the first ones are forgotten.
fn age_history(host: &mut TestHost) {
    let now = host.now;
    let object = json!({"metadata": {"name": "busy", "namespace": "default"}});
    host.store.create(now, Kind::ConfigMap, object).expect("created");
    let key = Key::new(Kind::ConfigMap, "default", "busy");
    for n in 0..2100 {
        let patch = StorePatch::Merge(json!({"data": {"n": n.to_string()}}));
        host.store.patch(now, &key, Part::Main, &patch).expect("patched");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_recovers_from_a_gap_by_listing_again() {
    let world = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client(&world));
    api.create(&PostParams::default(), &config_map("a", "1")).await.expect("created");
    let mut events = Box::pin(watcher(api.clone(), watcher::Config::default()));
    let mut seen = vec![];
    while !matches!(seen.last(), Some(watcher::Event::InitDone)) {
        seen.push(events.next().await.expect("more").expect("an event"));
    }
    // The watcher sleeps over more changes than the store remembers.
    world.act(age_history);
    let mut restarted = false;
    for _ in 0..10 {
        match events.next().await.expect("more") {
            Ok(watcher::Event::Init) => restarted = true,
            Ok(watcher::Event::InitApply(map))
                if restarted && map.metadata.name.as_deref() == Some("busy") =>
            {
                assert_eq!(map.data.expect("data")["n"], "2099");
                return;
            }
            _ => {}
        }
    }
    panic!("it never listed again (restarted: {restarted})");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_watch_leaves_nothing_behind() {
    let world = world();
    let api: Api<Pod> = Api::default_namespaced(client(&world));
    let watch = api.watch(&WatchParams::default(), "0").await.expect("a watch");
    assert_eq!(Arc::strong_count(&world.inner.signal), 2);
    drop(watch);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(Arc::strong_count(&world.inner.signal), 1);
}

#[tokio::test(start_paused = true)]
async fn discovery_finds_every_kind() {
    let world = world();
    let found = kube::Discovery::new(client(&world)).run().await.expect("discovered");
    for kind in Kind::ALL {
        let info = kind.info();
        let (resource, _) =
            found.resolve_gvk(&GroupVersionKind::gvk(info.group, info.version, info.kind)).expect(info.kind);
        assert_eq!(resource.plural, info.plural);
    }
    assert_eq!(client(&world).apiserver_version().await.expect("a version").minor, "34");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing() {
    let world = world();
    let version = world.lock().store().version();
    let api: Api<Service> = Api::default_namespaced(client(&world));
    let service =
        serde_json::from_value(json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}))
            .expect("a Service");
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let dry = api.create(&params, &service).await.expect("it would work");
    assert!(dry.spec.expect("a spec").cluster_ip.is_some());
    let host = world.lock();
    assert_eq!((host.store().version(), host.settled), (version, 0));
}

#[tokio::test(start_paused = true)]
async fn collections_are_deleted_as_selected() {
    let world = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client(&world));
    for (name, value) in [("a", "x"), ("b", "y"), ("c", "x")] {
        api.create(&PostParams::default(), &config_map(name, value)).await.expect("created");
    }
    api.delete_collection(&DeleteParams::default(), &ListParams::default().labels("of=x"))
        .await
        .expect("deleted");
    let left = api.list(&ListParams::default()).await.expect("a list");
    assert_eq!(left.items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_can_be_evicted() {
    let world = world();
    let api: Api<Pod> = Api::default_namespaced(client(&world));
    let pod = serde_json::from_value(
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i"}]}}),
    );
    api.create(&PostParams::default(), &pod.expect("a Pod")).await.expect("created");
    api.evict("p", &Default::default()).await.expect("evicted");
    assert!(api.get_opt("p").await.expect("an answer").is_none());
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_are_warned_of_or_refused() {
    let world = world();
    let body = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},
                      "spec": {"selectr": {}, "ports": [{"port": 80}]}});
    let uri = "/api/v1/namespaces/default/services";
    let (status, answer) =
        raw(&world, "POST", &format!("{uri}?fieldValidation=Strict"), "application/json", &body.to_string())
            .await;
    assert_eq!(status, 400);
    assert_eq!(
        answer["message"],
        "Service in version \"v1\" cannot be handled as a Service: strict decoding error: unknown field \"spec.selectr\""
    );
    let request =
        Request::post(uri).header("content-type", "application/json").body(Body::from(body.to_string()));
    let response = world.router().oneshot(request.expect("a request")).await.expect("infallible");
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["warning"], "299 - \"unknown field \\\"spec.selectr\\\"\"");
}

#[tokio::test(start_paused = true)]
async fn tables_are_what_kubectl_prints() {
    let world = world();
    let api = rollouts(client(&world));
    api.create(&PostParams::default(), &rollout("a")).await.expect("created");
    world.act(|host| host.now = host.now + Duration::from_secs(90));
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")];
    let uri = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts";
    let (status, bytes) = send(&world, "GET", uri, &accept, Body::empty()).await;
    let table: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!((status, &table["kind"]), (200, &json!("Table")));
    assert_eq!(table["rows"][0]["cells"], json!(["a", 2, null, null, null, "90s"]));
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    for kind in Kind::ALL {
        let info = kind.info();
        let prefix = if info.group.is_empty() { "api".into() } else { format!("apis/{}", info.group) };
        let uri = format!("/{prefix}/{}/{}", info.version, info.plural);
        let (status, bytes) = send(&world, "GET", &uri, &accept, Body::empty()).await;
        assert_eq!(status, 200, "{uri}");
        let table: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert!(table["columnDefinitions"].as_array().is_some_and(|columns| columns.len() > 1), "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn services_are_reached_through_the_server() {
    let world = world();
    let uri = "/api/v1/namespaces/default/services/prometheus:9090/proxy/api/v1/query?query=up%20";
    let (status, bytes) = send(&world, "GET", uri, &[], Body::empty()).await;
    assert_eq!((status, &bytes[..]), (200, &b"GET /api/v1/query query=up%20 Some(\"9090\")"[..]));
    let (status, answer) = get(&world, "/api/v1/namespaces/default/services/other/proxy/").await;
    assert_eq!((status, &answer["message"]), (503, &json!("no endpoints available for service \"other\"")));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_statuses() {
    let world = world();
    let big = "x".repeat(3 * 1024 * 1024 + 1);
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let maps = "/api/v1/namespaces/default/configmaps";
    let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    for (method, uri, media, body, status) in [
        ("GET", "/nowhere", "", "", 404),
        ("GET", "/openapi/v1", "", "", 404),
        ("GET", "/api/v2", "", "", 404),
        ("GET", "/apis/none", "", "", 404),
        ("GET", "/api/v1/pods/x", "", "", 404),
        ("GET", "/healthz", "", "", 200),
        ("GET", "/readyz/etcd", "", "", 200),
        ("PUT", "/api/v1/pods", "application/json", "{}", 405),
        ("POST", "/api/v1/configmaps", "application/json", "{\"metadata\":{\"name\":\"a\"}}", 405),
        ("POST", maps, "application/json", &big, 413),
        ("POST", maps, "application/json", "{", 400),
        ("POST", maps, "application/json", &deep, 400),
        ("POST", maps, "application/json", "7", 400),
        ("POST", maps, "application/json", "{\"kind\":\"Pod\"}", 400),
        ("POST", maps, "application/json", "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"}}", 400),
        ("POST", maps, "application/vnd.kubernetes.protobuf", "k8s", 400),
        ("PATCH", &format!("{maps}/a"), "application/apply-patch+yaml", "{}", 422),
        ("PATCH", &format!("{maps}/a"), "application/merge-patch+json", "{", 400),
        ("GET", &format!("{maps}?labelSelector=a%20b"), "", "", 400),
        ("GET", &format!("{maps}?fieldSelector=data=x"), "", "", 400),
        ("GET", &format!("{maps}?limit=many"), "", "", 400),
        ("GET", &format!("{maps}?continue=abcd"), "", "", 400),
        ("GET", &format!("{maps}?resourceVersion=99999"), "", "", 504),
        (
            "GET",
            &format!("{maps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"),
            "",
            "",
            422,
        ),
        ("POST", &format!("{maps}?dryRun=Some"), "application/json", "{\"metadata\":{\"name\":\"a\"}}", 422),
        ("POST", review, "application/json", "{\"spec\":{}}", 201),
        ("DELETE", "/api/v1/namespaces/default", "", "", 403),
    ] {
        let (is, answer) = raw(&world, method, uri, media, body).await;
        assert_eq!(is, status, "{method} {uri}: {answer}");
        if status >= 400 {
            assert_eq!((&answer["kind"], &answer["code"]), (&json!("Status"), &json!(status)), "{uri}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_resource_is_not_replaced_blindly() {
    let world = world();
    let uri = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts";
    let body = serde_json::to_string(&rollout("a")).expect("JSON");
    assert_eq!(raw(&world, "POST", uri, "application/json", &body).await.0, 201);
    let (status, answer) = raw(&world, "PUT", &format!("{uri}/a"), "application/json", &body).await;
    assert_eq!(status, 422);
    assert!(answer["message"].as_str().is_some_and(|text| text.contains("must be specified for an update")));
}

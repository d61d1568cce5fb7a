//! Who gets what of the requests, for one request and a few objects at a time.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

const PREFIX: &str = "nginx.ingress.kubernetes.io";

/// A world with a stable and a canary Service of one pod each, and these routing objects.
fn routing(objects: &[Value]) -> Routing {
    let mut routing = Routing::default();
    for (service, pods) in [("stable", &["s"][..]), ("canary", &["c"]), ("both", &["s", "c"]), ("empty", &[])]
    {
        let endpoint = |pod: &&str| json!({"conditions": {"ready": true}, "targetRef": {"name": pod}});
        let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
        let labels = json!({"kubernetes.io/service-name": service});
        let slice = Arc::new(json!({"metadata": {"labels": labels}, "endpoints": endpoints}));
        routing.apply(&Key::new(Kind::EndpointSlice, "ns", &format!("{service}-slice")), Some(&slice));
    }
    for pod in ["s", "c"] {
        let object = Arc::new(json!({"metadata": {"labels": {"hash": pod}}}));
        routing.label(&Key::new(Kind::Pod, "ns", pod), Some(&object));
    }
    for object in objects {
        let kind = Kind::ALL.iter().find(|kind| kind.info().kind == object["kind"]).expect("a known kind");
        let key = Key::new(*kind, "ns", text_at(object, "/metadata/name"));
        routing.obey(&key, Some(Arc::new(object.clone())));
    }
    routing
}

/// What of a hundred draws each pod gets, in order of the draws; the router's own answer where nobody does.
fn shares(split: &Split) -> String {
    let mut told: Vec<(String, u32)> = vec![];
    for draw in 0..100 {
        let pods: Vec<&str> = split.pods(draw).iter().map(|pod| &*pod.name).collect();
        let who = if pods.is_empty() { split.otherwise.to_string() } else { pods.join("+") };
        match told.last_mut().filter(|(last, _)| *last == who) {
            Some((_, count)) => *count += 1,
            None => told.push((who, 1)),
        }
    }
    told.iter().map(|(who, count)| format!("{who} {count}")).collect::<Vec<_>>().join(", ")
}

fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

// === ingress-nginx ===

fn ingress(name: &str, path: &str, service: &str, annotations: Value) -> Value {
    let path = json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service}}});
    json!({
        "kind": "Ingress", "metadata": {"name": name, "annotations": annotations},
        "spec": {"rules": [{"host": "h", "http": {"paths": [path]}}]},
    })
}

fn annotated(pairs: &[(&str, &str)]) -> Value {
    let all = pairs.iter().map(|(name, value)| (format!("{PREFIX}/{name}"), json!(value)));
    all.collect::<serde_json::Map<_, _>>().into()
}

/// Requests with these headers, by an Ingress to `stable` with a canary that is annotated like this.
fn nginx(annotations: &[(&str, &str)], sent: &[(&str, &str)]) -> String {
    let main = ingress("web", "/", "stable", json!({}));
    let canary = ingress("x", "/", "canary", annotated(annotations));
    by_nginx(&[main, canary], sent)
}

fn by_nginx(objects: &[Value], sent: &[(&str, &str)]) -> String {
    let headers = headers(sent);
    let request = Incoming { method: "GET", path: "/a?b=/c", headers: &headers };
    let router = Router::Nginx { ingress: "web".to_owned(), prefix: PREFIX.to_owned() };
    shares(&routing(objects).split(&Key::new(Kind::Service, "ns", "stable"), &router, &request))
}

#[test]
fn a_canary_ingress_gets_its_weight() {
    assert_eq!(nginx(&[("canary", "true"), ("canary-weight", "20")], &[]), "c 20, s 80");
    assert_eq!(nginx(&[("canary", "true"), ("canary-weight", "0")], &[]), "s 100");
    assert_eq!(nginx(&[("canary", "true"), ("canary-weight", "100")], &[]), "c 100");
    assert_eq!(nginx(&[("canary", "true")], &[]), "s 100");
    assert_eq!(nginx(&[("canary", "true"), ("canary-weight", "lots")], &[]), "s 100");
}

#[test]
fn a_total_above_a_hundred_is_obeyed_and_one_below_is_not() {
    let weighted =
        |total| nginx(&[("canary", "true"), ("canary-weight", "50"), ("canary-weight-total", total)], &[]);
    assert_eq!(weighted("1000"), "c 50, s 50"); // Of the first hundred draws in a thousand.
    assert_eq!(weighted("60"), "c 50, s 50");
}

#[test]
fn an_ingress_that_does_not_call_itself_a_canary_is_none() {
    assert_eq!(nginx(&[("canary-weight", "20")], &[]), "s 100");
    assert_eq!(nginx(&[("canary", "false"), ("canary-weight", "20")], &[]), "s 100");
}

#[test]
fn a_canary_of_another_path_or_prefix_gets_nothing() {
    let main = ingress("web", "/", "stable", json!({}));
    let weighted = annotated(&[("canary", "true"), ("canary-weight", "20")]);
    assert_eq!(by_nginx(&[main.clone(), ingress("x", "/b", "canary", weighted)], &[]), "s 100");
    let other = json!({"other.example/canary": "true", "other.example/canary-weight": "20"});
    assert_eq!(by_nginx(&[main, ingress("x", "/", "canary", other)], &[]), "s 100");
}

#[test]
fn headers_decide_before_cookies_and_both_before_the_weight() {
    let by_header = &[("canary", "true"), ("canary-weight", "20"), ("canary-by-header", "X-C")];
    assert_eq!(nginx(by_header, &[("x-c", "always")]), "c 100");
    assert_eq!(nginx(by_header, &[("x-c", "never")]), "s 100");
    assert_eq!(nginx(by_header, &[("x-c", "perhaps")]), "c 20, s 80");
    let valued = &[("canary", "true"), ("canary-by-header", "x-c"), ("canary-by-header-value", "beta")];
    assert_eq!(nginx(valued, &[("x-c", "beta")]), "c 100");
    assert_eq!(nginx(valued, &[("x-c", "always")]), "s 100");
    let pattern = &[("canary", "true"), ("canary-by-header", "x-c"), ("canary-by-header-pattern", "^b.*")];
    assert_eq!(nginx(pattern, &[("x-c", "beta")]), "c 100");
    let by_cookie = &[("canary", "true"), ("canary-by-header", "x-c"), ("canary-by-cookie", "c")];
    assert_eq!(nginx(by_cookie, &[("cookie", "a=b; c=always")]), "c 100");
    assert_eq!(nginx(by_cookie, &[("cookie", "c=always"), ("x-c", "never")]), "s 100");
}

#[test]
fn without_ready_pods_a_canary_gets_nothing_and_a_stable_service_answers_503() {
    let main = ingress("web", "/", "stable", json!({}));
    let all = annotated(&[("canary", "true"), ("canary-weight", "100")]);
    assert_eq!(by_nginx(&[main, ingress("x", "/", "empty", all.clone())], &[]), "s 100");
    let empty = ingress("web", "/", "empty", json!({}));
    assert_eq!(by_nginx(&[empty, ingress("x", "/", "canary", all)], &[]), "503 100");
}

#[test]
fn without_an_ingress_or_a_rule_there_is_nothing_to_find() {
    assert_eq!(by_nginx(&[], &[]), "404 100");
    assert_eq!(by_nginx(&[ingress("web", "/b", "stable", json!({}))], &[]), "404 100");
    let main = ingress("web", "/a", "stable", json!({}));
    assert_eq!(by_nginx(std::slice::from_ref(&main), &[("host", "h")]), "s 100");
    assert_eq!(by_nginx(&[main], &[("host", "elsewhere")]), "404 100");
}

// === Istio ===

/// Requests with these headers, by a VirtualService with these http routes.
fn istio(http: &Value, sent: &[(&str, &str)]) -> Split {
    let subsets = json!([{"name": "s", "labels": {"hash": "s"}}, {"name": "c", "labels": {"hash": "c"}}]);
    let rule = json!({"kind": "DestinationRule", "metadata": {"name": "r"}, "spec": {"host": "both", "subsets": subsets}});
    let service = json!({"kind": "VirtualService", "metadata": {"name": "vs"}, "spec": {"http": http}});
    let headers = headers(sent);
    let request = Incoming { method: "GET", path: "/a?b=/c", headers: &headers };
    let router = Router::Istio { namespace: "ns".to_owned(), virtual_service: "vs".to_owned() };
    routing(&[rule, service]).split(&Key::new(Kind::Service, "ns", "stable"), &router, &request)
}

fn to(host: &str, subset: &str, weight: u32) -> Value {
    json!({"destination": {"host": host, "subset": subset}, "weight": weight})
}

#[test]
fn hosts_share_by_weight_under_any_of_their_names() {
    let hosts = json!([{"route": [to("stable.ns.svc.cluster.local", "", 90), to("canary.ns", "", 10)]}]);
    assert_eq!(shares(&istio(&hosts, &[])), "s 90, c 10");
}

#[test]
fn subsets_are_pods_by_their_labels() {
    assert_eq!(
        shares(&istio(&json!([{"route": [to("both", "s", 75), to("both", "c", 25)]}]), &[])),
        "s 75, c 25"
    );
    assert_eq!(shares(&istio(&json!([{"route": [to("both", "", 0)]}]), &[])), "s+c 100");
    assert_eq!(shares(&istio(&json!([{"route": [to("both", "x", 100)]}]), &[])), "503 100");
}

#[test]
fn a_share_without_pods_is_answered_by_the_mesh() {
    assert_eq!(
        shares(&istio(&json!([{"route": [to("empty", "", 20), to("stable", "", 80)]}]), &[])),
        "503 20, s 80"
    );
}

#[test]
fn the_first_route_that_matches_is_taken() {
    let header = json!({"match": [{"headers": {"x-c": {"exact": "yes"}}}], "route": [to("canary", "", 100)]});
    let path = json!({"match": [{"uri": {"prefix": "/b"}}, {"uri": {"exact": "/a"}, "method": {"exact": "GET"}}],
        "route": [to("stable", "", 100)]});
    assert_eq!(shares(&istio(&json!([header, path]), &[("X-C", "yes")])), "c 100");
    assert_eq!(shares(&istio(&json!([header, path]), &[("x-c", "no")])), "s 100");
    assert_eq!(shares(&istio(&json!([header]), &[])), "404 100");
    let regex = json!({"match": [{"headers": {"x-c": {"regex": "y.s"}}}], "route": [to("canary", "", 100)]});
    assert_eq!(shares(&istio(&json!([regex]), &[("x-c", "yes")])), "c 100");
    assert_eq!(shares(&istio(&json!([regex]), &[("x-c", "yes!")])), "404 100");
}

#[test]
fn a_mirror_gets_copies_and_answers_nobody() {
    let route = json!([{"route": [to("stable", "", 100)], "mirror": {"host": "both", "subset": "c"},
        "mirrorPercentage": {"value": 35.0}}]);
    let split = istio(&route, &[]);
    assert_eq!(shares(&split), "s 100");
    assert_eq!(split.mirrors, [Mirror { percent: 35.0, pods: vec![Key::new(Kind::Pod, "ns", "c")] }]);
}

#[test]
fn without_a_virtual_service_the_service_itself_is_reached() {
    let request = Incoming { method: "GET", path: "/", headers: &[] };
    let router = Router::Istio { namespace: "ns".to_owned(), virtual_service: "vs".to_owned() };
    let split = routing(&[]).split(&Key::new(Kind::Service, "ns", "stable"), &router, &request);
    assert_eq!(shares(&split), "s 100");
}

#[test]
fn the_version_grows_with_what_changes_and_with_nothing_else() {
    let mut routing = routing(&[]);
    let before = routing.version();
    let pod = Arc::new(json!({"metadata": {"labels": {"hash": "s"}}}));
    routing.label(&Key::new(Kind::Pod, "ns", "s"), Some(&pod));
    assert_eq!(routing.version(), before);
    routing.label(&Key::new(Kind::Pod, "ns", "s"), None);
    assert!(routing.version() > before);
}

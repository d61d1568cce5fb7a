//! Whatever is sent, something is answered, and nothing panics.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::json;
use tower::ServiceExt;

use super::world;

/// Parts of real requests, glued together without sense.
fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("api"),
        Just("apis"),
        Just("v1"),
        Just("v1alpha1"),
        Just("argoproj.io"),
        Just("apps"),
        Just("namespaces"),
        Just("default"),
        Just("pods"),
        Just("rollouts"),
        Just("services"),
        Just("replicasets"),
        Just("deployments"),
        Just("jobs"),
        Just("status"),
        Just("scale"),
        Just("proxy"),
        Just("eviction"),
        Just("a"),
        Just("a:80"),
        Just("%41"),
        Just("%"),
        Just("%ff"),
        Just(""),
    ];
    proptest::collection::vec(part, 0..8).prop_map(|parts| format!("/{}", parts.join("/")))
}

fn address() -> impl Strategy<Value = String> {
    let collections = prop_oneof![
        Just("/api/v1/namespaces"),
        Just("/api/v1/namespaces/default/pods"),
        Just("/api/v1/namespaces/default/services"),
        Just("/api/v1/namespaces/default/events"),
        Just("/apis/apps/v1/namespaces/default/replicasets"),
        Just("/apis/apps/v1/namespaces/default/deployments"),
        Just("/apis/batch/v1/namespaces/default/jobs"),
        Just("/apis/argoproj.io/v1alpha1/namespaces/default/rollouts"),
    ];
    let rest = prop_oneof![Just(""), Just("/a"), Just("/a/status"), Just("/a/scale"), Just("/a/eviction")];
    (collections, rest).prop_map(|(collection, rest)| format!("{collection}{rest}"))
}

/// JSON in the shape of an object, with anything inside.
fn object() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        "[a-z/ ]{0,6}".prop_map(|text| json!(text)),
    ];
    let name = prop_oneof![
        Just("metadata"),
        Just("name"),
        Just("labels"),
        Just("spec"),
        Just("template"),
        Just("containers"),
        Just("ports"),
        Just("selector"),
        Just("matchLabels"),
        Just("replicas"),
        Just("status"),
        Just("finalizers"),
        Just("strategy"),
        Just("ownerReferences"),
        Just("uid"),
        Just("op"),
        Just("path"),
        Just("value"),
        Just("$patch"),
        Just("readinessProbe"),
    ];
    let value = leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            proptest::collection::btree_map(name.clone(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    });
    value.prop_map(|mut value| {
        if value.is_object() {
            value["apiVersion"] = json!("v1");
            value["kind"] = json!("Service");
        }
        if value.is_object() && (value["metadata"].is_null() || value["metadata"].is_object()) {
            value["metadata"]["name"] = json!("a");
        }
        value.to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_gets_an_answer(
        requests in proptest::collection::vec((
            prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("PATCH"), Just("DELETE"), Just("HEAD"), Just("BREW")],
            prop_oneof![address(), path()],
            prop_oneof![Just(String::new()), "[a-zA-Z]{1,12}=[ -~&&[^ #\"<>\\\\^`{|}]]{0,12}", Just("timeoutSeconds=1&watch=1".into()), Just("fieldManager=me".into()), Just("fieldManager=you&force=true".into())],
            prop_oneof![Just("application/json"), Just("application/merge-patch+json"), Just("application/json-patch+json"),
                        Just("application/strategic-merge-patch+json"), Just("application/apply-patch+yaml"), Just("application/yaml"),
                        Just("application/vnd.kubernetes.protobuf"), Just("text/plain")],
            prop_oneof![4 => object().prop_map(String::into_bytes), 1 => proptest::collection::vec(any::<u8>(), 0..64)],
        ), 1..8)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let world = world();
        runtime.block_on(async {
            for (method, path, query, media, body) in requests {
                let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
                let Ok(request) = Request::builder().method(method).uri(&uri).header("content-type", media).body(Body::from(body)) else { continue };
                let response = world.router().oneshot(request).await.expect("infallible");
                assert!(response.status().as_u16() >= 200);
                response.into_body().collect().await.expect("a body that ends");
            }
        });
    }
}

//! What clients read before they write, and the forms in which they write.

use http::StatusCode;
use serde_json::{Value, json};

use super::{get, raw, send, world};

#[tokio::test(start_paused = true)]
async fn every_group_version_has_a_document_of_its_kinds() {
    let world = world();
    let (_, index) = get(&world, "/openapi/v3").await;
    let paths = index["paths"].as_object().expect("an index").clone();
    assert!(paths.contains_key("api/v1") && paths.contains_key("apis/argoproj.io/v1alpha1"), "{index}");
    for path in paths.values() {
        let (code, document) = get(&world, path["serverRelativeURL"].as_str().expect("an address")).await;
        assert_eq!((code, &document["openapi"]), (200, &json!("3.0.0")));
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        assert!(
            schemas.values().all(|schema| schema["x-kubernetes-group-version-kind"][0]["kind"].is_string())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn patches_say_that_the_server_validates() {
    let (_, document) = get(&world(), "/openapi/v3/apis/argoproj.io/v1alpha1").await;
    let patch =
        &document["paths"]["/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Rollout");
    let names: Vec<&Value> =
        patch["parameters"].as_array().expect("parameters").iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation"]);
    let rollout = &document["components"]["schemas"]["io.argoproj.v1alpha1.Rollout"];
    let strategy = rollout.pointer("/properties/spec/properties/strategy/properties/blueGreen/properties");
    assert_eq!(strategy.expect("the schema goes on")["activeService"]["type"], "string");
}

#[tokio::test(start_paused = true)]
async fn the_old_document_is_there_and_empty() {
    let world = world();
    let accept = [("accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")];
    let (code, bytes) = send(&world, "GET", "/openapi/v2", &accept, "".into()).await;
    assert_eq!((code, &bytes[..5]), (200, &b"\x0a\x032.0"[..]));
    assert_eq!(get(&world, "/openapi/v2").await.1["paths"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn yaml_and_json_are_the_same_object() {
    let world = world();
    let maps = "/api/v1/namespaces/default/configmaps";
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: 'yes'\n";
    let (code, created) = raw(&world, "POST", maps, "application/yaml", yaml).await;
    assert_eq!((code, &created["data"]["x"]), (201, &json!("yes")));
    let apply = format!("{maps}/a?fieldManager=me");
    let (code, applied) = raw(&world, "PATCH", &apply, "application/apply-patch+yaml", yaml).await;
    assert_eq!(
        (code, &applied["metadata"]["managedFields"][0]["manager"]),
        (200, &json!("before-first-apply"))
    );
    let (code, _) = raw(
        &world,
        "PATCH",
        &format!("{maps}/b?fieldManager=me"),
        "application/apply-patch+yaml",
        &yaml.replace("name: a", "name: b"),
    )
    .await;
    assert_eq!(code, 201, "an apply creates");
    let (code, status) =
        raw(&world, "PATCH", &format!("{maps}/a"), "application/apply-patch+yaml", yaml).await;
    assert_eq!(code, 422, "an apply has an owner: {status}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_no_json_is_told() {
    let world = world();
    for (accept, code) in [
        ("application/vnd.kubernetes.protobuf", StatusCode::NOT_ACCEPTABLE),
        ("application/vnd.kubernetes.protobuf, application/json", StatusCode::OK),
        ("application/json;as=Table;v=v1;g=meta.k8s.io, application/json", StatusCode::OK),
        ("*/*", StatusCode::OK),
        ("", StatusCode::OK),
    ] {
        let (given, _) = send(&world, "GET", "/api/v1/pods", &[("accept", accept)], "".into()).await;
        assert_eq!(given, code.as_u16(), "{accept}");
    }
}

#[tokio::test(start_paused = true)]
async fn reviews_answer_that_everything_is_allowed() {
    let world = world();
    for (path, pointer) in [
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/status/allowed"),
        ("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "/status/resourceRules/0/verbs/0"),
        ("/apis/authentication.k8s.io/v1/selfsubjectreviews", "/status/userInfo/username"),
    ] {
        let (code, review) = raw(&world, "POST", path, "application/json", "{\"spec\": {}}").await;
        assert!(code == 201 && review.pointer(pointer).is_some(), "{path}: {code} {review}");
        assert_eq!(get(&world, path).await.0, 405);
    }
}

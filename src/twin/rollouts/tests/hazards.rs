//! What goes wrong around a Rollout: selectors, missing objects, invalid specs, garbage.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::acts::{analysis, canary_of, labels, template};
use super::bench::Bench;
use crate::argo::Version;
use crate::clock::Moment;
use crate::twin::rollouts::reconcile;
use crate::twin::store::{Kind, Part, Patch, Store};

#[test]
fn bg_selector_stripped_saturated() {
    let strategy = json!({"autoPromotionEnabled": false, "prePromotionAnalysis": analysis("pre")});
    let mut bench = Bench::deployed(strategy);
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.strip_selector("app-active");
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @"app-active -> -");
    bench.touch();
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    ar app-v2-2-pre terminated
    ar app-v2-2-pre Successful
    event AnalysisRunSuccessful: PrePromotion Analysis Run 'app-v2-2-pre' Status New: 'Successful' Previous: 'Running'
    "#);
}

#[test]
fn bg_selector_stripped_unsaturated() {
    let mut bench = Bench::deployed(json!({"scaleDownDelaySeconds": 5}));
    bench.ready_after = Some(std::time::Duration::from_secs(3600));
    bench.release("v2");
    bench.take_trace();
    bench.strip_selector("app-active");
    bench.touch();
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> -
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Initial deploy
    Progressing "active service cutover pending" active=- preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    rs app-v1 2 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    Progressing "updated replicas are still becoming available" active=- preview=v2 current=v2 stable=v2
    "#);
}

#[test]
fn bg_selector_stripped_steady() {
    let mut bench = Bench::deployed(json!({}));
    bench.strip_selector("app-active");
    bench.touch();
    assert_snapshot!(bench.take_trace(), @r"
    app-active -> -
    app-active -> v1
    event SwitchService
    ");
}

#[test]
fn bg_active_service_missing_then_created() {
    let mut bench = Bench::applied(json!({"activeService": "late"}), json!({}));
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAddedToInformer
    error: spec.strategy.blueGreen.activeService: Invalid value: "late": service "late" not found
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.blueGreen.activeService: Invalid value: "late": service "late" not found" active=- preview=- current=- stable=-
    error: spec.strategy.blueGreen.activeService: Invalid value: "late": service "late" not found
    "#);
    bench.create(
        Kind::Service,
        json!({"metadata": {"name": "late"}, "spec": {"selector": {"app": "app"}, "ports": [{"port": 80}]}}),
    );
    assert_snapshot!(bench.take_trace(), @"");
    bench.seconds(15);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 created
    event RolloutUpdated
    event NewReplicaSetCreated
    app-preview -> v1
    event SwitchService
    rs app-v1 0 -> 2
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 1 (v1): Initial deploy
    Progressing "more replicas need to be updated" active=- preview=v1 current=v1 stable=v1
    Progressing "updated replicas are still becoming available" active=- preview=v1 current=v1 stable=v1
    late -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    "#);
}

#[test]
fn bg_template_deleted_during_post() {
    let mut bench = Bench::deployed(json!({"postPromotionAnalysis": analysis("post")}));
    bench.release_and_wait("v2");
    bench.take_trace();
    let template = bench.get(Kind::AnalysisTemplate, "post").expect("it is there").clone();
    bench.delete(Kind::AnalysisTemplate, "post");
    bench.seconds(2);
    bench.run_ends("post", "Failed");
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-post Failed
    error: spec.strategy.blueGreen.postPromotionAnalysis.templates: Invalid value: "post": AnalysisTemplate 'post' not found
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.blueGreen.postPromotionAnalysis.templates: Invalid value: "post": AnalysisTemplate 'post' not found" active=v2 preview=v2 current=v2 stable=v1
    error: spec.strategy.blueGreen.postPromotionAnalysis.templates: Invalid value: "post": AnalysisTemplate 'post' not found
    "#);
    bench.create(Kind::AnalysisTemplate, json!({"metadata": {"name": "post"}, "spec": template["spec"]}));
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    event AnalysisRunFailed!: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_interval_without_count_invalid_spec() {
    let mut bench = Bench::new();
    let metric = json!({"name": "post", "interval": "5s", "provider": {}});
    bench.create(
        Kind::AnalysisTemplate,
        json!({"metadata": {"name": "endless"}, "spec": {"metrics": [metric]}}),
    );
    bench.create(Kind::Service, json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}));
    let spec = json!({
        "selector": {"matchLabels": {"app": "app"}}, "template": template("v1"),
        "strategy": {"blueGreen": {"activeService": "a", "postPromotionAnalysis": analysis("endless")}},
    });
    bench.create(Kind::Rollout, json!({"metadata": {"name": "app"}, "spec": spec}));
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAddedToInformer
    error: spec.strategy.blueGreen.postPromotionAnalysis.templates: Invalid value: "endless": AnalysisTemplate endless has metric post which runs indefinitely. Invalid value for count: <nil>
    Degraded "InvalidSpec: The Rollout "app" is invalid: spec.strategy.blueGreen.postPromotionAnalysis.templates: Invalid value: "endless": AnalysisTemplate endless has metric post which runs indefinitely. Invalid value for count: <nil>" active=- preview=- current=- stable=-
    error: spec.strategy.blueGreen.postPromotionAnalysis.templates: Invalid value: "endless": AnalysisTemplate endless has metric post which runs indefinitely. Invalid value for count: <nil>
    "#);
}

#[test]
fn bg_new_rs_deleted_during_post() {
    let mut bench = Bench::deployed(json!({"postPromotionAnalysis": analysis("post")}));
    bench.release_and_wait("v2");
    bench.take_trace();
    let name = bench.replica_set("v2");
    bench.delete(Kind::ReplicaSet, &name);
    bench.seconds(3);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 deleted
    rs app-v2 created
    event NewReplicaSetCreated
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    Progressing "more replicas need to be updated" active=v2 preview=v2 current=v2 stable=v1
    Progressing "updated replicas are still becoming available" active=v2 preview=v2 current=v2 stable=v1
    Progressing "waiting for analysis to complete" active=v2 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_stable_rs_deleted_during_post_then_failed() {
    let mut bench = Bench::deployed(json!({"postPromotionAnalysis": analysis("post")}));
    bench.release_and_wait("v2");
    bench.take_trace();
    let name = bench.replica_set("v1");
    bench.delete(Kind::ReplicaSet, &name);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 deleted
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Initial deploy
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    ar app-v2-2-post terminated
    ar app-v2-2-post Successful
    event AnalysisRunSuccessful: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Successful' Previous: 'Running'
    "#);
}

#[test]
fn bg_rollout_deleted_mid_update() {
    let mut bench = Bench::deployed(json!({}));
    bench.release("v2");
    bench.take_trace();
    bench.delete(Kind::Rollout, "app");
    // The garbage collector takes the ReplicaSets along; the bench looks at the store before and after the event.
    assert_snapshot!(bench.take_trace(), @r"
    rs app-v1 deleted
    rs app-v2 deleted
    event RolloutDeleted
    rs app-v1 deleted
    rs app-v2 deleted
    app-active -> -
    app-preview -> -
    ");
    let service = bench.get(Kind::Service, "app-active").expect("it stays");
    assert_eq!(service["metadata"]["annotations"], json!({}));
}

#[test]
fn bg_empty_templates_list() {
    let mut bench = Bench::deployed(json!({"postPromotionAnalysis": {"templates": []}}));
    bench.release("v2");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    app-preview -> v2
    event SwitchService
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    app-active -> v2
    event SwitchService
    Progressing "waiting for analysis to complete" active=v2 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_ephemeral_metadata() {
    let strategy = json!({
        "postPromotionAnalysis": analysis("post"),
        "previewMetadata": {"labels": {"role": "preview"}}, "activeMetadata": {"labels": {"role": "active"}},
    });
    let mut bench = Bench::deployed(strategy);
    let worn = |bench: &Bench, version: &str| {
        let rs = bench.get(Kind::ReplicaSet, &bench.replica_set(version)).expect("it is there");
        rs["spec"]["template"]["metadata"]["labels"]["role"].clone()
    };
    assert_eq!(worn(&bench, "v1"), json!("active"));
    bench.release_and_wait("v2");
    assert_eq!([worn(&bench, "v1"), worn(&bench, "v2")], [json!("active"), json!("preview")]);
    bench.run_ends("post", "Successful");
    bench.seconds(1);
    assert_eq!([worn(&bench, "v1"), worn(&bench, "v2")], [Value::Null, json!("active")]);
}

#[test]
fn bg_args_from_fieldref_and_pod_template_hash() {
    let args = json!([
        {"name": "latest", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "stable", "valueFrom": {"podTemplateHashValue": "Stable"}},
        {"name": "replicas", "valueFrom": {"fieldRef": {"fieldPath": "spec.replicas"}}},
        {"name": "blank"},
        {"name": "undeclared", "value": "x"},
    ]);
    let analysis = json!({
        "templates": [{"templateName": "asking"}], "args": args, "dryRun": [{"metricName": "m"}],
        "analysisRunMetadata": {"labels": {"team": "x", "app": "lost"}, "annotations": {"why": "y"}},
    });
    let mut bench = Bench::deployed(json!({}));
    let declared = json!([{"name": "latest"}, {"name": "stable"}, {"name": "replicas"}, {"name": "blank", "value": "z"}]);
    let spec =
        json!({"metrics": [{"name": "m", "provider": {"prometheus": {"query": "1"}}}], "args": declared});
    bench.create(Kind::AnalysisTemplate, json!({"metadata": {"name": "asking"}, "spec": spec}));
    bench.spec(json!({"strategy": {"blueGreen": {"postPromotionAnalysis": analysis}}}));
    bench.release_and_wait("v2");
    let (v1, v2) = (bench.replica_set("v1").replace("app-", ""), bench.replica_set("v2").replace("app-", ""));
    let run = bench.get(Kind::AnalysisRun, &format!("app-{v2}-2-post")).expect("it was created");
    let expected = json!({
        // Go's types write what nobody set.
        "metrics": [{"name": "m", "provider": {"prometheus": {
            "query": "1", "authentication": {"oauth2": {}, "sigv4": {}},
        }}}],
        "dryRun": [{"metricName": "m"}],
        "args": [
            {"name": "latest", "value": v2}, {"name": "stable", "value": v1},
            {"name": "replicas", "value": "2"}, {"name": "blank", "value": ""},
        ],
    });
    assert_eq!(run["spec"], expected);
    assert_eq!(labels(run), json!({"app": "app", "rollout-type": "PostPromotion", "team": "x"}));
    assert_eq!(run["metadata"]["annotations"], json!({"rollout.argoproj.io/revision": "2", "why": "y"}));
}

#[test]
fn bg_restart_during_post_analysis() {
    let mut bench = Bench::deployed(json!({}));
    let rs = bench.get(Kind::ReplicaSet, &bench.replica_set("v1")).expect("it is there").clone();
    for name in ["a", "b"] {
        let owner = json!([{"kind": "ReplicaSet", "uid": rs["metadata"]["uid"], "controller": true}]);
        let meta =
            json!({"name": name, "labels": rs["spec"]["selector"]["matchLabels"], "ownerReferences": owner});
        let status = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        bench.create(Kind::Pod, json!({"metadata": meta}));
        bench.merge(Kind::Pod, name, Part::Status, json!({"status": status}));
    }
    bench.seconds(5);
    let now = bench.now.rfc3339();
    bench.spec(json!({"restartAt": now}));
    bench.seconds(2);
    // 25 % of two pods is none, but one at a time always goes.
    assert_snapshot!(bench.take_trace(), @r#"
    pod a deleted
    Progressing "rollout is restarting" active=v1 preview=v1 current=v1 stable=v1
    "#);
    bench.delete(Kind::Pod, "b");
    bench.seconds(30);
    assert_snapshot!(bench.take_trace(), @r#"
    pod b deleted
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    "#);
}

#[test]
fn replicas_that_are_absent_are_written_as_one() {
    let mut bench = Bench::applied(json!({}), json!({"replicas": null}));
    bench.seconds(3);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAddedToInformer
    rs app-v1 created
    event RolloutUpdated
    event NewReplicaSetCreated
    error: Operation cannot be fulfilled on rollouts.argoproj.io "app": the object has been modified; please apply your changes to the latest version and try again
    app-preview -> v1
    event SwitchService
    rs app-v1 0 -> 1
    event ScalingReplicaSet
    event RolloutCompleted: Rollout completed update to revision 1 (v1): Initial deploy
    Progressing "more replicas need to be updated" active=- preview=v1 current=v1 stable=v1
    Progressing "updated replicas are still becoming available" active=- preview=v1 current=v1 stable=v1
    app-active -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    "#);
}

#[test]
fn a_foreign_replica_set_of_the_same_name_is_a_collision() {
    let mut bench = Bench::new();
    let name = bench.replica_set("v1");
    let foreign = json!({
        "replicas": 0, "selector": {"matchLabels": {"app": "other"}},
        "template": {"metadata": {"labels": {"app": "other"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    });
    bench.create(Kind::ReplicaSet, json!({"metadata": {"name": name}, "spec": foreign}));
    bench.create(Kind::Service, json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}));
    let spec = json!({
        "replicas": 1, "selector": {"matchLabels": {"app": "app"}}, "template": template("v1"),
        "strategy": {"blueGreen": {"activeService": "a"}},
    });
    bench.create(Kind::Rollout, json!({"metadata": {"name": "app"}, "spec": spec}));
    bench.seconds(1);
    let rollout = bench.get(Kind::Rollout, "app").expect("it is there");
    assert_eq!(rollout["status"]["collisionCount"], json!(1));
    assert_eq!(bench.store.list(Kind::ReplicaSet, None).count(), 2);
}

#[test]
fn a_router_that_is_not_imitated_is_refused_by_name() {
    let mut bench = Bench::new();
    let spec =
        json!({"strategy": {"canary": {"trafficRouting": {"traefik": {"weightedTraefikServiceName": "w"}}}}});
    bench.create(Kind::Rollout, json!({"metadata": {"name": "app"}, "spec": spec}));
    assert_snapshot!(bench.take_trace(), @r"
    event RolloutAddedToInformer
    error: the Rollout ns/app is not imitated: /spec/strategy/canary/trafficRouting/traefik: traffic routing by Traefik is not imitated
    ");
}

#[test]
fn garbage_never_panics() {
    let strategy = json!({"activeService": "app-active", "previewService": "app-preview"});
    let pieces = [
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!({}),
        json!([{"a": null}]),
        json!({"metadata": []}),
    ];
    // Most of it the API server refuses already; what it lets through must not hurt.
    let mut accepted = 0;
    for field in ["template", "selector", "strategy", "replicas", "restartAt", "analysis", "rollbackWindow"] {
        for piece in &pieces {
            if let Some(mut bench) = Bench::offered(&strategy, &json!({field: piece})) {
                accepted += 1;
                bench.seconds(2);
            }
        }
    }
    assert!(accepted > 5, "only {accepted} were accepted");
    let fields =
        ["steps", "trafficRouting", "analysis", "maxSurge", "maxUnavailable", "pingPong", "canaryMetadata"];
    for (field, piece) in fields.iter().flat_map(|field| pieces.iter().map(move |piece| (field, piece))) {
        let object = canary_of(&json!({*field: piece}), &json!({}));
        if let Some(mut bench) = Bench::taken(object) {
            bench.release("v2");
            bench.seconds(5);
        }
    }
    for piece in &pieces {
        let mut store = Store::with_namespaces(&["ns"]);
        let now = Moment::VIRTUAL_EPOCH;
        let object = json!({"metadata": {"name": "app", "namespace": "ns"}, "spec": piece});
        if store.create(now, Kind::Rollout, object).is_err() {
            continue;
        }
        let key = Bench::key(Kind::Rollout, "app");
        let _ = store.patch(now, &key, Part::Status, &Patch::Merge(json!({"status": piece})));
        assert!(reconcile(&store, now, &key, Version::V1_9).error.is_some());
    }
}

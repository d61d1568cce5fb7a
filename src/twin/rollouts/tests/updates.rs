//! Updates that go well, and the waits on their way.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::analysis;
use super::bench::Bench;
use crate::twin::store::Kind;

#[test]
fn bg_first_deploy() {
    let mut bench = Bench::applied(json!({"postPromotionAnalysis": analysis("post")}), json!({}));
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAddedToInformer
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
    app-active -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    "#);
}

#[test]
fn bg_happy_no_analysis() {
    let mut bench = Bench::deployed(json!({}));
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
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    rs app-v1 2 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_happy_pre_and_post_analysis() {
    let analyses =
        json!({"prePromotionAnalysis": analysis("pre"), "postPromotionAnalysis": analysis("post")});
    let mut bench = Bench::deployed(analyses);
    bench.release_and_wait("v2");
    bench.run_ends("pre", "Successful");
    bench.run_ends("post", "Successful");
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
    ar app-v2-2-pre created
    ar app-v2-2-pre Running
    event AnalysisRunRunning: PrePromotion Analysis Run 'app-v2-2-pre' Status New: 'Running' Previous: ''
    ar app-v2-2-pre Successful
    app-active -> v2
    event SwitchService
    event AnalysisRunSuccessful: PrePromotion Analysis Run 'app-v2-2-pre' Status New: 'Successful' Previous: 'Running'
    Progressing "waiting for analysis to complete" active=v2 preview=v2 current=v2 stable=v1
    ar app-v2-2-post created
    ar app-v2-2-post Running
    event AnalysisRunRunning: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Running' Previous: ''
    ar app-v2-2-post Successful
    event AnalysisRunSuccessful: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Successful' Previous: 'Running'
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    rs app-v1 2 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_no_preview_service() {
    let mut bench = Bench::deployed(json!({"previewService": ""}));
    bench.release_and_wait("v2");
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" active=v1 preview=- current=v2 stable=v1
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v1 preview=- current=v2 stable=v1
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=- current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_manual_promotion() {
    let mut bench = Bench::deployed(json!({"autoPromotionEnabled": false}));
    bench.release_and_wait("v2");
    bench.promote();
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
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    Paused "BlueGreenPause" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" controllerPause active=v1 preview=v2 current=v2 stable=v1
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_seed_as_written() {
    let mut bench = Bench::deployed(json!({"autoPromotionEnabled": false, "autoPromotionSeconds": 20}));
    bench.release("v2");
    bench.seconds(600);
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
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn bg_auto_promotion_seconds() {
    let mut bench = Bench::deployed(json!({"autoPromotionSeconds": 10}));
    bench.release("v2");
    bench.seconds(14);
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
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    event RolloutResumed
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_promote_during_auto_promotion_seconds() {
    let mut bench = Bench::deployed(json!({"autoPromotionSeconds": 12}));
    bench.release("v2");
    bench.seconds(8);
    bench.promote();
    bench.seconds(10);
    bench.touch();
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
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    Paused "BlueGreenPause" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    "#);
    bench.seconds(4);
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    event RolloutResumed
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_promote_full_during_auto_promotion_seconds() {
    let strategy = json!({"autoPromotionSeconds": 30, "postPromotionAnalysis": analysis("post")});
    let mut bench = Bench::deployed(strategy);
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.promote_full();
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Full promotion requested
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    event RolloutResumed
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_promote_while_unsaturated() {
    let mut bench = Bench::deployed(json!({"autoPromotionEnabled": false}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.ready("v2", 1);
    bench.promote();
    bench.ready("v2", 2);
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "BlueGreenPause" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    "#);
}

#[test]
fn bg_preview_replica_count_manual() {
    let strategy = json!({"autoPromotionEnabled": false, "previewReplicaCount": 1});
    let mut bench = Bench::deployed_with(strategy, json!({"replicas": 3}));
    bench.release_and_wait("v2");
    bench.promote();
    bench.seconds(3);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    app-preview -> v2
    event SwitchService
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 0 -> 1
    event ScalingReplicaSet
    Paused "BlueGreenPause" controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    Paused "BlueGreenPause" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "more replicas need to be updated" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "more replicas need to be updated" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 1 -> 3
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_user_pause_before_update() {
    let mut bench = Bench::deployed(json!({}));
    bench.spec(json!({"paused": true}));
    bench.release_and_wait("v2");
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "manually paused" active=v1 preview=v1 current=v1 stable=v1
    rs app-v2 created
    event RolloutUpdated
    event NewReplicaSetCreated
    event RolloutNotCompleted
    Paused "manually paused" active=v1 preview=v1 current=v2 stable=v1
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    "#);
    bench.spec(json!({"paused": false}));
    assert_snapshot!(bench.take_trace(), @r#"
    Progressing "active service cutover pending" active=v1 preview=v1 current=v2 stable=v1
    app-preview -> v2
    event SwitchService
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_scale_during_post_analysis() {
    let mut bench =
        Bench::deployed(json!({"postPromotionAnalysis": analysis("post"), "scaleDownDelaySeconds": 5}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.spec(json!({"replicas": 3}));
    bench.seconds(3);
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v1 2 -> 3
    event ScalingReplicaSet
    rs app-v2 2 -> 3
    event ScalingReplicaSet
    Progressing "more replicas need to be updated" active=v2 preview=v2 current=v2 stable=v1
    Progressing "updated replicas are still becoming available" active=v2 preview=v2 current=v2 stable=v1
    Progressing "waiting for analysis to complete" active=v2 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_scale_down_delay_revision_limit() {
    let mut bench = Bench::deployed(json!({"scaleDownDelayRevisionLimit": 1}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.release_and_wait("v3");
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v3 created
    event RolloutUpdated
    event NewReplicaSetCreated
    app-preview -> v3
    event SwitchService
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" active=v2 preview=v3 current=v3 stable=v2
    rs app-v3 0 -> 2
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v2 preview=v3 current=v3 stable=v2
    app-active -> v3
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 3 (v3): Completed blue-green update
    Healthy "" active=v3 preview=v3 current=v3 stable=v3
    rs app-v2 deadline set
    rs app-v1 2 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_two_updates_in_one_second() {
    let mut bench = Bench::deployed(json!({}));
    bench.release("v2");
    bench.release("v3");
    bench.seconds(3);
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
    rs app-v3 created
    event RolloutUpdated
    event NewReplicaSetCreated
    app-preview -> v3
    event SwitchService
    Progressing "more replicas need to be updated" active=v1 preview=v3 current=v3 stable=v1
    rs app-v3 0 -> 2
    event ScalingReplicaSet
    rs app-v2 deadline set
    Progressing "active service cutover pending" active=v1 preview=v3 current=v3 stable=v1
    app-active -> v3
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 3 (v3): Completed blue-green update
    Healthy "" active=v3 preview=v3 current=v3 stable=v3
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_new_template_during_post_analysis() {
    let mut bench =
        Bench::deployed(json!({"postPromotionAnalysis": analysis("post"), "scaleDownDelaySeconds": 5}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.release_and_wait("v3");
    assert_snapshot!(bench.take_trace(), @r#"
    rs app-v3 created
    event RolloutUpdated
    event NewReplicaSetCreated
    app-preview -> v3
    event SwitchService
    Progressing "more replicas need to be updated" active=v2 preview=v3 current=v3 stable=v1
    rs app-v3 0 -> 2
    event ScalingReplicaSet
    ar app-v2-2-post terminated
    ar app-v2-2-post Successful
    Progressing "active service cutover pending" active=v2 preview=v3 current=v3 stable=v1
    app-active -> v3
    event SwitchService
    Progressing "waiting for analysis to complete" active=v3 preview=v3 current=v3 stable=v1
    rs app-v2 deadline set
    ar app-v3-3-post created
    ar app-v3-3-post Running
    event AnalysisRunRunning: PostPromotion Analysis Run 'app-v3-3-post' Status New: 'Running' Previous: ''
    "#);
}

#[test]
fn bg_never_ready_deadline() {
    let mut bench = Bench::deployed_with(json!({}), json!({"progressDeadlineSeconds": 15}));
    bench.ready_after = Some(std::time::Duration::from_secs(19));
    bench.release("v2");
    bench.seconds(18);
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
    Degraded "ProgressDeadlineExceeded: ReplicaSet "app-v2" has timed out progressing." active=v1 preview=v2 current=v2 stable=v1
    "#);
    bench.seconds(2);
    // bg-ready-after-deadline: late, but promoted all the same.
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_revision_history_limit_zero_undo() {
    let mut bench =
        Bench::deployed_with(json!({"scaleDownDelaySeconds": 5}), json!({"revisionHistoryLimit": 0}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.seconds(8);
    assert_snapshot!(bench.take_trace(), @r"
    rs app-v1 2 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    rs app-v1 deleted
    ");
}

#[test]
fn bg_analysis_history_limits() {
    let limits = json!({"analysis": {"successfulRunHistoryLimit": 1}});
    let mut bench = Bench::deployed_with(json!({"postPromotionAnalysis": analysis("post")}), limits);
    for version in ["v2", "v3", "v4"] {
        bench.release_and_wait(version);
        bench.run_ends("post", "Successful");
    }
    bench.release_and_wait("v5");
    let runs: Vec<&str> = bench
        .store
        .list(Kind::AnalysisRun, None)
        .map(|(key, _)| key.name.rsplit_once('-').expect("-post").0)
        .collect();
    let revisions: Vec<&str> = runs.iter().map(|name| name.rsplit_once('-').expect("a revision").1).collect();
    let mut revisions = revisions;
    revisions.sort_unstable();
    // One successful run of an earlier revision is kept beside the current one.
    assert_eq!(revisions, ["4", "5"]);
}

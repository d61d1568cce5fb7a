//! Ways back: to stable, within a window, and not at all.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::analysis;
use super::bench::Bench;

fn post() -> serde_json::Value {
    json!({"postPromotionAnalysis": analysis("post"), "scaleDownDelaySeconds": 10})
}

#[test]
fn bg_undo_to_stable_while_aborted() {
    let mut bench = Bench::deployed(post());
    bench.release_and_wait("v2");
    bench.run_ends("post", "Failed");
    bench.seconds(6);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(40);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    rs app-v2 2 -> 0
    rs app-v2 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_undo_during_post_analysis_while_unready() {
    let mut bench = Bench::deployed(post());
    bench.release_and_wait("v2");
    bench.ready("v2", 0);
    bench.take_trace();
    bench.release("v1");
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    Progressing "updated replicas are still becoming available" active=v2 preview=v1 current=v1 stable=v1
    app-active -> v1
    event SwitchService
    ar app-v2-2-post terminated
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    rs app-v2 deadline set
    ar app-v2-2-post Successful
    "#);
}

#[test]
fn bg_undo_during_pre_analysis() {
    let mut bench = Bench::deployed(json!({"prePromotionAnalysis": analysis("pre")}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.release("v1");
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    rs app-v2 deadline set
    ar app-v2-2-pre terminated
    ar app-v2-2-pre Successful
    "#);
}

#[test]
fn bg_rollback_inside_window_manual_promotion() {
    let mut bench = Bench::deployed(json!({"autoPromotionEnabled": false}));
    bench.release_and_wait("v2");
    bench.promote();
    bench.seconds(3);
    bench.take_trace();
    bench.release("v1");
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    event RolloutNotCompleted
    Progressing "active service cutover pending" active=v2 preview=v1 current=v1 stable=v2
    rs app-v1 deadline removed
    app-active -> v1
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 3 (v1): Completed blue-green update
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    rs app-v2 deadline set
    "#);
}

#[test]
fn bg_rollback_after_window() {
    let mut bench = Bench::deployed(post());
    bench.release_and_wait("v2");
    bench.run_ends("post", "Successful");
    bench.seconds(20);
    bench.take_trace();
    bench.release_and_wait("v1");
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" active=v2 preview=v1 current=v1 stable=v2
    rs app-v1 0 -> 2
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v2 preview=v1 current=v1 stable=v2
    app-active -> v1
    event SwitchService
    Progressing "waiting for analysis to complete" active=v1 preview=v1 current=v1 stable=v2
    ar app-v1-3-post created
    ar app-v1-3-post Running
    event AnalysisRunRunning: PostPromotion Analysis Run 'app-v1-3-post' Status New: 'Running' Previous: ''
    "#);
}

#[test]
fn bg_rollback_window_revisions() {
    let strategy = json!({"prePromotionAnalysis": analysis("pre"), "scaleDownDelaySeconds": 1});
    let mut bench = Bench::deployed_with(strategy, json!({"rollbackWindow": {"revisions": 2}}));
    bench.release_and_wait("v2");
    bench.run_ends("pre", "Successful");
    bench.seconds(5);
    bench.take_trace();
    bench.release("v1");
    bench.seconds(199);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" active=v2 preview=v1 current=v1 stable=v2
    rs app-v1 0 -> 2
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v2 preview=v1 current=v1 stable=v2
    "#);
    bench.promote_full();
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> v1
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 3 (v1): Full promotion requested
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    rs app-v2 deadline set
    "#);
}

#[test]
fn bg_rollback_window_revisions_plain() {
    let strategy = json!({"postPromotionAnalysis": analysis("post"), "scaleDownDelaySeconds": 1});
    let mut bench = Bench::deployed_with(strategy, json!({"rollbackWindow": {"revisions": 2}}));
    bench.release_and_wait("v2");
    bench.run_ends("post", "Successful");
    bench.seconds(5);
    bench.take_trace();
    bench.release_and_wait("v1");
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    event RolloutNotCompleted
    Progressing "more replicas need to be updated" active=v2 preview=v1 current=v1 stable=v2
    rs app-v1 0 -> 2
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v2 preview=v1 current=v1 stable=v2
    app-active -> v1
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 3 (v1): Rollback within window
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    rs app-v2 deadline set
    rs app-v2 2 -> 0
    rs app-v2 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_failed_then_undo_then_same_bad_template() {
    let mut bench = Bench::deployed(post());
    bench.release_and_wait("v2");
    bench.run_ends("post", "Failed");
    bench.seconds(3);
    bench.release("v1");
    bench.seconds(3);
    bench.take_trace();
    bench.release("v2");
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v2
    event SwitchService
    event RolloutNotCompleted
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline removed
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 4 (v2): Rollback to 'app-v2' within scaleDownDelay
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

/// Read in the source, not recorded: `scaleDownDelayHelper` keeps the size of what it gives no deadline.
#[test]
fn without_a_scale_down_delay_the_old_revision_stays() {
    let mut bench = Bench::deployed(json!({"scaleDownDelaySeconds": 0}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.seconds(600);
    assert_snapshot!(bench.take_trace(), @"");
}

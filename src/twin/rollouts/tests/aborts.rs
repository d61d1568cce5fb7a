//! Aborts, what they leave behind, and what a person does then.

use insta::assert_snapshot;
use serde_json::json;

use super::acts::analysis;
use super::bench::Bench;
use crate::argo::Version;

fn post() -> Bench {
    Bench::deployed(json!({"postPromotionAnalysis": analysis("post"), "scaleDownDelaySeconds": 10}))
}

fn pre() -> Bench {
    Bench::deployed(json!({"prePromotionAnalysis": analysis("pre")}))
}

/// v2 is live and its analysis has just failed; nothing of that is told.
fn post_failed() -> Bench {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.run_ends("post", "Failed");
    bench.take_trace();
    bench
}

#[test]
fn bg_post_analysis_failed() {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.run_ends("post", "Failed");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-post Failed
    event AnalysisRunFailed!: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_pre_analysis_failed() {
    let mut bench = pre();
    bench.release_and_wait("v2");
    bench.run_ends("pre", "Error");
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
    ar app-v2-2-pre Error
    event AnalysisRunError!: PrePromotion Analysis Run 'app-v2-2-pre' Status New: 'Error' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed" abort active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_post_analysis_failed_while_unready() {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.ready("v2", 0);
    bench.take_trace();
    bench.run_ends("post", "Failed");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-post Failed
    event AnalysisRunFailed!: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
    bench.release("v1");
    // bg-undo-after-unready-outage: the way out.
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutUpdated
    app-preview -> v1
    event SwitchService
    Progressing "updated replicas are still becoming available" active=v2 preview=v1 current=v1 stable=v1
    app-active -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    "#);
}

#[test]
fn bg_post_failed_then_unready_then_ready() {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.ready("v2", 1);
    bench.run_ends("post", "Failed");
    bench.take_trace();
    bench.seconds(8);
    bench.ready("v2", 2);
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_stable_pod_lost_during_abort() {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.ready("v1", 0);
    bench.take_trace();
    bench.run_ends("post", "Failed");
    bench.seconds(40);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-post Failed
    event AnalysisRunFailed!: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v1
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
    bench.ready("v1", 2);
    assert_snapshot!(bench.take_trace(), @"rs app-v2 deadline set");
}

#[test]
fn bg_abort_scale_down_delay_zero() {
    let mut bench =
        Bench::deployed(json!({"postPromotionAnalysis": analysis("post"), "abortScaleDownDelaySeconds": 0}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.run_ends("post", "Failed");
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-post Failed
    event AnalysisRunFailed!: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v1
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_abort_before_switch_manual() {
    let mut bench = Bench::deployed(json!({"autoPromotionEnabled": false}));
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.abort();
    assert_snapshot!(bench.take_trace(), @r#"
    Paused "BlueGreenPause" abort controllerPause pause=BlueGreenPause active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_user_abort_while_unready() {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.ready("v2", 1);
    bench.take_trace();
    bench.abort();
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    Progressing "updated replicas are still becoming available" abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    ar app-v2-2-post terminated
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort active=v2 preview=v2 current=v2 stable=v1
    ar app-v2-2-post Successful
    rs app-v2 2 -> 0
    event ScalingReplicaSet
    "#);
}

#[test]
fn bg_crash_during_post_analysis_deadline_abort() {
    let spec = json!({"progressDeadlineSeconds": 12, "progressDeadlineAbort": true});
    let mut bench = Bench::deployed_with(json!({"postPromotionAnalysis": analysis("post")}), spec);
    bench.release_and_wait("v2");
    bench.ready("v2", 0);
    bench.take_trace();
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAborted!: ReplicaSet "app-v2" has timed out progressing.
    Degraded "ProgressDeadlineExceeded: ReplicaSet "app-v2" has timed out progressing." abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    ar app-v2-2-post terminated
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort active=v2 preview=v2 current=v2 stable=v1
    ar app-v2-2-post Successful
    "#);
}

#[test]
fn the_coming_line_aborts_a_stuck_update_in_one_reconcile() {
    let spec = json!({"progressDeadlineSeconds": 12, "progressDeadlineAbort": true});
    let mut bench = Bench::deployed_with(json!({"postPromotionAnalysis": analysis("post")}), spec);
    bench.version = Version::V1_10;
    bench.release_and_wait("v2");
    bench.ready("v2", 0);
    bench.take_trace();
    bench.seconds(20);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAborted!: Rollout aborted update to revision 2: ReplicaSet "app-v2" has timed out progressing.
    Degraded "RolloutAborted: Rollout aborted update to revision 2: ReplicaSet "app-v2" has timed out progressing." abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    ar app-v2-2-post terminated
    ar app-v2-2-post Successful
    "#);
}

#[test]
fn bg_post_failed_while_user_paused() {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.spec(json!({"paused": true}));
    bench.take_trace();
    bench.seconds(4);
    bench.run_ends("post", "Failed");
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-post Failed
    event AnalysisRunFailed!: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Failed' Previous: 'Running'
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    "#);
    bench.spec(json!({"paused": false}));
    assert_snapshot!(bench.take_trace(), @r#"
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_inconclusive_pre() {
    let mut bench = pre();
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.run_ends("pre", "Inconclusive");
    bench.promote();
    bench.run_ends("pre.1", "Successful");
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-pre Inconclusive
    event AnalysisRunInconclusive: PrePromotion Analysis Run 'app-v2-2-pre' Status New: 'Inconclusive' Previous: 'Running'
    Paused "InconclusiveAnalysisRun" controllerPause pause=InconclusiveAnalysisRun active=v1 preview=v2 current=v2 stable=v1
    event RolloutPaused
    Paused "InconclusiveAnalysisRun" controllerPause active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" controllerPause active=v1 preview=v2 current=v2 stable=v1
    ar app-v2-2-pre.1 created
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    ar app-v2-2-pre.1 Running
    event AnalysisRunRunning: PrePromotion Analysis Run 'app-v2-2-pre.1' Status New: 'Running' Previous: ''
    ar app-v2-2-pre.1 Successful
    app-active -> v2
    event SwitchService
    event AnalysisRunSuccessful: PrePromotion Analysis Run 'app-v2-2-pre.1' Status New: 'Successful' Previous: 'Running'
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_inconclusive_post_then_abort() {
    let mut bench = post();
    bench.release_and_wait("v2");
    bench.take_trace();
    bench.run_ends("post", "Inconclusive");
    bench.seconds(3);
    bench.abort();
    assert_snapshot!(bench.take_trace(), @r#"
    ar app-v2-2-post Inconclusive
    event AnalysisRunInconclusive: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Inconclusive' Previous: 'Running'
    Paused "InconclusiveAnalysisRun" controllerPause pause=InconclusiveAnalysisRun active=v2 preview=v2 current=v2 stable=v1
    event RolloutPaused
    Paused "InconclusiveAnalysisRun" abort controllerPause pause=InconclusiveAnalysisRun active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort active=v2 preview=v2 current=v2 stable=v1
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_retry_inside_abort_delay_after_post_failure() {
    let mut bench = post_failed();
    bench.seconds(6);
    bench.retry();
    bench.seconds(60);
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline removed
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Rollback to 'app-v2' within scaleDownDelay
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v2
    Healthy "" abort active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 2 -> 0
    rs app-v1 deadline removed
    event ScalingReplicaSet
    "#);
}

#[test]
fn the_coming_line_aborts_again_after_a_retry() {
    let mut bench = post_failed();
    bench.version = Version::V1_10;
    bench.seconds(6);
    bench.retry();
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline removed
    app-active -> v2
    event SwitchService
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    app-active -> v1
    event SwitchService
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    "#);
}

#[test]
fn bg_retry_after_abort_delay() {
    let mut bench = post_failed();
    bench.seconds(40);
    bench.take_trace();
    bench.retry();
    bench.seconds(3);
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" active=v1 preview=v2 current=v2 stable=v1
    error: Operation cannot be fulfilled on replicasets.apps "app-v2": the object has been modified; please apply your changes to the latest version and try again
    Progressing "more replicas need to be updated" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline removed
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline set
    "#);
}

#[test]
fn bg_retry_after_pre_failure() {
    let mut bench = pre();
    bench.release_and_wait("v2");
    bench.run_ends("pre", "Failed");
    bench.take_trace();
    bench.retry();
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed: the metric failed" active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline removed
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v2
    Healthy "" abort active=v2 preview=v2 current=v2 stable=v2
    "#);
}

#[test]
fn bg_retry_after_pre_failure_abort_delay_zero() {
    let mut bench =
        Bench::deployed(json!({"prePromotionAnalysis": analysis("pre"), "abortScaleDownDelaySeconds": 0}));
    bench.release_and_wait("v2");
    bench.run_ends("pre", "Failed");
    bench.take_trace();
    bench.retry();
    bench.run_ends("pre.1", "Successful");
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed: the metric failed" active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    ar app-v2-2-pre.1 created
    ar app-v2-2-pre.1 Running
    event AnalysisRunRunning: PrePromotion Analysis Run 'app-v2-2-pre.1' Status New: 'Running' Previous: ''
    ar app-v2-2-pre.1 Successful
    app-active -> v2
    event SwitchService
    event AnalysisRunSuccessful: PrePromotion Analysis Run 'app-v2-2-pre.1' Status New: 'Successful' Previous: 'Running'
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_retry_manual_abort_inside_delay() {
    let mut bench = Bench::deployed(json!({"autoPromotionEnabled": false}));
    bench.release_and_wait("v2");
    bench.abort();
    bench.take_trace();
    bench.retry();
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2" active=v1 preview=v2 current=v2 stable=v1
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline removed
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    "#);
}

#[test]
fn bg_abort_then_promote_full() {
    let mut bench = post_failed();
    bench.seconds(40);
    bench.take_trace();
    bench.promote_full();
    bench.seconds(3);
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" active=v1 preview=v2 current=v2 stable=v1
    error: Operation cannot be fulfilled on replicasets.apps "app-v2": the object has been modified; please apply your changes to the latest version and try again
    Progressing "more replicas need to be updated" active=v1 preview=v2 current=v2 stable=v1
    rs app-v2 deadline removed
    rs app-v2 0 -> 2
    event ScalingReplicaSet
    Progressing "active service cutover pending" active=v1 preview=v2 current=v2 stable=v1
    app-active -> v2
    event SwitchService
    event RolloutCompleted: Rollout completed update to revision 2 (v2): Full promotion requested
    Healthy "" active=v2 preview=v2 current=v2 stable=v2
    rs app-v1 deadline set
    event RolloutAborted!: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed
    Degraded "RolloutAborted: Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: the metric failed" abort active=v2 preview=v2 current=v2 stable=v2
    Healthy "" abort active=v2 preview=v2 current=v2 stable=v2
    "#);
}

//! Templates borrowed from a Deployment, and what becomes of the Deployment's own pods.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::acts::{analysis, borrower, deployment, template};
use super::bench::Bench;
use crate::argo::rollout::{HASH_LABEL, REVISION, WORKLOAD_GENERATION};
use crate::twin::store::{Kind, Part, Patch, text_at};

#[test]
fn bg_workload_ref_update() {
    let mut bench = Bench::lent(json!({"scaleDownDelaySeconds": 5}), "onsuccess");
    bench.seconds(10);
    bench.release_lent("v2");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    deployment app replicas=2 available=0
    rs (of app) created 2
    deployment app replicas=2 available=2
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
    deployment app replicas=0 available=2
    rs (of app) 2 -> 0
    deployment app replicas=0 available=0
    rs (of app) created 0
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
fn bg_workload_ref_post_failed() {
    let strategy = json!({"abortScaleDownDelaySeconds": 8, "postPromotionAnalysis": analysis("post")});
    let mut bench = Bench::lent(strategy, "onsuccess");
    bench.seconds(12);
    bench.take_trace();
    bench.release_lent("v2");
    bench.seconds(5);
    bench.run_ends("post", "Failed");
    bench.seconds(10);
    assert_snapshot!(bench.take_trace(), @r#"
    rs (of app) created 1
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
    rs (of app) 2 -> 1
    deployment app replicas=2 available=3
    rs (of app) 1 -> 2
    app-active -> v2
    event SwitchService
    Progressing "waiting for analysis to complete" active=v2 preview=v2 current=v2 stable=v1
    ar app-v2-2-post created
    ar app-v2-2-post Running
    deployment app replicas=2 available=2
    event AnalysisRunRunning: PostPromotion Analysis Run 'app-v2-2-post' Status New: 'Running' Previous: ''
    rs (of app) 1 -> 0
    deployment app replicas=2 available=3
    deployment app replicas=2 available=2
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
fn bg_workload_ref_deployment_deleted() {
    let strategy = json!({"abortScaleDownDelaySeconds": 10, "postPromotionAnalysis": analysis("post")});
    let mut bench = Bench::lent(strategy, "onsuccess");
    bench.seconds(10);
    bench.release_lent("v2");
    bench.seconds(5);
    bench.take_trace();
    bench.delete(Kind::Deployment, "app");
    bench.seconds(13);
    bench.run_ends("post", "Failed");
    bench.seconds(17);
    assert_snapshot!(bench.take_trace(), @r#"
    deployment app deleted
    rs (of app) deleted
    rs (of app) deleted
    ar app-v2-2-post Failed
    Degraded "InvalidSpec: The Rollout "app" is invalid: deployments.apps "ns/app" not found" active=v2 preview=v2 current=v2 stable=v1
    "#);
    let owned = bench.store.list(Kind::ReplicaSet, None).filter(|(_, set)| {
        set["metadata"]["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty())
    });
    assert_eq!(owned.count(), 0);
}

#[test]
fn bg_workload_ref_undo() {
    let mut bench = Bench::lent(json!({"scaleDownDelaySeconds": 20}), "onsuccess");
    bench.seconds(11);
    bench.release_lent("v2");
    bench.seconds(6);
    bench.take_trace();
    bench.undo_lent();
    bench.seconds(5);
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
fn nothing_is_done_before_the_deployment_is_there() {
    let mut bench = Bench::with_services();
    bench.create(Kind::Rollout, borrower(&json!({}), "never"));
    bench.seconds(30);
    bench.create(Kind::Deployment, deployment());
    bench.seconds(5);
    assert_snapshot!(bench.take_trace(), @r#"
    event RolloutAddedToInformer
    Degraded "InvalidSpec: The Rollout "app" is invalid: deployments.apps "ns/app" not found" active=- preview=- current=- stable=-
    deployment app replicas=2 available=0
    rs (of app) created 2
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
    deployment app replicas=2 available=2
    app-active -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    "#);
}

/// An unresolved Rollout has no selector either, so it lets go of its ReplicaSets; the Deployment's selector fits them,
/// their template does not, and it empties them while the active Service still points there. The recording
/// `bg-workload-ref-deployment-deleted` shows the first half; the second needs the Deployment to be there.
#[test]
fn a_template_of_ones_own_beside_a_borrowed_one_costs_all_pods() {
    let mut bench = Bench::lent(json!({}), "never");
    bench.seconds(5);
    bench.take_trace();
    bench.spec(json!({"template": template("v1")}));
    bench.seconds(1);
    assert_snapshot!(bench.take_trace(), @r#"
    Degraded "InvalidSpec: The Rollout "app" is invalid: template must be empty for workload reference rollout" active=v1 preview=v1 current=v1 stable=v1
    error: Operation cannot be fulfilled on replicasets.apps "app-v1": the object has been modified; please apply your changes to the latest version and try again
    rs (of app) 2 -> 0
    deployment app replicas=2 available=4
    deployment app replicas=2 available=2
    "#);
}

#[test]
fn only_what_has_a_pod_template_lends() {
    let mut bench = Bench::lent(json!({}), "never");
    bench.seconds(5);
    let mut message = |workload: Value| {
        bench.spec(json!({"workloadRef": workload}));
        let rollout = bench.get(Kind::Rollout, "app").expect("it is there");
        text_at(rollout, "/status/message").to_owned()
    };
    let prefix = "InvalidSpec: The Rollout \"app\" is invalid: ";
    let set = message(json!({"kind": "StatefulSet"}));
    assert_eq!(set, format!("{prefix}workload of type apps/StatefulSet is not supported"));
    let old = message(json!({"kind": "Deployment", "apiVersion": "apps/v1beta1"}));
    assert_eq!(old, format!("{prefix}the server could not find the requested resource"));
    let other = message(json!({"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "x"}));
    assert_eq!(other, format!("{prefix}replicasets.apps \"ns/x\" not found"));
}

/// A PodTemplate has no selector to borrow, and no pods to give: with `onsuccess` the status is never written again.
#[test]
fn a_pod_template_lends_and_is_never_scaled() {
    let released = |scale_down: &str| {
        let mut bench = Bench::with_services();
        bench.create(Kind::PodTemplate, json!({"metadata": {"name": "app"}, "template": template("v1")}));
        let mut rollout = borrower(&json!({}), scale_down);
        rollout["spec"]["selector"] = json!({"matchLabels": {"app": "app"}});
        rollout["spec"]["workloadRef"]["apiVersion"] = json!("v1");
        rollout["spec"]["workloadRef"]["kind"] = json!("PodTemplate");
        bench.create(Kind::Rollout, rollout);
        bench.seconds(5);
        bench.merge(Kind::PodTemplate, "app", Part::Main, json!({"template": template("v2")}));
        bench.seconds(5);
        bench
    };
    let mut bench = released("never");
    assert_eq!(
        bench.get(Kind::Rollout, "app").expect("it is there")["metadata"]["annotations"][REVISION],
        "2"
    );
    assert!(bench.take_trace().ends_with("rs app-v1 deadline set"));
    assert!(released("onsuccess").take_trace().contains("error: deployments.apps \"app\" not found"));
}

#[test]
fn a_deployment_that_shrinks_progressively_gives_what_the_rollout_has() {
    let mut bench = Bench::lent(json!({"postPromotionAnalysis": analysis("post")}), "progressively");
    bench.ready_after = None;
    let name = bench.first_revision();
    bench.take_trace();
    for ready in [1, 2] {
        bench.set_replica_set(&name, 2, ready);
        bench.settle();
    }
    assert_snapshot!(bench.take_trace(), @r#"
    deployment app replicas=1 available=2
    rs (of app) 2 -> 1
    app-active -> v1
    event SwitchService
    Healthy "" active=v1 preview=v1 current=v1 stable=v1
    deployment app replicas=0 available=2
    rs (of app) 1 -> 0
    "#);
}

#[test]
fn a_scaled_deployment_is_another_generation_and_the_same_revision() {
    let mut bench = Bench::lent(json!({}), "onsuccess");
    bench.seconds(10);
    let rollout = bench.get(Kind::Rollout, "app").expect("it is there").clone();
    assert_eq!(rollout["metadata"]["annotations"][WORKLOAD_GENERATION], "2");
    assert_eq!(rollout["status"]["workloadObservedGeneration"], "2");
    assert_eq!(rollout["metadata"]["annotations"][REVISION], "1");
    assert!(rollout["spec"].get("template").is_none() && rollout["spec"].get("selector").is_none());
}

#[test]
fn without_the_reference_its_traces_go() {
    let mut bench = Bench::lent(json!({}), "onsuccess");
    bench.seconds(10);
    let spec =
        json!({"workloadRef": null, "selector": {"matchLabels": {"app": "app"}}, "template": template("v2")});
    bench.spec(spec);
    bench.seconds(10);
    let rollout = bench.get(Kind::Rollout, "app").expect("it is there").clone();
    assert!(rollout["metadata"]["annotations"].get(WORKLOAD_GENERATION).is_none());
    assert!(rollout["status"].get("workloadObservedGeneration").is_none());
    assert_eq!(rollout["status"]["phase"], "Healthy");
}

/// More of a bench: what `undo` sends.
impl Bench {
    /// The name of the first revision's ReplicaSet.
    fn first_revision(&self) -> String {
        let mut sets = self.store.list(Kind::ReplicaSet, None);
        let first = sets.find(|(_, set)| set["metadata"]["annotations"][REVISION] == "1");
        first.expect("a first revision").0.name.to_string()
    }

    /// `kubectl argo rollouts undo`: the template of the first revision, with what the API server has added to it, goes
    /// to the Deployment.
    fn undo_lent(&mut self) {
        let set = self.get(Kind::ReplicaSet, &self.first_revision()).expect("it is there");
        let mut template = set["spec"]["template"].clone();
        template["metadata"]["labels"].as_object_mut().expect("labels").remove(HASH_LABEL);
        let patch = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
        self.patch(Kind::Deployment, "app", Part::Main, &Patch::Json(patch));
    }
}

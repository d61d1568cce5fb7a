//! The worked examples of upstream's comments and tests (utils/replicaset/canary_test.go v1.9.1).

use serde_json::json;

use super::*;

fn rs(name: &str, replicas: i32, available: i32) -> ReplicaSet {
    ReplicaSet::of(json!({
        "metadata": {"name": name},
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas, "availableReplicas": available},
    }))
}

/// A canary of so many replicas at a weight, with surge and unavailable.
fn rollout(replicas: i32, weight: i32, surge: i32, unavailable: i32) -> Rollout {
    let canary = json!({
        "maxSurge": surge, "maxUnavailable": unavailable, "steps": [{"setWeight": weight}],
    });
    Rollout::read(&json!({
        "spec": {"replicas": replicas, "strategy": {"canary": canary}},
        "status": {"stableRS": "a", "currentPodHash": "b", "currentStepIndex": 0},
    }))
    .expect("a Rollout")
}

/// One move: replicas, weight, surge and unavailable; new and stable with the availability of each.
fn check(spec: (i32, i32, i32, i32), new: (i32, i32), stable: (i32, i32), expect: (i32, i32)) {
    let rollout = rollout(spec.0, spec.1, spec.2, spec.3);
    let (new, stable) = (rs("new", new.0, new.1), rs("stable", stable.0, stable.1));
    let revisions = Revisions { rollout: &rollout, new: Some(&new), stable: Some(&stable), other: &[] };
    let sizes = revisions.sizes(None);
    assert_eq!((sizes.canary, sizes.stable), expect);
}

#[test]
fn the_first_move_stays_within_surge_and_unavailable() {
    check((10, 10, 1, 1), (0, 0), (10, 10), (1, 9));
    check((10, 30, 3, 0), (0, 0), (10, 10), (3, 10));
    check((10, 30, 0, 5), (0, 0), (10, 10), (0, 7));
    check((10, 5, 1, 1), (0, 0), (10, 10), (1, 10));
    check((1, 5, 1, 0), (0, 0), (1, 1), (1, 1));
    check((1, 95, 1, 0), (0, 0), (1, 1), (1, 1));
    check((5, 20, 1, 1), (0, 0), (5, 5), (1, 4));
}

#[test]
fn pods_that_are_not_available_do_not_keep_the_side_that_shrinks_alive() {
    check((10, 0, 1, 1), (5, 0), (5, 5), (4, 6));
    check((10, 100, 1, 1), (5, 5), (5, 0), (6, 4));
}

fn check_target(replicas: i32, weight: i32, surge: i32, expect: (i32, i32)) {
    let sizes = approximate(replicas, weight, 100, surge);
    assert_eq!((sizes.canary, sizes.stable), expect);
}

#[test]
fn the_closest_share_wins_and_ties_go_up() {
    check_target(3, 50, 0, (2, 1));
    check_target(0, 50, 1, (0, 0));
    check_target(10, 0, 1, (0, 10));
    check_target(10, 100, 1, (10, 0));
    check_target(1, 5, 0, (0, 1));
    check_target(10, 95, 3, (10, 1));
    check_target(10, 66, 3, (7, 4));
    check_target(10, 25, 3, (3, 8));
}

#[test]
fn older_revisions_go_before_anything_else_shrinks() {
    let rollout = rollout(5, 100, 1, 1);
    let (new, stable) = (rs("new", 1, 1), rs("stable", 4, 4));
    let other = [rs("other", 1, 1)];
    let revisions = Revisions { rollout: &rollout, new: Some(&new), stable: Some(&stable), other: &other };
    assert_eq!(revisions.sizes(None), Sizes { canary: 1, stable: 4 });
}

#[test]
fn without_another_stable_revision_the_new_one_gets_everything() {
    let rollout = rollout(5, 20, 1, 1);
    let new = rs("new", 0, 0);
    let revisions = Revisions { rollout: &rollout, new: Some(&new), stable: None, other: &[] };
    assert_eq!(revisions.sizes(None), Sizes { canary: 5, stable: 0 });
}

#[test]
fn a_threshold_lowers_what_must_be_available() {
    let threshold = |kind: &str, value| Some(ProgressThreshold { kind: kind.into(), value });
    let met = |threshold: Option<ProgressThreshold>, available| {
        progress_threshold_met(threshold.as_ref(), Some(&rs("new", 6, available)), 6)
    };
    assert!(!met(None, 5));
    assert!(met(None, 6));
    assert!(!met(threshold("Percent", 60), 3));
    assert!(met(threshold("Percent", 60), 4));
    assert!(met(threshold("Pods", 2), 2));
    assert!(!met(threshold("Percent", -1), 5));
}

//! Revisions and sizes, kept as annotations of ReplicaSets (utils/annotations/annotations.go v1.9.1).

use super::views::{DESIRED, ReplicaSet};
use crate::argo::rollout::{REVISION, Rollout};

/// Where a ReplicaSet remembers the revisions it served before.
const HISTORY: &str = "rollout.argoproj.io/revision-history";

/// Annotations of a Rollout that its ReplicaSets do not inherit.
const NOT_INHERITED: [&str; 5] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    "notified.notifications.argoproj.io",
];

/// Copies the Rollout's annotations and the revision; returns whether anything changed.
///
/// Any change appends the old revision to the history, even one that has nothing to do with revisions.
pub(super) fn sync_new(rollout: &Rollout, rs: &mut ReplicaSet, revision: i64, exists: bool) -> bool {
    let mut changed = inherit(rollout, rs);
    let before = rs.annotation(REVISION).map(str::to_owned);
    let Some(number) =
        before.as_deref().filter(|text| !text.is_empty()).map_or(Some(0), |text| text.parse().ok())
    else {
        // Upstream gives up on a revision it cannot read and reports no change at all.
        return false;
    };
    if number < revision {
        rs.annotate(REVISION, &revision.to_string());
        changed = true;
    }
    if let (Some(before), true) = (before, changed) {
        let history = rs.annotation(HISTORY).filter(|text| !text.is_empty());
        let history = history.map_or(before.clone(), |history| format!("{history},{before}"));
        rs.annotate(HISTORY, &history);
    }
    if !exists {
        rs.annotate(DESIRED, &rollout.replicas().to_string());
    }
    changed || !exists
}

fn inherit(rollout: &Rollout, rs: &mut ReplicaSet) -> bool {
    let mut changed = false;
    for (key, value) in &rollout.metadata.annotations {
        if !NOT_INHERITED.contains(&key.as_str()) && rs.annotation(key).unwrap_or("") != value {
            rs.annotate(key, value);
            changed = true;
        }
    }
    changed
}

/// Whether the wanted size a ReplicaSet remembers is out of date (`ReplicasAnnotationsNeedUpdate`).
pub(super) fn desired_is_stale(rs: &ReplicaSet, wanted: i32) -> bool {
    rs.annotation(DESIRED) != Some(wanted.to_string().as_str()) || (wanted == 0 && rs.has_deadline())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout(annotations: serde_json::Value) -> Rollout {
        Rollout::read(&json!({"metadata": {"annotations": annotations}})).expect("a Rollout")
    }

    #[test]
    fn going_back_to_a_revision_remembers_the_ones_it_was() {
        let mut rs = ReplicaSet::of(json!({"metadata": {"annotations": {REVISION: "1"}}}));
        assert!(sync_new(&rollout(json!({})), &mut rs, 3, true));
        assert!(sync_new(&rollout(json!({})), &mut rs, 5, true));
        assert_eq!(rs.annotation(REVISION), Some("5"));
        assert_eq!(rs.annotation(HISTORY), Some("1,3"));
        assert!(!sync_new(&rollout(json!({})), &mut rs, 5, true));
    }

    #[test]
    fn any_annotation_appends_to_the_history_but_some_are_not_inherited() {
        let mut rs = ReplicaSet::of(json!({"metadata": {"annotations": {REVISION: "2"}}}));
        assert!(!sync_new(&rollout(json!({REVISION: "9", DESIRED: "9"})), &mut rs, 2, true));
        assert!(sync_new(&rollout(json!({"team": "a"})), &mut rs, 2, true));
        assert_eq!(rs.annotation("team"), Some("a"));
        assert_eq!(rs.annotation(HISTORY), Some("2"));
    }

    #[test]
    fn a_revision_that_is_no_number_is_left_alone() {
        let mut rs = ReplicaSet::of(json!({"metadata": {"annotations": {REVISION: "x"}}}));
        assert!(!sync_new(&rollout(json!({})), &mut rs, 3, true));
        assert_eq!(rs.annotation(REVISION), Some("x"));
    }
}

//! A Deployment and its `ReplicaSets`, as one reconcile reads them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::argo::rollout::LabelSelector;
use crate::clock::Moment;
use crate::twin::store::text_at;

/// The label that tells the pods of one template from those of another.
pub(super) const HASH_LABEL: &str = "pod-template-hash";
/// The annotation with a revision number.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// Where a `ReplicaSet` remembers the revisions it served before.
pub(super) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The annotation with the size the Deployment wanted when it last scaled a `ReplicaSet`.
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// The same with its surge.
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// A number that means "never" or "all of them" (`math.MaxInt32`).
const UNBOUNDED: i64 = i32::MAX as i64;

/// A Deployment.
#[derive(Debug, Clone)]
pub(super) struct Deployment {
    /// The object as it was read.
    pub(super) object: Value,
    /// `spec.replicas`.
    pub(super) replicas: i64,
    /// How many pods more than wanted an update may have.
    pub(super) surge: i64,
    /// How many pods fewer than wanted an update may have.
    pub(super) unavailable: i64,
    /// Whether all old pods go before the first new one comes.
    pub(super) recreates: bool,
    /// Its selector.
    pub(super) selector: LabelSelector,
}

impl Deployment {
    /// Reads a Deployment that an API server has given its defaults.
    pub(super) fn read(object: &Value) -> Result<Deployment, String> {
        let spec = &object["spec"];
        let replicas = spec["replicas"].as_i64().unwrap_or(1);
        let recreates = match text_at(spec, "/strategy/type") {
            "Recreate" => true,
            "RollingUpdate" => false,
            other => return Err(format!("unexpected deployment strategy type: {other}")),
        };
        let (surge, unavailable) =
            if recreates { (0, 0) } else { fenceposts(&spec["strategy"]["rollingUpdate"], replicas)? };
        let selector = serde_json::from_value(spec["selector"].clone()).map_err(|error| error.to_string())?;
        Ok(Deployment { object: object.clone(), replicas, surge, unavailable, recreates, selector })
    }

    pub(super) fn name(&self) -> &str {
        text_at(&self.object, "/metadata/name")
    }

    pub(super) fn uid(&self) -> &str {
        text_at(&self.object, "/metadata/uid")
    }

    pub(super) fn template(&self) -> &Value {
        &self.object["spec"]["template"]
    }

    pub(super) fn status(&self) -> &Value {
        &self.object["status"]
    }

    pub(super) fn generation(&self) -> i64 {
        self.object["metadata"]["generation"].as_i64().unwrap_or(0)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.object["spec"]["paused"] == true
    }

    pub(super) fn is_deleted(&self) -> bool {
        !text_at(&self.object, "/metadata/deletionTimestamp").is_empty()
    }

    /// `spec.minReadySeconds`.
    pub(super) fn min_ready_seconds(&self) -> i64 {
        self.object["spec"]["minReadySeconds"].as_i64().unwrap_or(0)
    }

    /// After how long without progress it says so; `None` when it never does.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let seconds = self.object["spec"]["progressDeadlineSeconds"].as_i64();
        let seconds = seconds.filter(|seconds| *seconds != UNBOUNDED)?;
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    /// How many old `ReplicaSets` it keeps; `None` for all.
    pub(super) fn history_limit(&self) -> Option<usize> {
        let limit = self.object["spec"]["revisionHistoryLimit"].as_i64();
        limit.filter(|limit| *limit != UNBOUNDED).map(|limit| usize::try_from(limit).unwrap_or(0))
    }

    /// How often a `ReplicaSet`'s name was taken.
    pub(super) fn collisions(&self) -> Option<i32> {
        self.status()["collisionCount"].as_i64().and_then(|count| i32::try_from(count).ok())
    }

    /// The annotations it hands down to its `ReplicaSets`.
    pub(super) fn inherited(&self) -> impl Iterator<Item = (&String, &str)> {
        let own = [
            "kubectl.kubernetes.io/last-applied-configuration",
            "deprecated.deployment.rollback.to",
            REVISION,
            HISTORY,
            DESIRED,
            MAX,
        ];
        let all = self.object["metadata"]["annotations"].as_object().into_iter().flatten();
        all.filter(move |(key, _)| !own.contains(&key.as_str()))
            .filter_map(|(key, value)| Some((key, value.as_str()?)))
    }

    /// The reference by which it owns its `ReplicaSets`.
    pub(super) fn reference(&self) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "name": self.name(), "uid": self.uid(),
            "controller": true, "blockOwnerDeletion": true,
        })
    }
}

/// `ResolveFenceposts`: surge is rounded up, unavailability down, and one of them is at least one.
fn fenceposts(rolling: &Value, replicas: i64) -> Result<(i64, i64), String> {
    let surge = scaled(&rolling["maxSurge"], replicas, true)?;
    let unavailable = scaled(&rolling["maxUnavailable"], replicas, false)?;
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
    Ok((surge, unavailable.min(replicas)))
}

/// A number, or a percentage of the wanted pods.
fn scaled(value: &Value, replicas: i64, up: bool) -> Result<i64, String> {
    match value {
        Value::Null => Ok(0),
        Value::Number(number) => Ok(number.as_i64().unwrap_or(0)),
        other => {
            let percent = other.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
            let percent = percent.ok_or_else(|| {
                format!("invalid value for IntOrString: invalid type: string is not a percentage: {other}")
            })?;
            let share = replicas.saturating_mul(percent);
            Ok(if up { share.saturating_add(99).div_euclid(100) } else { share.div_euclid(100) })
        }
    }
}

/// One of its `ReplicaSets`.
#[derive(Debug, Clone)]
pub(super) struct Set(pub(super) Value);

impl Set {
    pub(super) fn name(&self) -> &str {
        text_at(&self.0, "/metadata/name")
    }

    pub(super) fn uid(&self) -> &str {
        text_at(&self.0, "/metadata/uid")
    }

    /// Older ones compare as less.
    pub(super) fn age(&self) -> (&str, &str) {
        (text_at(&self.0, "/metadata/creationTimestamp"), self.name())
    }

    /// `spec.replicas`.
    pub(super) fn size(&self) -> i64 {
        self.0["spec"]["replicas"].as_i64().unwrap_or(1)
    }

    /// A number of its status; absent is none.
    pub(super) fn count(&self, field: &str) -> i64 {
        self.0["status"][field].as_i64().unwrap_or(0)
    }

    pub(super) fn available(&self) -> i64 {
        self.count("availableReplicas")
    }

    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.0["metadata"]["annotations"].get(key)?.as_str()
    }

    /// Sets an annotation; returns whether it was another.
    pub(super) fn annotate(&mut self, key: &str, value: &str) -> bool {
        if self.annotation(key) == Some(value) {
            return false;
        }
        let annotations = &mut self.0["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = Value::Object(Map::new());
        }
        annotations[key] = json!(value);
        true
    }

    /// A count in an annotation, when it is one.
    pub(super) fn noted(&self, key: &str) -> Option<i64> {
        self.annotation(key)?.parse::<u32>().ok().map(i64::from)
    }

    /// The revision; zero without one, `None` when it cannot be read.
    pub(super) fn revision(&self) -> Option<i64> {
        self.annotation(REVISION).map_or(Some(0), |text| text.parse().ok())
    }

    /// Whether it carries the Deployment's template (`EqualIgnoreHash`).
    pub(super) fn carries(&self, template: &Value) -> bool {
        let plain = |template: &Value| {
            let mut template = template.clone();
            if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
                labels.remove(HASH_LABEL);
            }
            template
        };
        plain(&self.0["spec"]["template"]) == plain(template)
    }

    /// The copy after a write: its version is the newest one.
    pub(super) fn written(mut self) -> Set {
        if let Some(meta) = self.0["metadata"].as_object_mut() {
            meta.remove("resourceVersion");
        }
        self
    }
}

/// The moment in a condition.
pub(super) fn moment(condition: &Value, field: &str) -> Option<Moment> {
    Moment::parse_rfc3339(condition[field].as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(surge: Value, unavailable: Value, replicas: i64, expect: (i64, i64)) {
        let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        assert_eq!(fenceposts(&rolling, replicas), Ok(expect));
    }

    #[test]
    fn surge_is_rounded_up_and_unavailability_down() {
        check(json!("25%"), json!("25%"), 2, (1, 0));
        check(json!("25%"), json!("25%"), 10, (3, 2));
        check(json!(2), json!(3), 4, (2, 3));
    }

    #[test]
    fn something_may_always_move() {
        check(json!("0%"), json!("1%"), 1, (0, 1));
        check(json!(0), json!("30%"), 3, (0, 1));
    }

    #[test]
    fn without_pods_nothing_is_unavailable() {
        check(json!("25%"), json!("25%"), 0, (0, 0));
    }

    #[test]
    fn a_share_that_is_none_is_an_error() {
        assert!(fenceposts(&json!({"maxSurge": "many"}), 3).is_err());
    }
}

//! Counts, conditions, and the deadline (progress.go and `calculateStatus` in sync.go v1.34).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::object::{REVISION, Set, moment};
use super::sync::Sync;
use crate::twin::effect::Effect;
use crate::twin::store::{Kind, Part, Patch, text_at};

const PROGRESSING: &str = "Progressing";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const DONE: &str = "NewReplicaSetAvailable";
const PAUSED: &str = "DeploymentPaused";

impl Sync<'_> {
    pub(super) fn condition(&self, kind: &str) -> Option<&Value> {
        self.conditions.iter().find(|condition| condition["type"] == kind)
    }

    fn reason(&self, kind: &str) -> &str {
        self.condition(kind).map_or("", |condition| text_at(condition, "/reason"))
    }

    fn drop_condition(&mut self, kind: &str) {
        self.conditions.retain(|condition| condition["type"] != kind);
    }

    /// Sets a condition, at the end of the list; nothing happens while status and reason stay.
    pub(super) fn set_condition(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let now = self.now.rfc3339();
        let before = self.condition(kind).filter(|before| before["status"] == status);
        if before.is_some_and(|before| before["reason"] == reason) {
            return;
        }
        let since = before.map_or(json!(now), |before| before["lastTransitionTime"].clone());
        self.drop_condition(kind);
        self.conditions.push(json!({
            "type": kind, "status": status, "lastUpdateTime": now, "lastTransitionTime": since,
            "reason": reason, "message": message,
        }));
    }

    /// `checkPausedConditions`: a pause is no lack of progress.
    pub(super) fn tell_pause(&mut self) {
        if self.deployment.deadline().is_none() || self.reason(PROGRESSING) == TIMED_OUT {
            return;
        }
        match (self.deployment.is_paused(), self.reason(PROGRESSING) == PAUSED) {
            (true, false) => self.set_condition(PROGRESSING, "Unknown", PAUSED, "Deployment is paused"),
            (false, true) => {
                self.set_condition(PROGRESSING, "Unknown", "DeploymentResumed", "Deployment is resumed");
            }
            _ => {}
        }
    }

    fn count(&self, field: &str) -> i64 {
        self.all().map(|set| set.count(field)).sum()
    }

    /// `DeploymentComplete`: everything wanted is new and available, and nothing else is left.
    pub(super) fn is_complete(&self, status: &Value) -> bool {
        let counts = ["updatedReplicas", "replicas", "availableReplicas"];
        counts.iter().all(|field| number(status, field) == self.deployment.replicas)
            && number(status, "observedGeneration") >= self.deployment.generation()
    }

    /// `syncRolloutStatus`: done, moving, or stuck.
    pub(super) fn estimate_progress(&mut self) {
        let Some(deadline) = self.deployment.deadline() else {
            return self.drop_condition(PROGRESSING);
        };
        let counts = Value::Object(self.counts());
        let done_before = self.reason(PROGRESSING) == DONE;
        if !(done_before && number(&counts, "replicas") == number(&counts, "updatedReplicas")) {
            let of_set = self.new.as_ref().map(|new| format!("ReplicaSet \"{}\"", new.name()));
            let who = of_set.unwrap_or_else(|| format!("Deployment \"{}\"", self.deployment.name()));
            if self.is_complete(&counts) {
                self.set_condition(PROGRESSING, "True", DONE, &format!("{who} has successfully progressed."));
            } else if self.is_moving(&counts) {
                self.renew_progress(&format!("{who} is progressing."));
            } else if self.is_timed_out(deadline) {
                let message = format!("{who} has timed out progressing.");
                self.set_condition(PROGRESSING, "False", TIMED_OUT, &message);
            }
        }
        // What was done once never times out, however many pods it loses.
        if !self.is_complete(&counts) && ![TIMED_OUT, DONE].contains(&self.reason(PROGRESSING)) {
            self.come_back_at_the_deadline(deadline);
        }
    }

    /// `DeploymentProgressing`: new pods came or got ready, or old ones went.
    fn is_moving(&self, new: &Value) -> bool {
        let old = self.deployment.status();
        let old_pods = |status: &Value| number(status, "replicas") - number(status, "updatedReplicas");
        let grew = |field: &str| number(new, field) > number(old, field);
        ["updatedReplicas", "readyReplicas", "availableReplicas"].into_iter().any(grew)
            || old_pods(new) < old_pods(old)
    }

    /// Progress is renewed even under the same reason: the deadline counts from it.
    fn renew_progress(&mut self, message: &str) {
        let before = self.condition(PROGRESSING).filter(|before| before["status"] == "True");
        let since = before.map(|before| before["lastTransitionTime"].clone());
        self.drop_condition(PROGRESSING);
        self.set_condition(PROGRESSING, "True", "ReplicaSetUpdated", message);
        if let (Some(since), Some(condition)) = (since, self.conditions.last_mut()) {
            condition["lastTransitionTime"] = since;
        }
    }

    fn is_timed_out(&self, deadline: Duration) -> bool {
        let Some(condition) = self.condition(PROGRESSING) else { return false };
        match text_at(condition, "/reason") {
            DONE => false,
            TIMED_OUT => true,
            _ => moment(condition, "lastUpdateTime").is_some_and(|from| from + deadline < self.now),
        }
    }

    /// `requeueStuckDeployment`. Upstream spins during the last second; nothing can come of it, so it is left out.
    fn come_back_at_the_deadline(&mut self, deadline: Duration) {
        let from = self.condition(PROGRESSING).and_then(|condition| moment(condition, "lastUpdateTime"));
        if let Some(from) = from {
            let left = (from + deadline).since(self.now);
            self.out.requeue_after(left + Duration::from_secs(1));
        }
    }

    /// The numbers of `calculateStatus`; what is none is left out, as Go leaves it out.
    fn counts(&self) -> Map<String, Value> {
        let wanted: i64 = self.all().map(Set::size).sum();
        let available = self.count("availableReplicas");
        let numbers = [
            ("observedGeneration", self.deployment.generation()),
            ("replicas", self.count("replicas")),
            ("updatedReplicas", self.new.as_ref().map_or(0, |new| new.count("replicas"))),
            ("readyReplicas", self.count("readyReplicas")),
            ("availableReplicas", available),
            ("unavailableReplicas", (wanted - available).max(0)),
        ];
        let said = numbers.into_iter().filter(|(_, number)| *number != 0);
        said.map(|(field, number)| (field.to_owned(), json!(number))).collect()
    }

    fn set_available(&mut self) {
        let needed = self.deployment.replicas - self.deployment.unavailable;
        let (status, reason, message) = if self.count("availableReplicas") >= needed {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        self.set_condition("Available", status, reason, message);
    }

    /// The end of a pass: the status, and the revision, if they are not what they were.
    pub(super) fn write(&mut self) {
        self.set_available();
        let mut status = self.counts();
        status.insert("conditions".into(), json!(self.conditions));
        if let Some(collisions) = self.deployment.collisions() {
            status.insert("collisionCount".into(), json!(collisions));
        }
        let status = Value::Object(status);
        if *self.deployment.status() != status {
            let mut object = self.deployment.object.clone();
            object["status"] = status;
            self.out.push(Effect::Update { kind: Kind::Deployment, part: Part::Status, object });
        }
        let revision = self.revision.take();
        let before = self.deployment.object["metadata"]["annotations"].get(REVISION).and_then(Value::as_str);
        if let Some(revision) = revision.filter(|revision| Some(revision.as_str()) != before) {
            let patch = Patch::Merge(json!({"metadata": {"annotations": {REVISION: revision}}}));
            self.out.push(Effect::Patch { key: self.key.clone(), part: Part::Main, patch });
        }
    }
}

fn number(status: &Value, field: &str) -> i64 {
    status[field].as_i64().unwrap_or(0)
}

//! What the harness does to the cluster: install, the steps of the plan, and putting things back.
//!
//! Acts on a Rollout are the requests that `kubectl argo rollouts` sends (argo-rollouts v1.9.1,
//! pkg/kubectl-argo-rollouts/cmd), so the controller meets what it meets from a person.

use std::time::Duration;

use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::Engine;
use super::objects::Installed;
use crate::cluster::{Trouble, persist};
use crate::plan::{Action, Step, When};
use crate::scenario::{Anchor, PatchType};
use crate::timeline::{self, Entry, Event, Stage};

/// How long an API server may be away before what is to be done is given up.
const PATIENCE: Duration = Duration::from_secs(90);

impl Engine<'_> {
    /// Creates the policy's objects, in the order of the plan.
    pub(super) async fn install(&mut self) -> Result<(), Trouble> {
        let plan = self.plan;
        self.namespaces().await?;
        for object in &plan.objects {
            let Some(target) = self.objects.locate(object).await? else {
                let kind = object["kind"].as_str().unwrap_or_default().to_owned();
                let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                self.record_now(Event::LeftOut { what: format!("{kind} {name}") });
                continue;
            };
            let what = format!("create {target}");
            let object = serde_json::from_value(object.clone()).map_err(kube::Error::SerdeError);
            let object: DynamicObject = object.map_err(Trouble::api(what.clone()))?;
            let params = PostParams::default();
            let create = async || target.api.create(&params, &object).await.map_err(Trouble::api(&what));
            match persist(PATIENCE, create).await {
                Ok(_) => self.created.push(target),
                // A namespace may well be there already; anything else that exists is not ours to touch.
                Err(trouble) if trouble.already_exists() && target.kind == "Namespace" => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// The namespaces that objects name and that nobody has made.
    async fn namespaces(&mut self) -> Result<(), Trouble> {
        let plan = self.plan;
        let named = plan.objects.iter().filter_map(|object| object.pointer("/metadata/namespace")?.as_str());
        let wanted: std::collections::BTreeSet<&str> = named.chain([plan.namespace.as_str()]).collect();
        for name in wanted {
            let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            let Some(target) = self.objects.locate(&object).await? else { continue };
            let what = format!("look for {target}");
            if target.api.get_opt(name).await.map_err(Trouble::api(what))?.is_some() {
                continue;
            }
            let object = serde_json::from_value(object).map_err(kube::Error::SerdeError);
            let object: DynamicObject = object.map_err(Trouble::api("write a namespace"))?;
            target
                .api
                .create(&PostParams::default(), &object)
                .await
                .map_err(Trouble::api(format!("create {target}")))?;
            self.created.push(target);
        }
        Ok(())
    }

    /// Deletes what was created, last first, and looks whether it is gone.
    pub(super) async fn leave(&mut self) -> Result<(), Trouble> {
        self.stage(Stage::Leave);
        // An agent that cannot be told ends by itself; what was created does not.
        if let Err(error) = self.cluster.agent.stop().await {
            tracing::warn!(%error, "the agent was not told to stop");
        }
        let created: Vec<Installed> = std::mem::take(&mut self.created).into_iter().rev().collect();
        let params = DeleteParams::background();
        for target in &created {
            let what = format!("delete {target}");
            let delete = async || target.api.delete(&target.name, &params).await.map_err(Trouble::api(&what));
            match persist(PATIENCE, delete).await {
                Err(trouble) if !trouble.not_found() => return Err(trouble),
                _ => {}
            }
        }
        for target in created.iter().filter(|target| target.kind == "Rollout") {
            let what = format!("look for {target}");
            let look = async || target.api.get_opt(&target.name).await.map_err(Trouble::api(&what));
            let left = persist(PATIENCE, look).await?;
            if left.is_some_and(|left| left.metadata.deletion_timestamp.is_none()) {
                let missing = format!("the end of {target}");
                return Err(Trouble::Missing {
                    missing,
                    help: "it was deleted and is still there".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Takes every step whose time has come, in order.
    pub(super) async fn take_steps(&mut self) -> Result<(), Trouble> {
        let plan = self.plan;
        while let Some(step) = plan.steps.get(self.steps_done) {
            if self.due(step).is_none_or(|due| self.now() < due) {
                return Ok(());
            }
            let what = describe(&step.action);
            tracing::info!(step = self.steps_done, %what, "taking a step");
            let began = self.now();
            self.take_persistently(&step.action, &what).await?;
            let at = self.now();
            let revision = match &step.action {
                Action::Release { revision, .. } => Some(revision.clone()),
                _ => None,
            };
            self.record(Entry { at, event: Event::Acted { step: self.steps_done, what, revision } });
            self.looked_away(began);
            self.steps_done += 1;
            self.last_step = at;
        }
        Ok(())
    }

    /// When a step is due, if that is known yet: never before the step before it.
    fn due(&self, step: &Step) -> Option<timeline::Instant> {
        match &step.when {
            When::Next => Some(self.last_step),
            When::At(after) => match self.judge.moments().first(Anchor::Applied) {
                Some(applied) => Some((applied + after.0).max(self.last_step)),
                None => Some(self.last_step + after.0),
            },
            When::After { moment, plus } => {
                let came = self.judge.moments().all(*moment);
                let since = came.into_iter().find(|at| self.steps_done == 0 || *at >= self.last_step);
                since.map(|at| at + plus.0)
            }
        }
    }

    /// Takes a step again while the API server is away, if taking it twice is the same as taking it once.
    async fn take_persistently(&mut self, action: &Action, what: &str) -> Result<(), Trouble> {
        let again = !matches!(action, Action::Patch { patch_type: PatchType::Json, .. });
        let patience = if again { PATIENCE } else { Duration::ZERO };
        persist(patience, async || self.take_step(action, what).await).await
    }

    async fn take_step(&mut self, action: &Action, what: &str) -> Result<(), Trouble> {
        let rollout = self.rollout_api();
        let name = self.plan.rollout.clone();
        let params = PatchParams::default();
        let status = |status: Value| Patch::Merge(json!({ "status": status }));
        let done = match action {
            Action::Release { patch, .. } => {
                let (owner, name) = self.template_owner();
                patch_json(&owner, &name, patch).await
            }
            Action::Promote { full: true } => {
                rollout.patch_status(&name, &params, &status(json!({ "promoteFull": true }))).await
            }
            Action::Promote { full: false } => self.promote(&rollout, &name).await,
            Action::Abort => rollout.patch_status(&name, &params, &status(json!({ "abort": true }))).await,
            Action::Retry => rollout.patch_status(&name, &params, &status(json!({ "abort": false }))).await,
            Action::Undo { to } => return self.undo(&name, *to).await,
            Action::Patch { kind, name, patch_type, patch } => {
                let target = self.created.iter().find(|target| target.is(kind, name));
                let Some(target) = target else {
                    let missing = format!("{kind} {name}");
                    return Err(Trouble::Missing {
                        missing,
                        help: "a patch needs an object of the policy".to_owned(),
                    });
                };
                match patch_type {
                    PatchType::Merge => target.api.patch(name, &params, &Patch::Merge(patch)).await,
                    PatchType::Json => patch_json(&target.api, name, patch).await,
                }
            }
        };
        done.map(drop).map_err(Trouble::api(what))
    }

    /// `promote`: unpauses the spec if a person paused it, then removes the pause conditions.
    async fn promote(&self, rollout: &Api<DynamicObject>, name: &str) -> Result<DynamicObject, kube::Error> {
        let params = PatchParams::default();
        let now = rollout.get(name).await?;
        if now.data.pointer("/spec/paused") == Some(&Value::Bool(true)) {
            rollout.patch(name, &params, &Patch::Merge(json!({ "spec": { "paused": false } }))).await?;
        }
        rollout
            .patch_status(name, &params, &Patch::Merge(json!({ "status": { "pauseConditions": null } })))
            .await
    }

    /// `undo`: puts the template of an earlier revision's `ReplicaSet` back into the Rollout, or into what lends it.
    /// The path is the same for all, as in upstream's undo.go: with a PodTemplate the API server refuses it.
    async fn undo(&self, name: &str, to: Option<u32>) -> Result<(), Trouble> {
        let what = "undo the release";
        let sets = self.workload_api("ReplicaSet");
        let sets = sets.list(&ListParams::default()).await.map_err(Trouble::api(what))?;
        let mut revisions: Vec<(u32, &DynamicObject)> = sets
            .iter()
            .filter(|set| owned_by(set, name))
            .filter_map(|set| Some((revision(set)?, set)))
            .collect();
        revisions.sort_by_key(|(revision, _)| *revision);
        let wanted = match to {
            Some(to) => revisions.iter().find(|(revision, _)| *revision == to),
            None => revisions.iter().rev().nth(1),
        };
        let Some((_, set)) = wanted else {
            let missing = to.map_or_else(|| "an earlier revision".to_owned(), |to| format!("revision {to}"));
            return Err(Trouble::Missing { missing, help: "there is nothing to undo to".to_owned() });
        };
        let mut template = set.data.pointer("/spec/template").cloned().unwrap_or_default();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove(crate::timeline::recorder::HASH_LABEL);
        }
        let patch = json!([{ "op": "replace", "path": "/spec/template", "value": template }]);
        let patch =
            serde_json::from_value(patch).map_err(kube::Error::SerdeError).map_err(Trouble::api(what))?;
        let (owner, name) = self.template_owner();
        let patched = owner.patch(&name, &PatchParams::default(), &Patch::Json::<()>(patch)).await;
        patched.map(drop).map_err(Trouble::api(what))
    }

    /// Whatever holds the pod template: the Rollout, or the object it borrows from.
    fn template_owner(&self) -> (Api<DynamicObject>, String) {
        match &self.plan.workload {
            Some(workload) => (self.workload_api(&workload.kind), workload.name.clone()),
            None => (self.rollout_api(), self.plan.rollout.clone()),
        }
    }

    /// The API of a kind with a pod template of its own, all of whose plurals are regular.
    fn workload_api(&self, kind: &str) -> Api<DynamicObject> {
        let (group, api_version) = if kind == "PodTemplate" { ("", "v1") } else { ("apps", "apps/v1") };
        let resource = ApiResource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
        };
        Api::namespaced_with(self.cluster.client.clone(), &self.plan.namespace, &resource)
    }

    fn rollout_api(&self) -> Api<DynamicObject> {
        let resource = ApiResource {
            group: "argoproj.io".to_owned(),
            version: "v1alpha1".to_owned(),
            api_version: "argoproj.io/v1alpha1".to_owned(),
            kind: "Rollout".to_owned(),
            plural: "rollouts".to_owned(),
        };
        Api::namespaced_with(self.cluster.client.clone(), &self.plan.namespace, &resource)
    }
}

async fn patch_json(
    api: &Api<DynamicObject>,
    name: &str,
    patch: &Value,
) -> Result<DynamicObject, kube::Error> {
    let patch = serde_json::from_value(patch.clone()).map_err(kube::Error::SerdeError)?;
    api.patch(name, &PatchParams::default(), &Patch::Json::<()>(patch)).await
}

/// A step in a few words.
fn describe(action: &Action) -> String {
    match action {
        Action::Release { revision, fault, .. } => {
            let fault = serde_json::to_value(fault).unwrap_or_default();
            let parts =
                fault.as_object().into_iter().flatten().map(|(key, value)| format!("{key} {}", plain(value)));
            let parts: Vec<String> = parts.collect();
            if parts.is_empty() {
                format!("{revision}, healthy")
            } else {
                format!("{revision}: {}", parts.join("; "))
            }
        }
        Action::Promote { full: true } => "promote --full".to_owned(),
        Action::Promote { full: false } => "promote".to_owned(),
        Action::Abort => "abort".to_owned(),
        Action::Retry => "retry".to_owned(),
        Action::Undo { to: None } => "undo".to_owned(),
        Action::Undo { to: Some(revision) } => format!("undo --to-revision={revision}"),
        Action::Patch { kind, name, .. } => format!("patch {kind}/{name}"),
    }
}

/// A value without JSON's ornaments.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let parts: Vec<String> =
                map.iter().map(|(key, value)| format!("{key} {}", plain(value))).collect();
            parts.join(", ")
        }
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn owned_by(set: &DynamicObject, rollout: &str) -> bool {
    let owners = set.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| owner.kind == "Rollout" && owner.name == rollout)
}

fn revision(set: &DynamicObject) -> Option<u32> {
    set.metadata.annotations.as_ref()?.get("rollout.argoproj.io/revision")?.parse().ok()
}

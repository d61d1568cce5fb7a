//! Selectors of Services (rollout/service.go and service/service.go v1.9.1).

use serde_json::{Value, json};

use super::context::{Context, Outcome, Stop};
use super::events::garbled;
use super::views::Service;
use super::wake;
use crate::argo::rollout::{HASH_LABEL, MANAGED_BY};
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Key, Kind, Part, Patch, Store};

impl Context<'_> {
    /// The preview Service follows the new revision, unless progress is halted.
    pub(super) fn reconcile_preview_service(&mut self) -> Outcome {
        let name = self.bluegreen().preview_service.clone();
        if name.is_empty() || self.is_halted() {
            return Ok(());
        }
        let hash = self.new_rs()?.hash().to_owned();
        self.switch_service(&name, &hash)
    }

    /// The active Service moves only when every pod of the new revision is available, in either direction.
    pub(super) fn reconcile_active_service(&mut self) -> Outcome {
        let new = self.new_rs()?;
        let saturated = new.is_saturated(self.rollout.replicas());
        if self.is_halted() || !self.is_ready_for_pause(&new) || !saturated {
            return Ok(());
        }
        let name = self.bluegreen().active_service.clone();
        let proven = self.completed_blue_green_pause() && self.completed_pre_promotion_analysis();
        let hash = if self.rollout.status.abort {
            self.rollout.status.stable_rs.clone()
        } else if proven || self.is_fast_tracked(&new) {
            new.hash().to_owned()
        } else {
            self.selected(&name)
        };
        self.switch_service(&name, &hash)
    }

    /// `switchServiceSelector`.
    fn switch_service(&mut self, name: &str, hash: &str) -> Outcome {
        let Some(service) = self.service(name) else {
            return Err(Stop(format!("service \"{name}\" not found")));
        };
        let (selected, managed) = (service.selected().map(str::to_owned), service.managed_by().is_some());
        if managed && selected.as_deref() == Some(hash) {
            return Ok(());
        }
        let mut patch = json!({"spec": {"selector": {HASH_LABEL: hash}}});
        if !managed {
            patch["metadata"] = json!({"annotations": {MANAGED_BY: self.rollout.metadata.name}});
        }
        self.patch(Kind::Service, name, Part::Main, Patch::Strategic(patch));
        let before = selected.unwrap_or_default();
        let message = format!("Switched selector for service '{name}' from '{before}' to '{hash}'");
        self.event("SwitchService", garbled(&message));
        if let Some(service) = self.services.get_mut(name) {
            service.select(hash);
        }
        Ok(())
    }
}

/// What the Service controller does about a Service that changed or was released: one that carries the hash although
/// no Rollout names it is freed of hash and annotation (`syncService`). Waking the Rollout is [`super::concerned`]'s.
#[must_use]
pub fn sync_service(store: &Store, key: &Key) -> Reconciled {
    let mut out = Reconciled::nothing();
    let Some(object) = store.get(key) else { return out };
    let service = Service((**object).clone());
    if service.selected().is_none() || !wake::users(store, key, object).is_empty() {
        return out;
    }
    let mut patch = json!({"spec": {"selector": {HASH_LABEL: Value::Null}}});
    if service.managed_by().is_some() {
        patch["metadata"] = json!({"annotations": {MANAGED_BY: Value::Null}});
    }
    out.push(Effect::Patch { key: key.clone(), part: Part::Main, patch: Patch::Merge(patch) });
    out
}

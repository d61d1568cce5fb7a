//! ingress-nginx: beside the stable Ingress one for the new revision (rollout/trafficrouting/nginx/nginx.go v1.9.1).

use serde_json::{Map, Value, json};

use super::super::claim::owner_reference;
use super::super::context::{Context, Outcome, Stop};
use super::super::status::merge_difference;
use crate::argo::rollout::Nginx;
use crate::twin::effect::Effect;
use crate::twin::store::{Kind, Part, Patch, owner_uid, text_at};

/// What the annotations begin with when the Rollout does not say.
const PREFIX: &str = "nginx.ingress.kubernetes.io";
const CLASS: &str = "kubernetes.io/ingress.class";
const SUFFIX: &str = "-canary";

/// The Ingress of the new revision, by the Rollout and the stable Ingress (`GetCanaryIngressName`).
pub(in super::super) fn canary_ingress_name(rollout: &str, stable: &str) -> String {
    let mut name = format!("{rollout}-{stable}");
    // Names have 253 characters at most.
    while name.len() > 253 - SUFFIX.len() {
        name.pop();
    }
    name + SUFFIX
}

impl Context<'_> {
    /// `SetWeight`: every stable Ingress has its canary Ingress, with the weight in an annotation.
    pub(super) fn set_nginx_weight(&mut self, nginx: &Nginx, weight: i32) -> Outcome {
        nginx.ingresses().try_for_each(|stable| self.set_ingress_weight(nginx, stable, weight))
    }

    fn set_ingress_weight(&mut self, nginx: &Nginx, stable: &str, weight: i32) -> Outcome {
        let name = canary_ingress_name(&self.rollout.metadata.name, stable);
        if self.has_written_ingress(&name) {
            return Ok(()); // A weight may be set twice in one reconcile; the second time finds what the first wrote.
        }
        let Some(source) = self.store.get(&self.key.sibling(Kind::Ingress, stable)).cloned() else {
            let cause = format!("ingress.networking.k8s.io \"{stable}\" not found");
            return Err(Stop(format!("error retrieving stableIngress `{stable}` from cache: {cause}")));
        };
        let wanted = self.canary_ingress(nginx, &source, &name, weight)?;
        match self.store.get(&self.key.sibling(Kind::Ingress, &name)).cloned() {
            Some(found) => self.patch_canary_ingress(&found, wanted, weight),
            None => {
                let message = format!("Creating canary ingress `{name}` with weight `{weight}`");
                self.event("CreatingCanaryIngress", message);
                self.create(Kind::Ingress, wanted);
                Ok(())
            }
        }
    }

    fn has_written_ingress(&self, name: &str) -> bool {
        self.out.effects.iter().any(|effect| match effect {
            Effect::Create { kind: Kind::Ingress, object } => text_at(object, "/metadata/name") == name,
            Effect::Patch { key, .. } => key.kind == Kind::Ingress && &*key.name == name,
            _ => false,
        })
    }

    fn patch_canary_ingress(&mut self, found: &Value, mut wanted: Value, weight: i32) -> Outcome {
        let name = text_at(found, "/metadata/name").to_owned();
        if owner_uid(found) != self.rollout.metadata.uid {
            return Err(Stop(format!("canary ingress `{name}` controlled by different object")));
        }
        // What others have annotated stays; what they have labelled does not.
        let theirs = found.pointer("/metadata/annotations").and_then(Value::as_object);
        for (key, value) in theirs.into_iter().flatten() {
            if wanted["metadata"]["annotations"].get(key).is_none() {
                wanted["metadata"]["annotations"][key] = value.clone();
            }
        }
        let Some(difference) = merge_difference(&patched_part(found), &patched_part(&wanted)) else {
            return Ok(());
        };
        let message = format!("Updating Ingress `{name}` to desiredWeight '{weight}'");
        self.event("PatchingCanaryIngress", message);
        self.patch(Kind::Ingress, &name, Part::Main, Patch::Merge(difference));
        Ok(())
    }

    /// `buildCanaryIngress`: the rules that lead to the stable Service, now to the canary Service.
    fn canary_ingress(&self, nginx: &Nginx, stable: &Value, name: &str, weight: i32) -> Outcome<Value> {
        let (from, to) = (&self.canary().stable_service, &self.canary().canary_service);
        let rules = stable.pointer("/spec/rules").and_then(Value::as_array).cloned().unwrap_or_default();
        let rules: Vec<Value> = rules.into_iter().filter_map(|rule| redirected(rule, from, to)).collect();
        if rules.is_empty() {
            let name = &nginx.stable_ingress;
            return Err(Stop(format!("ingress `{name}` has no rules using service {from} backend")));
        }
        let mut spec = json!({"rules": rules});
        for field in ["tls", "ingressClassName"] {
            if let Some(value) = stable["spec"].get(field).filter(|value| !value.is_null()) {
                spec[field] = value.clone();
            }
        }
        Ok(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {
                "name": name, "namespace": &*self.key.namespace,
                "annotations": self.ingress_annotations(nginx, stable, weight),
                "ownerReferences": [owner_reference(&self.rollout)],
            },
            "spec": spec,
            "status": {"loadBalancer": {}},
        }))
    }

    fn ingress_annotations(&self, nginx: &Nginx, stable: &Value, weight: i32) -> Map<String, Value> {
        let prefix =
            Some(nginx.annotation_prefix.as_str()).filter(|prefix| !prefix.is_empty()).unwrap_or(PREFIX);
        let mut annotations = Map::new();
        if let Some(class) = stable.pointer("/metadata/annotations").and_then(|all| all.get(CLASS)) {
            annotations.insert(CLASS.into(), class.clone());
        }
        for (key, value) in &nginx.additional_ingress_annotations {
            let full = key.starts_with(prefix);
            let key = if full { key.clone() } else { format!("{prefix}/{key}") };
            annotations.insert(key, json!(value));
        }
        let full = nginx.canary_ingress_annotations.iter();
        annotations.extend(full.map(|(key, value)| (key.clone(), json!(value))));
        annotations.insert(format!("{prefix}/canary"), json!("true"));
        annotations.insert(format!("{prefix}/canary-weight"), json!(weight.to_string()));
        let total = self.canary().traffic_routing.as_ref().and_then(|routing| routing.max_traffic_weight);
        if let Some(total) = total {
            annotations.insert(format!("{prefix}/canary-weight-total"), json!(total.to_string()));
        }
        annotations
    }
}

/// What of an Ingress upstream compares and patches.
fn patched_part(ingress: &Value) -> Value {
    let mut part = json!({"metadata": {}, "spec": ingress["spec"]});
    for field in ["labels", "annotations"] {
        let map =
            ingress["metadata"].get(field).filter(|map| map.as_object().is_some_and(|map| !map.is_empty()));
        if let Some(map) = map {
            part["metadata"][field] = map.clone();
        }
    }
    part
}

/// A rule with the backends of one Service turned to another; `None` when it has none of them.
fn redirected(mut rule: Value, from: &str, to: &str) -> Option<Value> {
    let paths = rule.pointer_mut("/http/paths").and_then(Value::as_array_mut)?;
    let mut any = false;
    for path in paths {
        if let Some(name) = path.pointer_mut("/backend/service/name").filter(|name| **name == json!(from)) {
            *name = json!(to);
            any = true;
        }
    }
    any.then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_ingress_is_named_after_both_and_cut_to_length() {
        assert_eq!(canary_ingress_name("app", "web"), "app-web-canary");
        let long = canary_ingress_name("app", &"x".repeat(300));
        assert_eq!(long.len(), 253);
        assert!(long.ends_with("x-canary"));
    }

    #[test]
    fn only_rules_with_the_stable_service_are_taken_over() {
        let rule = |service: &str| json!({"http": {"paths": [{"backend": {"service": {"name": service}}}]}});
        assert_eq!(redirected(rule("stable"), "stable", "canary"), Some(rule("canary")));
        assert_eq!(redirected(rule("other"), "stable", "canary"), None);
        assert_eq!(redirected(json!({"host": "h"}), "stable", "canary"), None);
    }
}

//! A Service for a template that is to be reached (experiments/service.go v1.9.1).

use serde_json::{Value, json};

use super::controller::{Context, EXPERIMENT, TEMPLATE};
use super::object::{Template, TemplateStatus};
use crate::twin::effect::Effect;
use crate::twin::rollouts::views::ReplicaSet;
use crate::twin::store::{Kind, owner_uid, text_at};

impl Context<'_> {
    /// There while the template is wanted, gone once its last pod is.
    pub(super) fn reconcile_service(
        &mut self,
        template: &Template,
        set: &ReplicaSet,
        wanted: i32,
        status: &mut TemplateStatus,
    ) {
        match &template.service {
            Some(service) if wanted != 0 => {
                let name = service.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
                self.create_service(template, set, name.unwrap_or(set.name()), status);
            }
            Some(_) if set.available() != 0 => {}
            _ => self.delete_service(template, status),
        }
    }

    /// `createTemplateService`: with the name and the labels of the ReplicaSet and the ports of its containers.
    fn create_service(
        &mut self,
        template: &Template,
        set: &ReplicaSet,
        name: &str,
        status: &mut TemplateStatus,
    ) {
        let ports = ports_of(set);
        let has = self.services.get(&template.name).is_some_and(|service| service == set.name());
        if has || ports.is_empty() {
            return;
        }
        match self.store.get(&self.key.sibling(Kind::Service, name)) {
            None => {
                let object = json!({
                    "apiVersion": "v1", "kind": "Service",
                    "metadata": {
                        "name": name, "namespace": &*self.key.namespace,
                        "annotations": self.annotations(&template.name),
                        "ownerReferences": [self.owner_reference()],
                    },
                    "spec": {"selector": set.0["metadata"]["labels"], "ports": ports},
                });
                self.out.push(Effect::Create { kind: Kind::Service, object });
            }
            Some(found) if self.is_own(found, &template.name) => {}
            Some(_) => {
                status.status = "Error".into();
                let error = format!(
                    "service {name} already exists and is not owned by experiment template {}",
                    template.name
                );
                status.message =
                    format!("Failed to create Service {name} for template '{}': {error}", template.name);
                return;
            }
        }
        self.services.insert(template.name.clone(), name.to_owned());
        status.service_name = name.to_owned();
        status.pod_template_hash = set.hash().to_owned();
    }

    fn is_own(&self, service: &Value, template: &str) -> bool {
        let annotations = &service["metadata"]["annotations"];
        owner_uid(service) == self.uid()
            && annotations[EXPERIMENT] == json!(self.name())
            && annotations[TEMPLATE] == json!(template)
    }

    fn delete_service(&mut self, template: &Template, status: &mut TemplateStatus) {
        let Some(name) = self.services.remove(&template.name) else { return };
        self.out.push(Effect::Delete { key: self.key.sibling(Kind::Service, &name) });
        status.service_name.clear();
        status.pod_template_hash.clear();
    }
}

fn ports_of(set: &ReplicaSet) -> Vec<Value> {
    let containers = set.template().pointer("/spec/containers").and_then(Value::as_array);
    let ports = containers.into_iter().flatten().filter_map(|container| container["ports"].as_array());
    ports
        .flatten()
        .map(|port| {
            let number = &port["containerPort"];
            let mut service = json!({"port": number, "targetPort": number});
            for field in ["protocol", "name"] {
                let text = text_at(port, &format!("/{field}"));
                if !text.is_empty() {
                    service[field] = json!(text);
                }
            }
            service
        })
        .collect()
}

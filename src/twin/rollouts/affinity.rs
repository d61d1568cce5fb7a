//! Anti-affinity against the stable revision, written into the new one's template (utils/replicaset/replicaset.go
//! v1.9.1).

use serde_json::{Value, json};

use super::newrs;
use crate::argo::rollout::{AntiAffinity, HASH_LABEL, Rollout};

const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

fn strategy(rollout: &Rollout) -> Option<&AntiAffinity> {
    let strategy = &rollout.spec.strategy;
    let green = strategy.blue_green.as_ref().and_then(|green| green.anti_affinity.as_ref());
    let canary = strategy.canary.as_ref().and_then(|canary| canary.anti_affinity.as_ref());
    let strategy = green.or(canary)?;
    let says = strategy.preferred_during_scheduling_ignored_during_execution.is_some()
        || strategy.required_during_scheduling_ignored_during_execution.is_some();
    says.then_some(strategy)
}

/// Gives a template the affinity it has under this Rollout (`GenerateReplicaSetAffinity`): the Rollout's own, and
/// during an update the rule that keeps it away from the stable pods.
pub(super) fn inject(template: &mut Value, rollout: &Rollout) {
    let own = rollout.spec.template.pointer("/spec/affinity").cloned();
    let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) else { return };
    match own {
        Some(own) => spec.insert("affinity".into(), own),
        None => spec.remove("affinity"),
    };
    let stable = &rollout.status.stable_rs;
    let Some(strategy) = strategy(rollout) else { return };
    if stable.is_empty() || *stable == newrs::template_hash(rollout) {
        return;
    }
    let term = json!({
        "labelSelector": {"matchExpressions": [{"key": HASH_LABEL, "operator": "In", "values": [stable]}]},
        "namespaces": [rollout.metadata.namespace],
        "topologyKey": "kubernetes.io/hostname",
    });
    let (list, term) = match &strategy.preferred_during_scheduling_ignored_during_execution {
        Some(wish) => (PREFERRED, json!({"weight": wish.weight, "podAffinityTerm": term})),
        None => (REQUIRED, term),
    };
    push(spec.entry("affinity").or_insert(Value::Null), list, term);
}

fn push(affinity: &mut Value, list: &str, term: Value) {
    let mut anti = affinity.get("podAntiAffinity").cloned().unwrap_or_default();
    let mut terms = anti.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    terms.push(term);
    if !anti.is_object() {
        anti = json!({});
    }
    anti[list] = json!(terms);
    if !affinity.is_object() {
        *affinity = json!({});
    }
    affinity["podAntiAffinity"] = anti;
}

/// Where the injected rule is, and whom it keeps away from (`HasInjectedAntiAffinityRule`).
fn injected(template: &Value, rollout: &Rollout) -> Option<(&'static str, usize, String)> {
    let wish = strategy(rollout)?.preferred_during_scheduling_ignored_during_execution.is_some();
    let list = if wish { PREFERRED } else { REQUIRED };
    let terms = template.pointer(&format!("/spec/affinity/podAntiAffinity/{list}"))?.as_array()?;
    terms.iter().enumerate().find_map(|(index, term)| {
        let term = if wish { term.get("podAffinityTerm")? } else { term };
        let expressions = term.pointer("/labelSelector/matchExpressions")?.as_array()?;
        let rule = expressions.iter().find(|one| one["key"] == json!(HASH_LABEL))?;
        let away_from = rule.pointer("/values/0").and_then(Value::as_str).unwrap_or("");
        Some((list, index, away_from.to_owned()))
    })
}

/// Whether the injected rule names a revision that is no longer stable (`IfInjectedAntiAffinityRuleNeedsUpdate`).
pub(super) fn needs_update(template: &Value, rollout: &Rollout) -> bool {
    let stable = &rollout.status.stable_rs;
    let rule = injected(template, rollout);
    rule.is_some_and(|(.., hash)| *stable != newrs::template_hash(rollout) && hash != *stable)
}

/// Takes the injected rule out again, with everything that is empty without it (`RemoveInjectedAntiAffinityRule`).
pub(super) fn remove_injected(template: &mut Value, rollout: &Rollout) {
    let Some((list, index, _)) = injected(template, rollout) else { return };
    let path = format!("/spec/affinity/podAntiAffinity/{list}");
    if let Some(terms) = template.pointer_mut(&path).and_then(Value::as_array_mut) {
        terms.remove(index);
    }
    for parent in ["/spec/affinity/podAntiAffinity", "/spec/affinity", "/spec"] {
        let child = match parent {
            "/spec" => "affinity",
            "/spec/affinity" => "podAntiAffinity",
            _ => list,
        };
        let Some(map) = template.pointer_mut(parent).and_then(Value::as_object_mut) else { return };
        if map.get(child).is_some_and(is_empty) {
            map.remove(child);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        other => other.is_null(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(anti_affinity: Value, affinity: Value, stable: &str) -> Rollout {
        Rollout::read(&json!({
            "metadata": {"name": "app", "namespace": "ns"},
            "spec": {
                "template": {"spec": {"affinity": affinity}},
                "strategy": {"blueGreen": {"antiAffinity": anti_affinity}},
            },
            "status": {"stableRS": stable},
        }))
        .expect("a Rollout")
    }

    #[test]
    fn a_rule_comes_with_an_update_and_goes_without_a_trace() {
        for strategy in [json!({PREFERRED: {"weight": 3}}), json!({REQUIRED: {}})] {
            for own in [Value::Null, json!({"nodeAffinity": {"x": 1}})] {
                let rollout = rollout(strategy.clone(), own, "old");
                let mut template = rollout.spec.template.clone();
                inject(&mut template, &rollout);
                assert_ne!(template, rollout.spec.template);
                assert!(!needs_update(&template, &rollout));
                remove_injected(&mut template, &rollout);
                assert_eq!(template, rollout.spec.template);
            }
        }
    }

    #[test]
    fn a_rule_against_a_former_stable_revision_needs_an_update() {
        let strategy = json!({REQUIRED: {}});
        let mut template = json!({"spec": {}});
        inject(&mut template, &rollout(strategy.clone(), Value::Null, "old"));
        assert!(needs_update(&template, &rollout(strategy, Value::Null, "newer")));
    }

    #[test]
    fn without_a_strategy_or_a_stable_revision_nothing_is_injected() {
        for (strategy, stable) in [(Value::Null, "old"), (json!({REQUIRED: {}}), "")] {
            let rollout = rollout(strategy, Value::Null, stable);
            let mut template = rollout.spec.template.clone();
            inject(&mut template, &rollout);
            assert_eq!(template, rollout.spec.template);
        }
    }
}

//! What is an invalid spec (pkg/apis/rollouts/validation/validation.go v1.9.1), told in upstream's words.
//!
//! Of the checks that upstream borrows from Kubernetes' own pod validation, those are made whose failure a person can
//! cause by hand without a cluster noticing first: labels that do not satisfy the selector, and containers without a
//! name, an image or each other's names.

mod canary;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::defaults;
use crate::argo::rollout::{AntiAffinity, BlueGreen, LabelSelector, Rollout};
use crate::twin::store::{labels_of, text_at};

/// `field.Invalid`.
pub(super) fn invalid(path: &str, value: &Value, detail: &str) -> String {
    format!("{path}: Invalid value: {value}: {detail}")
}

/// `field.Required`.
fn required(path: &str, detail: &str) -> String {
    if detail.is_empty() {
        format!("{path}: Required value")
    } else {
        format!("{path}: Required value: {detail}")
    }
}

/// The first thing wrong with a Rollout by itself.
pub(super) fn validate(rollout: &Rollout) -> Result<(), String> {
    let spec = &rollout.spec;
    non_negative("spec.replicas", rollout.replicas())?;
    if spec.workload_ref.is_none() {
        let missing = || required("spec.selector", "Rollout has missing field '.spec.selector'");
        validate_selector(spec.selector.as_ref().ok_or_else(missing)?)?;
    }
    validate_template(spec.selector.as_ref(), &spec.template)?;
    non_negative("spec.minReadySeconds", spec.min_ready_seconds)?;
    non_negative("spec.revisionHistoryLimit", defaults::revision_history_limit(rollout))?;
    let deadline = defaults::progress_deadline_seconds(rollout);
    non_negative("spec.progressDeadlineSeconds", deadline)?;
    if deadline <= spec.min_ready_seconds {
        let detail = "must be greater than minReadySeconds";
        return Err(invalid("spec.progressDeadlineSeconds", &json!(deadline), detail));
    }
    validate_strategy(rollout)
}

fn non_negative(path: &str, number: i32) -> Result<(), String> {
    if number < 0 {
        return Err(invalid(path, &json!(number), "must be greater than or equal to 0"));
    }
    Ok(())
}

fn validate_selector(selector: &LabelSelector) -> Result<(), String> {
    for (index, one) in selector.match_expressions.iter().enumerate() {
        let path = format!("spec.selector.matchExpressions[{index}]");
        match (one.operator.as_str(), one.values.is_empty()) {
            ("In" | "NotIn", true) => {
                let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                return Err(required(&format!("{path}.values"), detail));
            }
            ("Exists" | "DoesNotExist", false) => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                return Err(format!("{path}.values: Forbidden: {detail}"));
            }
            ("In" | "NotIn" | "Exists" | "DoesNotExist", _) => {}
            (other, _) => {
                return Err(invalid(
                    &format!("{path}.operator"),
                    &json!(other),
                    "not a valid selector operator",
                ));
            }
        }
    }
    if selector.match_labels.is_empty() && selector.match_expressions.is_empty() {
        return Err(invalid("spec.selector", &json!({}), "empty selector is invalid for deployment"));
    }
    Ok(())
}

fn validate_template(selector: Option<&LabelSelector>, template: &Value) -> Result<(), String> {
    let labels: BTreeMap<&str, &str> = labels_of(template);
    if !selector.is_some_and(|selector| selector.matches(&labels)) {
        let detail = "`selector` does not match template `labels`";
        return Err(invalid("spec.template.metadata.labels", &json!(labels), detail));
    }
    let path = "spec.template.spec.containers";
    let containers = template.pointer("/spec/containers").and_then(Value::as_array);
    let Some(containers) = containers.filter(|list| !list.is_empty()) else { return Err(required(path, "")) };
    let mut names = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let name = text_at(container, "/name");
        if name.is_empty() {
            return Err(required(&format!("{path}[{index}].name"), ""));
        }
        if !names.insert(name) {
            return Err(format!("{path}[{index}].name: Duplicate value: {}", json!(name)));
        }
        if text_at(container, "/image").is_empty() {
            return Err(required(&format!("{path}[{index}].image"), ""));
        }
    }
    Ok(())
}

fn validate_strategy(rollout: &Rollout) -> Result<(), String> {
    let strategy = &rollout.spec.strategy;
    match (&strategy.blue_green, &strategy.canary) {
        (None, None) => {
            let detail = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'";
            Err(required("spec.strategy.strategy", detail))
        }
        (Some(_), Some(_)) => {
            let value = json!("blueGreen: true canary: true");
            Err(invalid("spec.strategy.strategy", &value, "Multiple Strategies can not be listed"))
        }
        (Some(blue_green), None) => validate_blue_green(rollout, blue_green),
        (None, Some(strategy)) => canary::validate(rollout, strategy),
    }
}

fn validate_blue_green(rollout: &Rollout, strategy: &BlueGreen) -> Result<(), String> {
    if strategy.active_service == strategy.preview_service {
        let detail = "This rollout uses the same service for the active and preview services, but two different services are required.";
        return Err(invalid("spec.strategy.activeService", &json!(strategy.active_service), detail));
    }
    let history = defaults::revision_history_limit(rollout);
    if let Some(limit) = strategy.scale_down_delay_revision_limit.filter(|limit| history < *limit) {
        let detail =
            "This rollout's revision history limit can not be smaller than the rollout's scale down limit";
        return Err(invalid("spec.strategy.scaleDownDelayRevisionLimit", &json!(limit), detail));
    }
    strategy.anti_affinity.as_ref().map_or(Ok(()), validate_anti_affinity)
}

fn validate_anti_affinity(affinity: &AntiAffinity) -> Result<(), String> {
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.as_ref();
    let required = affinity.required_during_scheduling_ignored_during_execution.is_some();
    if preferred.is_some() == required {
        let value = format!(
            "antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: {required} antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: {required}"
        );
        let detail = "AntiAffinity must have exactly one strategy listed";
        return Err(invalid("spec.strategy.antiAffinity", &json!(value), detail));
    }
    if let Some(wish) = preferred.filter(|wish| !(1..=100).contains(&wish.weight)) {
        let detail = "AntiAffinity weight must be between 1-100";
        return Err(invalid("spec.strategy.antiAffinity.weight", &json!(wish.weight), detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl Fn(&mut Value), expect: &str) {
        let mut rollout = json!({"metadata": {"name": "app"}, "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "template": {
                "metadata": {"labels": {"app": "a"}},
                "spec": {"containers": [{"name": "a", "image": "i"}]},
            },
            "strategy": {"blueGreen": {"activeService": "active"}},
        }});
        change(&mut rollout["spec"]);
        let verdict = validate(&Rollout::read(&rollout).expect("readable"));
        assert_eq!(verdict.err().unwrap_or_default(), expect);
    }

    #[test]
    fn a_plain_rollout_is_valid() {
        check(|_| {}, "");
    }

    #[test]
    fn the_selector_must_be_there_and_say_something() {
        let missing = "spec.selector: Required value: Rollout has missing field '.spec.selector'";
        check(|spec| spec["selector"] = Value::Null, missing);
        let empty = "spec.selector: Invalid value: {}: empty selector is invalid for deployment";
        check(|spec| spec["selector"] = json!({}), empty);
    }

    #[test]
    fn the_template_must_satisfy_the_selector() {
        let text = "spec.template.metadata.labels: Invalid value: {\"app\":\"b\"}: `selector` does not match template `labels`";
        check(|spec| spec["template"]["metadata"]["labels"]["app"] = json!("b"), text);
    }

    #[test]
    fn containers_need_names_of_their_own_and_images() {
        let containers =
            |list: Value| move |spec: &mut Value| spec["template"]["spec"]["containers"] = list.clone();
        check(containers(json!([])), "spec.template.spec.containers: Required value");
        check(containers(json!([{"image": "i"}])), "spec.template.spec.containers[0].name: Required value");
        check(containers(json!([{"name": "a"}])), "spec.template.spec.containers[0].image: Required value");
        let twice = json!([{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]);
        check(containers(twice), "spec.template.spec.containers[1].name: Duplicate value: \"a\"");
    }

    #[test]
    fn a_deadline_must_leave_room_for_min_ready_seconds() {
        let text = "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds";
        check(
            |spec| {
                spec["progressDeadlineSeconds"] = json!(5);
                spec["minReadySeconds"] = json!(5);
            },
            text,
        );
    }

    #[test]
    fn exactly_one_strategy() {
        let none = "spec.strategy.strategy: Required value: Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'";
        check(|spec| spec["strategy"] = json!({}), none);
        let both = "spec.strategy.strategy: Invalid value: \"blueGreen: true canary: true\": Multiple Strategies can not be listed";
        check(|spec| spec["strategy"]["canary"] = json!({}), both);
    }

    #[test]
    fn the_two_services_differ() {
        let text = "spec.strategy.activeService: Invalid value: \"active\": This rollout uses the same service for the active and preview services, but two different services are required.";
        check(|spec| spec["strategy"]["blueGreen"]["previewService"] = json!("active"), text);
    }

    #[test]
    fn anti_affinity_is_a_wish_or_a_demand() {
        let wish =
            |weight: i32| json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": weight}});
        let set = |value: Value| {
            move |spec: &mut Value| spec["strategy"]["blueGreen"]["antiAffinity"] = value.clone()
        };
        check(set(wish(50)), "");
        let heavy = "spec.strategy.antiAffinity.weight: Invalid value: 101: AntiAffinity weight must be between 1-100";
        check(set(wish(101)), heavy);
        let neither = "spec.strategy.antiAffinity: Invalid value: \"antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: false antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: false\": AntiAffinity must have exactly one strategy listed";
        check(set(json!({})), neither);
    }
}

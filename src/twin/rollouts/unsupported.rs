//! What a Rollout may say and this controller does not imitate.

use serde_json::{Map, Value};

use crate::argo::rollout::{BlueGreen, Rollout, RolloutAnalysis};

/// Every field of a Rollout that is not imitated: its JSON pointer, and a sentence that says so.
///
/// Such a Rollout is not reconciled: half an imitation would prove something about nobody's release.
#[must_use]
pub fn unsupported(rollout: &Value) -> Vec<(String, String)> {
    match Rollout::read(rollout) {
        Ok(rollout) => of(&rollout),
        Err(error) => vec![("/".into(), format!("the Rollout cannot be read: {error}"))],
    }
}

pub(super) fn of(rollout: &Rollout) -> Vec<(String, String)> {
    let mut found = vec![];
    let spec = &rollout.spec;
    unknown(&mut found, "/spec", &spec.rest);
    // With both strategies the spec is invalid, and the controller says so itself.
    if spec.strategy.canary.is_some() && spec.strategy.blue_green.is_none() {
        found.push(("/spec/strategy/canary".into(), "the canary strategy is not imitated yet".into()));
    }
    unknown(&mut found, "/spec/strategy", &spec.strategy.rest);
    if let Some(strategy) = &spec.strategy.blue_green {
        blue_green(&mut found, strategy);
    }
    found
}

fn blue_green(found: &mut Vec<(String, String)>, strategy: &BlueGreen) {
    let path = "/spec/strategy/blueGreen";
    unknown(found, path, &strategy.rest);
    analysis(found, &format!("{path}/prePromotionAnalysis"), strategy.pre_promotion_analysis.as_ref());
    analysis(found, &format!("{path}/postPromotionAnalysis"), strategy.post_promotion_analysis.as_ref());
}

fn analysis(found: &mut Vec<(String, String)>, path: &str, analysis: Option<&RolloutAnalysis>) {
    if let Some(analysis) = analysis {
        unknown(found, path, &analysis.rest);
    }
}

fn unknown(found: &mut Vec<(String, String)>, path: &str, rest: &Map<String, Value>) {
    for key in rest.keys() {
        let pointer = key.replace('~', "~0").replace('/', "~1");
        found
            .push((format!("{path}/{pointer}"), format!("the field `{key}` is not known to the controller")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(spec: Value, pointers: &[&str]) {
        let found = unsupported(&json!({"metadata": {"name": "app"}, "spec": spec}));
        let found: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(found, pointers);
    }

    #[test]
    fn a_blue_green_of_known_fields_is_imitated() {
        check(
            json!({"replicas": 1, "strategy": {"blueGreen": {"activeService": "a", "maxUnavailable": "10%"}}}),
            &[],
        );
    }

    #[test]
    fn a_canary_is_named_and_a_borrowed_template_is_not() {
        check(json!({"strategy": {"canary": {}}}), &["/spec/strategy/canary"]);
        check(json!({"workloadRef": {"kind": "Deployment"}}), &[]);
    }

    #[test]
    fn unknown_fields_are_named_wherever_they_are() {
        let strategy = json!({"a/b": 1, "blueGreen": {"x": 1, "postPromotionAnalysis": {"y": 1}}});
        let spec = json!({"future": {}, "strategy": strategy});
        check(
            spec,
            &[
                "/spec/future",
                "/spec/strategy/a~1b",
                "/spec/strategy/blueGreen/x",
                "/spec/strategy/blueGreen/postPromotionAnalysis/y",
            ],
        );
    }

    #[test]
    fn what_cannot_be_read_is_one_finding() {
        check(json!({"replicas": "two"}), &["/"]);
    }
}

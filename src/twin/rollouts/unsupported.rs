//! What a Rollout may say and this controller does not imitate.

use serde_json::{Map, Value};

use crate::argo::rollout::{BlueGreen, Canary, CanaryStep, Istio, Rollout, RolloutAnalysis, TrafficRouting};

/// Every field of a Rollout that a run on the twin could not do justice to: its JSON pointer, and a sentence that says
/// so. Half an imitation would prove something about nobody's release.
#[must_use]
pub fn unsupported(rollout: &Value) -> Vec<(String, String)> {
    match Rollout::read(rollout) {
        Ok(rollout) => of(&rollout),
        Err(error) => vec![("/".into(), format!("the Rollout cannot be read: {error}"))],
    }
}

/// What the controller does not imitate; such a Rollout is not reconciled.
pub(super) fn of(rollout: &Rollout) -> Vec<(String, String)> {
    let mut found = vec![];
    let spec = &rollout.spec;
    unknown(&mut found, "/spec", &spec.rest);
    unknown(&mut found, "/spec/strategy", &spec.strategy.rest);
    if let Some(strategy) = &spec.strategy.blue_green {
        blue_green(&mut found, strategy);
    }
    if let Some(strategy) = &spec.strategy.canary {
        canary(&mut found, strategy);
    }
    found
}

fn canary(found: &mut Vec<(String, String)>, strategy: &Canary) {
    let path = "/spec/strategy/canary";
    unknown(found, path, &strategy.rest);
    if let Some(background) = &strategy.analysis {
        unknown(found, &format!("{path}/analysis"), &background.analysis.rest);
    }
    for (index, one) in strategy.steps.iter().enumerate() {
        step(found, &format!("{path}/steps/{index}"), one);
    }
    if let Some(routing) = &strategy.traffic_routing {
        routers(found, &format!("{path}/trafficRouting"), routing);
    }
}

fn step(found: &mut Vec<(String, String)>, path: &str, step: &CanaryStep) {
    unknown(found, path, &step.rest);
    analysis(found, &format!("{path}/analysis"), step.analysis.as_ref());
    let fields = [
        ("pause", step.pause.as_ref().map(|pause| &pause.rest)),
        ("setCanaryScale", step.set_canary_scale.as_ref().map(|scale| &scale.rest)),
        ("setHeaderRoute", step.set_header_route.as_ref().map(|route| &route.rest)),
        ("setMirrorRoute", step.set_mirror_route.as_ref().map(|route| &route.rest)),
    ];
    for (field, rest) in fields {
        if let Some(rest) = rest {
            unknown(found, &format!("{path}/{field}"), rest);
        }
    }
    if let Some(experiment) = &step.experiment {
        unknown(found, &format!("{path}/experiment"), &experiment.rest);
        for (index, template) in experiment.templates.iter().enumerate() {
            unknown(found, &format!("{path}/experiment/templates/{index}"), &template.rest);
        }
    }
    if step.plugin.is_some() {
        found.push((format!("{path}/plugin"), "a step with `plugin` is not imitated".into()));
    }
}

fn routers(found: &mut Vec<(String, String)>, path: &str, routing: &TrafficRouting) {
    unknown(found, path, &routing.rest);
    if let Some(nginx) = &routing.nginx {
        unknown(found, &format!("{path}/nginx"), &nginx.rest);
    }
    if let Some(istio) = &routing.istio {
        istio_fields(found, &format!("{path}/istio"), istio);
    }
    let others = [
        ("alb", "the AWS Application Load Balancer", routing.alb.is_some()),
        ("smi", "the Service Mesh Interface", routing.smi.is_some()),
        ("ambassador", "Ambassador", routing.ambassador.is_some()),
        ("appMesh", "AWS App Mesh", routing.app_mesh.is_some()),
        ("traefik", "Traefik", routing.traefik.is_some()),
        ("apisix", "Apache APISIX", routing.apisix.is_some()),
        ("plugins", "a plugin", !routing.plugins.is_empty()),
    ];
    for (field, name, _) in others.into_iter().filter(|(.., used)| *used) {
        found.push((format!("{path}/{field}"), format!("traffic routing by {name} is not imitated")));
    }
}

fn istio_fields(found: &mut Vec<(String, String)>, path: &str, istio: &Istio) {
    unknown(found, path, &istio.rest);
    for service in istio.services() {
        unknown(found, &format!("{path}/virtualService"), &service.rest);
    }
    if let Some(rule) = &istio.destination_rule {
        unknown(found, &format!("{path}/destinationRule"), &rule.rest);
    }
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
    fn a_borrowed_template_is_imitated() {
        check(json!({"workloadRef": {"kind": "Deployment"}}), &[]);
    }

    #[test]
    fn a_canary_of_known_fields_is_imitated() {
        let steps =
            json!([{"setWeight": 20}, {"pause": {"duration": "10s"}}, {"analysis": {"templates": []}}]);
        check(json!({"strategy": {"canary": {"steps": steps, "maxSurge": 1}}}), &[]);
    }

    #[test]
    fn ingress_nginx_is_imitated() {
        check(json!({"strategy": {"canary": {"trafficRouting": {"nginx": {"stableIngress": "i"}}}}}), &[]);
    }

    #[test]
    fn steps_and_routers_that_are_not_imitated_are_named() {
        let steps = json!([{"experiment": {"templates": [{"x": 1}]}}, {"plugin": {"name": "p"}}]);
        let routing = json!({"istio": {"y": 1}, "plugins": {"p": {}}});
        check(
            json!({"strategy": {"canary": {"steps": steps, "trafficRouting": routing}}}),
            &[
                "/spec/strategy/canary/steps/0/experiment/templates/0/x",
                "/spec/strategy/canary/steps/1/plugin",
                "/spec/strategy/canary/trafficRouting/istio/y",
                "/spec/strategy/canary/trafficRouting/plugins",
            ],
        );
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

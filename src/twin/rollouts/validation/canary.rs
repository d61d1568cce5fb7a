//! What is an invalid canary (`ValidateRolloutStrategyCanary` in pkg/apis/rollouts/validation/validation.go v1.9.1).

use serde_json::{Value, json};

use super::super::arguments;
use super::super::steps;
use super::{invalid, required, validate_anti_affinity};
use crate::argo::rollout::{
    AnalysisArgument, Canary, CanaryStep, PingPong, Rollout, StringMatch, TrafficRouting,
};

const PATH: &str = "spec.strategy";

/// The first thing wrong with a canary by itself. Upstream's paths leave the `canary` out.
pub(super) fn validate(rollout: &Rollout, canary: &Canary) -> Result<(), String> {
    validate_fences(canary)?;
    validate_services(canary)?;
    validate_traffic_fields(canary)?;
    for (index, step) in canary.steps.iter().enumerate() {
        validate_step(rollout, canary, step, &format!("{PATH}.steps[{index}]"))?;
    }
    canary.anti_affinity.as_ref().map_or(Ok(()), validate_anti_affinity)
}

/// Explicit zeros only; what rounding makes of other values is another matter.
fn validate_fences(canary: &Canary) -> Result<(), String> {
    let zero = |wish: &Option<Value>| match wish {
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(Value::String(text)) => text.strip_suffix('%').unwrap_or(text).parse().unwrap_or(0) == 0,
        _ => false,
    };
    if zero(&canary.max_surge) && zero(&canary.max_unavailable) {
        let value = canary.max_surge.clone().unwrap_or_default();
        let detail = "MaxSurge and MaxUnavailable both can not be zero";
        return Err(invalid(&format!("{PATH}.maxSurge"), &value, detail));
    }
    Ok(())
}

fn validate_services(canary: &Canary) -> Result<(), String> {
    let (stable, new) = (&canary.stable_service, &canary.canary_service);
    if !new.is_empty() && new == stable {
        let detail = "This rollout uses the same service for the stable and canary services, but two different services are required.";
        return Err(invalid(&format!("{PATH}.stableService"), &json!(stable), detail));
    }
    let routing = canary.traffic_routing.as_ref();
    if let Some(pair) = &canary.ping_pong {
        validate_ping_pong(pair, routing)?;
    }
    if routing.is_some_and(|routing| needs_services(canary, routing)) {
        let detail = "Canary service and Stable service must to be set to use Traffic Routing";
        for (field, name) in [("stableService", stable), ("canaryService", new)] {
            if name.is_empty() {
                return Err(invalid(&format!("{PATH}.{field}"), &json!(name), detail));
            }
        }
    }
    Ok(())
}

fn validate_ping_pong(pair: &PingPong, routing: Option<&TrafficRouting>) -> Result<(), String> {
    if routing.is_some_and(|routing| routing.alb.is_none() && routing.istio.is_none()) {
        let detail = "Ping-pong feature works with the ALB and Istio traffic routers only";
        return Err(invalid(&format!("{PATH}.trafficRouting.alb"), &Value::Null, detail));
    }
    for (field, name) in [("pingService", &pair.ping_service), ("pongService", &pair.pong_service)] {
        if name.is_empty() {
            let detail = "Ping service and Pong service must to be set to use Ping-Pong feature";
            return Err(invalid(&format!("{PATH}.pingPong.{field}"), &json!(name), detail));
        }
    }
    if pair.ping_service == pair.pong_service {
        let detail = "This rollout uses the same service for the ping and pong services, but two different services are required.";
        return Err(invalid(&format!("{PATH}.pingPong.pingService"), &json!(pair.ping_service), detail));
    }
    Ok(())
}

/// `requireCanaryStableServices`, for the routers that can be imitated.
fn needs_services(canary: &Canary, routing: &TrafficRouting) -> bool {
    let hosts = routing.istio.as_ref().is_some_and(|istio| istio.destination_rule.is_none());
    routing.nginx.is_some() || (hosts && canary.ping_pong.is_none())
}

fn validate_traffic_fields(canary: &Canary) -> Result<(), String> {
    let (delay, dynamic) = (canary.scale_down_delay_seconds, canary.dynamic_stable_scale);
    let Some(routing) = &canary.traffic_routing else {
        if let Some(delay) = delay {
            let detail = "Canary scaleDownDelaySeconds can only be used with traffic routing";
            return Err(invalid(&format!("{PATH}.scaleDownDelaySeconds"), &json!(delay), detail));
        }
        if dynamic {
            let detail = "Canary dynamicStableScale can only be used with traffic routing";
            return Err(invalid(&format!("{PATH}.dynamicStableScale"), &json!(true), detail));
        }
        return Ok(());
    };
    if delay.is_some() && dynamic {
        let detail = "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds";
        return Err(invalid(&format!("{PATH}.dynamicStableScale"), &json!(true), detail));
    }
    let total = routing.max_traffic_weight;
    if let Some(total) = total.filter(|_| routing.nginx.is_none() && routing.plugins.is_empty()) {
        let detail = "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins";
        return Err(invalid(&format!("{PATH}.trafficRouting.maxTrafficWeight"), &json!(total), detail));
    }
    Ok(())
}

fn validate_step(rollout: &Rollout, canary: &Canary, step: &CanaryStep, path: &str) -> Result<(), String> {
    validate_kind(step, path)?;
    let max = canary.max_weight();
    if let Some(weight) = step.set_weight.filter(|weight| !(0..=max).contains(weight)) {
        let detail = format!("SetWeight needs to be between 0 and {max}");
        return Err(invalid(&format!("{path}.setWeight"), &json!(weight), &detail));
    }
    let seconds = step.pause.as_ref().map(steps::pause_seconds).filter(|seconds| *seconds < 0);
    if let Some(seconds) = seconds {
        let detail = "Duration needs to be greater than 0";
        return Err(invalid(&format!("{path}.pause.duration"), &json!(seconds), detail));
    }
    if step.set_canary_scale.is_some() && canary.traffic_routing.is_none() {
        let detail = "SetCanaryScale requires TrafficRouting to be set";
        return Err(required(&format!("{PATH}.trafficRouting"), detail));
    }
    validate_routes(canary, step, path)?;
    validate_experiment(canary, step, path)?;
    let args = step.analysis.as_ref().map(|analysis| &analysis.args[..]).unwrap_or_default();
    let asked = step.experiment.iter().flat_map(|experiment| &experiment.analyses);
    let args: Vec<AnalysisArgument> = asked.flat_map(arguments::of_experiment).chain(args.to_vec()).collect();
    if args.iter().any(|arg| arguments::is_unknown_metadata(arg, rollout)) {
        let detail = "Analyses arguments must refer to valid object metadata supported by downwardAPI";
        return Err(invalid(&format!("{path}.analyses"), &json!(args), detail));
    }
    Ok(())
}

/// A share of the traffic needs a router that can give it.
fn validate_experiment(canary: &Canary, step: &CanaryStep, path: &str) -> Result<(), String> {
    let templates = step.experiment.iter().flat_map(|experiment| &experiment.templates).enumerate();
    for (index, weight) in templates.filter_map(|(index, template)| Some((index, template.weight?))) {
        let able = |routing: &TrafficRouting| {
            routing.alb.is_some()
                || routing.smi.is_some()
                || routing.istio.is_some()
                || !routing.plugins.is_empty()
        };
        let detail = match &canary.traffic_routing {
            None => "Experiment template weight cannot be set unless TrafficRouting is enabled",
            Some(routing) if !able(routing) => {
                "Experiment template weight is only available for TrafficRouting with SMI, ALB, Istio and Plugins at this time"
            }
            Some(_) => continue,
        };
        return Err(invalid(&format!("{path}.experiment.templates[{index}].weight"), &json!(weight), detail));
    }
    Ok(())
}

/// Exactly one thing to do; upstream lets some pairs pass, and then does the first of them.
fn validate_kind(step: &CanaryStep, path: &str) -> Result<(), String> {
    let detail =
        "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause";
    let (experiment, pause) = (step.experiment.is_some(), step.pause.is_some());
    let (weight, analysis) = (step.set_weight.is_some(), step.analysis.is_some());
    if [weight, pause, experiment, analysis].into_iter().filter(|set| *set).count() > 1 {
        let value = format!(
            "step.Experiment: {experiment} step.Pause: {pause} step.SetWeight: {weight} step.Analysis: {analysis}"
        );
        return Err(invalid(path, &json!(value), detail));
    }
    let router = step.set_canary_scale.is_some()
        || step.set_header_route.is_some()
        || step.set_mirror_route.is_some()
        || step.plugin.is_some();
    if !(experiment || pause || weight || analysis || router) {
        let value = "step.Experiment: true step.Pause: true step.SetWeight: true step.Analysis: true step.SetCanaryScale: true step.SetHeaderRoute: true step.SetMirrorRoute: true step.Plugin: true";
        return Err(invalid(path, &json!(value), detail));
    }
    Ok(())
}

/// Routes need a router that knows them, matches that say one thing, and a name in `managedRoutes`.
fn validate_routes(canary: &Canary, step: &CanaryStep, path: &str) -> Result<(), String> {
    let routing = canary.traffic_routing.as_ref();
    if let Some(route) = &step.set_header_route {
        let path = format!("{path}.setHeaderRoute");
        let able = |routing: &TrafficRouting| {
            routing.istio.is_some()
                || routing.alb.is_some()
                || routing.apisix.is_some()
                || !routing.plugins.is_empty()
        };
        if !routing.is_some_and(able) {
            let detail = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix";
            return Err(invalid(&path, &json!(route), detail));
        }
        for (index, one) in route.matches.iter().enumerate() {
            validate_match(one.header_value.as_ref(), &format!("{path}.match[{index}]"))?;
        }
    }
    if let Some(route) = &step.set_mirror_route {
        let path = format!("{path}.setMirrorRoute");
        if routing.is_none_or(|routing| routing.istio.is_none()) {
            let detail = "SetMirrorRoute requires TrafficRouting, supports Istio only";
            return Err(invalid(&path, &json!(route), detail));
        }
        for (index, one) in route.matches.iter().enumerate() {
            for text in [&one.method, &one.path].into_iter().flatten() {
                validate_match(Some(text), &format!("{path}.match[{index}]"))?;
            }
        }
    }
    validate_managed(routing, step, path)
}

fn validate_managed(routing: Option<&TrafficRouting>, step: &CanaryStep, path: &str) -> Result<(), String> {
    let header = step.set_header_route.as_ref().map(|route| ("setHeaderRoute", &route.name));
    let mirror = step.set_mirror_route.as_ref().map(|route| ("setMirrorRoute", &route.name));
    for (field, name) in header.into_iter().chain(mirror) {
        let Some(routing) = routing else { continue };
        if routing.managed_routes.is_empty() {
            let field = "spec.strategy.canary.trafficRouting.managedRoutes";
            let detail = format!("Rollout has missing field '{field}'");
            return Err(required(&format!("{PATH}.trafficRouting.managedRoutes"), &detail));
        }
        if !routing.managed_routes.iter().any(|route| route.name == *name) {
            let detail = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes";
            return Err(invalid(&format!("{path}.{field}"), &json!(name), detail));
        }
    }
    Ok(())
}

/// `hasMultipleMatchValues`.
fn validate_match(text: Option<&StringMatch>, path: &str) -> Result<(), String> {
    let ways = text.map_or(0, |text| {
        [&text.exact, &text.prefix, &text.regex].into_iter().filter(|way| !way.is_empty()).count()
    });
    let one_of = "one of the following: exact, regex, prefix";
    match ways {
        0 => {
            let detail = format!("StringMatch value missed, match value must have {one_of}");
            Err(invalid(path, &json!(text), &detail))
        }
        1 => Ok(()),
        _ => {
            let detail = format!("StringMatch match value must have exactly {one_of}");
            Err(invalid(path, &json!(text), &detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(strategy: Value, expect: &str) {
        let rollout = Rollout::read(&json!({
            "metadata": {"name": "app"}, "spec": {"strategy": {"canary": strategy}},
        }))
        .expect("readable");
        let canary = rollout.spec.strategy.canary.clone().expect("a canary");
        assert_eq!(validate(&rollout, &canary).err().unwrap_or_default(), expect);
    }

    #[test]
    fn a_plain_canary_is_valid() {
        check(json!({}), "");
        check(json!({"steps": [{"setWeight": 100}, {"pause": {"duration": "10s"}}, {"pause": {}}]}), "");
    }

    #[test]
    fn surge_and_unavailable_are_not_both_zero() {
        let text =
            "spec.strategy.maxSurge: Invalid value: \"0%\": MaxSurge and MaxUnavailable both can not be zero";
        check(json!({"maxSurge": "0%", "maxUnavailable": 0}), text);
        check(json!({"maxSurge": 0}), "");
    }

    #[test]
    fn the_two_services_differ_and_a_router_needs_both() {
        let same = "spec.strategy.stableService: Invalid value: \"a\": This rollout uses the same service for the stable and canary services, but two different services are required.";
        check(json!({"stableService": "a", "canaryService": "a"}), same);
        let missing = "spec.strategy.canaryService: Invalid value: \"\": Canary service and Stable service must to be set to use Traffic Routing";
        check(json!({"stableService": "a", "trafficRouting": {"nginx": {"stableIngress": "i"}}}), missing);
    }

    #[test]
    fn some_fields_need_a_router() {
        let delay = "spec.strategy.scaleDownDelaySeconds: Invalid value: 5: Canary scaleDownDelaySeconds can only be used with traffic routing";
        check(json!({"scaleDownDelaySeconds": 5}), delay);
        let dynamic = "spec.strategy.dynamicStableScale: Invalid value: true: Canary dynamicStableScale can only be used with traffic routing";
        check(json!({"dynamicStableScale": true}), dynamic);
        let scale =
            "spec.strategy.trafficRouting: Required value: SetCanaryScale requires TrafficRouting to be set";
        check(json!({"steps": [{"setCanaryScale": {"replicas": 1}}]}), scale);
    }

    fn check_step(step: Value, expect: &str) {
        check(json!({"steps": [step]}), expect);
    }

    #[test]
    fn a_step_does_one_thing_within_its_limits() {
        let weight =
            "spec.strategy.steps[0].setWeight: Invalid value: 101: SetWeight needs to be between 0 and 100";
        check_step(json!({"setWeight": 101}), weight);
        let pause =
            "spec.strategy.steps[0].pause.duration: Invalid value: -1: Duration needs to be greater than 0";
        check_step(json!({"pause": {"duration": "soon"}}), pause);
        let two = "spec.strategy.steps[0]: Invalid value: \"step.Experiment: false step.Pause: true step.SetWeight: true step.Analysis: false\": Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause";
        check_step(json!({"setWeight": 1, "pause": {}}), two);
        let none = "spec.strategy.steps[0]: Invalid value: \"step.Experiment: true step.Pause: true step.SetWeight: true step.Analysis: true step.SetCanaryScale: true step.SetHeaderRoute: true step.SetMirrorRoute: true step.Plugin: true\": Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause";
        check_step(json!({}), none);
    }

    #[test]
    fn a_managed_route_is_declared() {
        let strategy = |managed: Value| {
            json!({
                "stableService": "a", "canaryService": "b",
                "trafficRouting": {"istio": {}, "managedRoutes": managed},
                "steps": [{"setHeaderRoute": {"name": "h", "match": [{"headerName": "x", "headerValue": {"exact": "1"}}]}}],
            })
        };
        check(strategy(json!([{"name": "h"}])), "");
        let unknown = "spec.strategy.steps[0].setHeaderRoute: Invalid value: \"h\": Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes";
        check(strategy(json!([{"name": "g"}])), unknown);
        let none = "spec.strategy.trafficRouting.managedRoutes: Required value: Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'";
        check(strategy(json!([])), none);
    }
}

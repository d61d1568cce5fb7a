//! What becomes of VirtualServices and DestinationRules, one object at a time.

use serde_json::{Value, json};

use super::*;
use crate::argo::rollout::WeightDestination;

const NAMED: &str = r#"{"name": "app", "routes": ["primary"]}"#;

/// A Rollout with two Services, or what `more` puts in their place.
fn rollout(more: Value) -> Rollout {
    let mut canary = json!({
        "stableService": "stable", "canaryService": "canary",
        "trafficRouting": {"istio": {"virtualService": {"name": "app"}}, "managedRoutes": [{"name": "a"}, {"name": "b"}]},
    });
    for (field, value) in more.as_object().expect("fields") {
        canary[field] = value.clone();
    }
    let status = json!({"canary": {"stablePingPong": more["role"].clone()}});
    let object =
        json!({"metadata": {"name": "app"}, "spec": {"strategy": {"canary": canary}}, "status": status});
    Rollout::read(&object).expect("a Rollout")
}

fn subsets() -> Rollout {
    let rule = json!({
        "name": "app", "stableSubsetName": "old", "canarySubsetName": "new", "additionalSubsetNames": ["more"],
    });
    rollout(json!({
        "stableService": "", "canaryService": "",
        "trafficRouting": {"istio": {"virtualService": {"name": "app"}, "destinationRule": rule}},
    }))
}

/// Destinations from texts such as `stable=100` or `app/old=100`.
fn route(name: &str, destinations: &str) -> Value {
    let destination = |text: &str| {
        let (to, weight) = text.split_once('=').expect("a weight");
        let (host, subset) = to.split_once('/').map_or((to, None), |(host, subset)| (host, Some(subset)));
        let mut destination = json!({"host": host});
        if let Some(subset) = subset {
            destination["subset"] = json!(subset);
        }
        json!({"destination": destination, "weight": weight.parse::<i64>().expect("a number")})
    };
    json!({"name": name, "route": destinations.split(' ').map(destination).collect::<Vec<_>>()})
}

fn service(routes: &[Value]) -> Value {
    json!({"metadata": {"name": "app"}, "spec": {"http": routes}})
}

/// The HTTP routes in the notation of [`route`].
fn told(service: &Value) -> String {
    let share = |one: &Value| {
        let (to, weight) = (&one["destination"], one["weight"].as_i64().unwrap_or(0));
        let subset = to["subset"].as_str().map(|subset| format!("/{subset}")).unwrap_or_default();
        format!("{}{subset}={weight}", to["host"].as_str().unwrap_or(""))
    };
    let route = |route: &Value| {
        let shares: Vec<String> = route["route"].as_array().into_iter().flatten().map(share).collect();
        format!("{}: {}", name_of(route), shares.join(" "))
    };
    routes(service, "http").into_iter().flatten().map(route).collect::<Vec<_>>().join("; ")
}

fn named(text: &str) -> IstioVirtualService {
    serde_json::from_str(text).expect("a reference to a VirtualService")
}

fn shared(rollout: &Rollout, reference: &str, routes: &[Value], target: &Target) -> String {
    let mut service = service(routes);
    match weights::share_out(&mut service, rollout, &named(reference), target) {
        Ok(true) => told(&service),
        Ok(false) => "as before".to_owned(),
        Err(error) => error,
    }
}

/// The only route, after the new revision was given so much.
fn check(rollout: &Rollout, destinations: &str, weight: i32, expect: &str) {
    let target = Target { weight, ..Target::default() };
    assert_eq!(
        shared(rollout, r#"{"name": "app"}"#, &[route("", destinations)], &target),
        expect,
        "{destinations}"
    );
}

#[test]
fn services_share_by_weight() {
    let rollout = rollout(json!({}));
    check(&rollout, "stable=100 canary=0", 40, ": stable=60 canary=40");
    check(&rollout, "canary=40 stable=60", 0, ": canary=0 stable=100");
    check(&rollout, "stable.ns.svc=100 canary.ns=0", 5, ": stable.ns.svc=95 canary.ns=5");
    check(&rollout, "stable=60 canary=40", 40, "as before");
    check(&rollout, "stable=100 canary=0 stranger=7", 10, ": stable=90 canary=10");
}

#[test]
fn subsets_share_by_weight_and_leave_others_theirs() {
    check(&subsets(), "app/old=100 app/new=0", 40, ": app/old=60 app/new=40");
    check(&subsets(), "app/old=80 app/new=0 app/more=20", 30, ": app/old=50 app/new=30 app/more=20");
}

#[test]
fn ping_and_pong_change_their_roles() {
    let pair = |role: &str| {
        let services = json!({"pingService": "ping", "pongService": "pong"});
        rollout(json!({"stableService": "", "canaryService": "", "pingPong": services, "role": role}))
    };
    check(&pair("ping"), "ping=100 pong=0", 40, ": ping=60 pong=40");
    check(&pair("pong"), "ping=100 pong=0", 40, ": ping=40 pong=60");
}

#[test]
fn an_experiment_takes_its_share_from_the_stable_revision() {
    let trial = WeightDestination { weight: 20, service_name: "trial".into(), pod_template_hash: "x".into() };
    let target = Target { weight: 10, additional: vec![trial], ..Target::default() };
    let routes = [route("", "stable=100 canary=0")];
    let told = shared(&rollout(json!({})), r#"{"name": "app"}"#, &routes, &target);
    assert_eq!(told, ": stable=70 canary=10 trial=20");
}

#[test]
fn only_the_routes_that_are_named_are_shared_out() {
    let routes = [route("other", "stable=100 canary=0"), route("primary", "stable=100 canary=0")];
    let target = Target { weight: 40, ..Target::default() };
    let rollout = rollout(json!({}));
    let told = shared(&rollout, NAMED, &routes, &target);
    assert_eq!(told, "other: stable=100 canary=0; primary: stable=60 canary=40");
    let told = shared(&rollout, r#"{"name": "app", "routes": ["none"]}"#, &routes, &target);
    assert_eq!(told, "HTTP Route 'none' is not found in the defined Virtual Service.");
    let told = shared(&rollout, r#"{"name": "app"}"#, &routes, &target);
    assert!(told.contains("it must have exactly one route when omitting"), "{told}");
}

#[test]
fn a_route_that_leads_past_a_revision_is_invalid() {
    let fault = |rollout: &Rollout, destinations: &str| {
        let service = service(&[route("primary", destinations)]);
        validate_routes(rollout, &named(NAMED), &service).expect_err("it is invalid")
    };
    let told = fault(&rollout(json!({})), "stable=100");
    assert_eq!(
        told,
        "Istio VirtualService has invalid HTTP routes. Error: Canary Service 'canary' not found in route"
    );
    let told = fault(&subsets(), "app/new=100");
    assert!(told.ends_with("Stable DestinationRule subset 'old' not found in route"), "{told}");
    let told = validate_routes(&rollout(json!({})), &named(NAMED), &json!({"spec": {}}));
    assert!(told.is_err_and(|error| error.starts_with("Unable to get any of the HTTP, TCP or TLS routes")));
}

fn canary() -> managed::Canary {
    managed::Canary { host: "canary".into(), subset: String::new() }
}

#[test]
fn a_route_by_header_sends_all_who_match_to_the_new_revision() {
    let mut service = service(&[route("primary", "stable=90 canary=10")]);
    let header = |matches: Value| {
        serde_json::from_value(json!({"name": "a", "match": matches})).expect("a header route")
    };
    let some = header(json!([{"headerName": "x-tester", "headerValue": {"exact": "yes"}}]));
    managed::set_header(&mut service, &named(NAMED), &some, &canary()).expect("it is set");
    assert_eq!(told(&service), "primary: stable=90 canary=10; a: canary=100");
    assert_eq!(service["spec"]["http"][1]["match"], json!([{"headers": {"x-tester": {"exact": "yes"}}}]));
    managed::order(&mut service, vec!["b".into(), "a".into()]);
    assert_eq!(told(&service), "a: canary=100; primary: stable=90 canary=10");
    managed::set_header(&mut service, &named(NAMED), &header(json!([])), &canary()).expect("it ends");
    assert_eq!(told(&service), "primary: stable=90 canary=10");
}

#[test]
fn a_mirror_copies_requests_and_shares_them_like_the_route_it_copies() {
    let mut service = service(&[route("primary", "stable=90 canary=10")]);
    let mirror = json!({"name": "b", "percentage": 35, "match": [{"method": {"exact": "GET"}}]});
    let mirror = serde_json::from_value(mirror).expect("a mirror");
    managed::set_mirror(&mut service, &named(NAMED), &mirror, &canary()).expect("it is set");
    assert_eq!(told(&service), "b: stable=90 canary=10; primary: stable=90 canary=10");
    let first = &service["spec"]["http"][0];
    assert_eq!(first["mirror"], json!({"host": "canary"}));
    assert_eq!(first["mirrorPercentage"], json!({"value": 35}));
    let target = Target { weight: 50, ..Target::default() };
    assert_eq!(weights::share_out(&mut service, &rollout(json!({})), &named(NAMED), &target), Ok(true));
    assert_eq!(told(&service), "b: stable=50 canary=50; primary: stable=50 canary=50");
}

#[test]
fn managed_routes_end_together_and_others_stay() {
    let mut service = service(&[route("a", "canary=100"), route("primary", "stable=100 canary=0")]);
    assert!(managed::remove_all(&mut service, vec!["a".into(), "b".into()]));
    assert_eq!(told(&service), "primary: stable=100 canary=0");
    assert!(!managed::remove_all(&mut service, vec!["a".into(), "b".into()]), "there is none any more");
}

#[test]
fn a_destination_rule_that_nobody_manages_any_more_loses_hashes_and_annotation() {
    let label = |hash: Value| json!({"rollouts-pod-template-hash": hash, "app": "app"});
    let managed = json!({"argo-rollouts.argoproj.io/managed-by-rollouts": "app"});
    let rule = json!({
        "metadata": {"annotations": managed}, "spec": {"subsets": [{"name": "old", "labels": label(json!("x"))}]},
    });
    let clean = cleaned_rule(&rule).expect("there was something");
    let expect = json!({"metadata": {"annotations": {}}, "spec": {"subsets": [{"name": "old", "labels": {"app": "app"}}]}});
    assert_eq!(clean, expect);
    assert_eq!(cleaned_rule(&clean), None);
}

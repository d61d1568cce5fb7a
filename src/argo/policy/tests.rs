//! Policies as people write them, and what is found in them.

use std::sync::Arc;

use super::*;
use crate::diag::{Diagnostic, Severity, Source};

fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { name: name.into(), text: text.into() })
}

fn load(texts: &[&str], rollout: Option<&str>) -> (Policy, Vec<Diagnostic>) {
    let files =
        texts.iter().enumerate().map(|(index, text)| source(&format!("{index}.yaml"), text)).collect();
    Policy::load(files, rollout)
}

/// The codes, with the text that each points at.
fn codes(diagnostics: &[Diagnostic]) -> Vec<(&'static str, String)> {
    let place =
        |d: &Diagnostic| d.primary.as_ref().map(|(span, _)| span.source.text[span.range.clone()].to_string());
    diagnostics.iter().map(|d| (d.code, place(d).unwrap_or_default())).collect()
}

#[track_caller]
fn check(texts: &[&str], rollout: Option<&str>, expect: &[(&'static str, &str)]) -> Vec<Diagnostic> {
    let (_, diagnostics) = load(texts, rollout);
    let found = codes(&diagnostics);
    let found: Vec<(&str, &str)> = found.iter().map(|(code, place)| (*code, place.as_str())).collect();
    assert_eq!(found, expect, "{}", crate::diag::render(&diagnostics, false));
    diagnostics
}

const SERVICES: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n\
    apiVersion: v1\nkind: Service\nmetadata: {name: web-next}\n";

fn rollout(name: &str, strategy: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata:\n  name: {name}\nspec:\n  strategy: {strategy}\n"
    )
}

fn template(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\nspec: {spec}\n")
}

#[test]
fn one_rollout_needs_no_name() {
    let web = rollout("web", "{blueGreen: {activeService: web, previewService: web-next}}");
    let (policy, diagnostics) = load(&[&web, SERVICES], None);
    assert_eq!(diagnostics, []);
    assert_eq!(policy.rollout().map(|rollout| rollout.name.as_str()), Some("web"));
    assert!(matches!(policy.strategy(), Some(Strategy::BlueGreen(_))));
    assert_eq!(policy.references().len(), 2);
}

#[test]
fn several_rollouts_want_a_choice() {
    let (a, b) = (rollout("a", "{canary: {}}"), rollout("bb", "{canary: {}}"));
    check(&[&a, &b], None, &[(NO_ROLLOUT, "a")]);
    check(&[&a, &b], Some("bb"), &[]);
    let diagnostics = check(&[&a, &b], Some("bbb"), &[(NO_ROLLOUT, "")]);
    assert_eq!(diagnostics[0].help, ["did you mean `bb`?"]);
}

#[test]
fn nothing_is_said_to_be_nothing() {
    check(&[], None, &[(EMPTY, "")]);
    check(&["# todo\n"], None, &[(EMPTY, "")]);
}

#[test]
fn a_deployment_is_no_rollout() {
    check(&["apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"], None, &[(NO_ROLLOUT, "web")]);
}

#[test]
fn a_missing_service_is_pointed_at_where_it_is_named() {
    let web = rollout("web", "{blueGreen: {activeService: wbe}}");
    let diagnostics = check(&[&web, SERVICES], None, &[(MISSING, "wbe")]);
    assert_eq!(diagnostics[0].help, ["did you mean `web`?"]);
}

#[test]
fn a_service_elsewhere_is_not_found_but_shown() {
    let web = rollout("web\n  namespace: shop", "{canary: {stableService: web}}");
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: other}\n";
    let diagnostics = check(&[&web, service], None, &[(MISSING, "web")]);
    assert_eq!(diagnostics[0].secondary[0].1, "this one is in namespace `other`");
    check(&[&web, SERVICES], None, &[]);
}

#[test]
fn a_template_of_the_other_scope_is_not_found_but_shown() {
    let web = rollout("web", "{canary: {analysis: {templates: [{templateName: errors}]}}}");
    let cluster = template("ClusterAnalysisTemplate", "errors", "{metrics: []}");
    let diagnostics = check(&[&web, &cluster], None, &[(MISSING, "errors")]);
    assert_eq!(diagnostics[0].help, ["add `clusterScope: true` to the reference"]);
}

#[test]
fn nested_templates_are_followed_and_circles_end() {
    let web = rollout("web", "{canary: {steps: [{analysis: {templates: [{templateName: outer}]}}]}}");
    let outer =
        template("AnalysisTemplate", "outer", "{templates: [{templateName: inner}, {templateName: gone}]}");
    let inner =
        template("AnalysisTemplate", "inner", "{templates: [{templateName: outer}], metrics: [{name: m}]}");
    check(&[&web, &outer, &inner], None, &[(MISSING, "gone")]);
    let (policy, _) = load(&[&web, &outer, &inner], None);
    let analyses = policy.analyses();
    assert_eq!(analyses[0].role, Role::Step(0));
    let names: Vec<&str> = analyses[0].templates.iter().map(|template| template.name).collect();
    assert_eq!(names, ["outer", "inner", "gone", "outer"]);
    assert!(analyses[0].metrics().iter().all(|metric| metric.name == "m"));
}

#[test]
fn a_long_chain_of_templates_costs_no_stack() {
    let link = |n: usize| {
        format!(
            "- {{apiVersion: argoproj.io/v1alpha1, kind: AnalysisTemplate, metadata: {{name: t{n}}}, \
             spec: {{templates: [{{templateName: t{}}}]}}}}\n",
            n + 1
        )
    };
    let chain: String = (0..3_000).map(link).collect();
    let web = rollout("web", "{canary: {analysis: {templates: [{templateName: t0}]}}}");
    check(&[&web, &format!("kind: List\nitems:\n{chain}")], None, &[(MISSING, "t3000")]);
}

#[test]
fn what_cannot_be_read_may_have_been_the_rollout() {
    check(&["kind: Rollout\n a: b\n"], None, &[(crate::yaml::SYNTAX, ":")]);
}

#[test]
fn two_strategies_and_none_are_refused() {
    check(&[&rollout("web", "{canary: {}, blueGreen: {}}")], None, &[(STRATEGY, "canary")]);
    check(&[&rollout("web", "{}")], None, &[(STRATEGY, "web")]);
}

#[test]
fn one_name_is_for_one_object() {
    let web = rollout("web", "{canary: {}}");
    check(&[&web, SERVICES, SERVICES], None, &[(DUPLICATE, "web"), (DUPLICATE, "web-next")]);
    let elsewhere = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: b}\n";
    check(&[&web, SERVICES, elsewhere], None, &[]);
}

#[test]
fn a_slip_in_a_kind_is_an_error_and_a_strange_kind_a_note() {
    let web = rollout("web", "{canary: {}}");
    let slip = template("AnalysisTemplates", "a", "{}");
    let diagnostics = check(&[&web, &slip], None, &[(UNKNOWN_KIND, "AnalysisTemplates")]);
    assert_eq!(diagnostics[0].severity, Severity::Error);
    let strange = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n";
    let diagnostics = check(&[&web, strange], None, &[(UNKNOWN_KIND, "HorizontalPodAutoscaler")]);
    assert_eq!(diagnostics[0].severity, Severity::Note);
    let misplaced = "apiVersion: apps/v1\nkind: Service\nmetadata: {name: web}\n";
    check(&[&web, misplaced], None, &[(UNKNOWN_KIND, "apps/v1")]);
}

#[test]
fn knatives_service_is_somebody_elses() {
    let web = rollout("web", "{canary: {}}");
    let other = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\n";
    let (_, diagnostics) = load(&[&web, other], None);
    assert_eq!(diagnostics[0].severity, Severity::Note);
}

#[test]
fn other_yaml_is_named_as_such() {
    let web = rollout("web", "{canary: {}}");
    let found = check(&[&web, "replicas: 3\n"], None, &[(NO_OBJECT, "replicas: 3")]);
    assert_eq!(found[0].severity, Severity::Note);
    let found = check(&[&web, "kind: Service\n"], None, &[(NO_OBJECT, "kind: Service")]);
    assert_eq!(found[0].severity, Severity::Error);
}

#[test]
fn subscriptions_are_read_apart() {
    let web = rollout(
        "web\n  annotations:\n    notifications.argoproj.io/subscribe.on-rollout-aborted.slack: a;b\n    \
         notifications.argoproj.io/subscribe.slack: c",
        "{canary: {}}",
    );
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argo-rollouts-notification-configmap}\n\
        data:\n  service.slack: x\n  service.webhook.hook: y\n  trigger.on-x: z\n";
    let (policy, _) = load(&[&web, config], None);
    let notifications = policy.notifications();
    let read: Vec<_> = notifications.subscriptions.iter().map(|s| (s.trigger, s.service)).collect();
    assert_eq!(read, [(Some("on-rollout-aborted"), "slack"), (None, "slack")]);
    assert_eq!(notifications.service_names().collect::<Vec<_>>(), ["slack", "hook"]);
}

#[test]
fn references_reach_into_traffic_routing() {
    let web = rollout(
        "web",
        "{canary: {trafficRouting: {istio: {virtualServices: [{name: routes.mesh}]}, nginx: {stableIngress: front}}}}",
    );
    check(&[&web], None, &[(MISSING, "front"), (MISSING, "routes.mesh")]);
    let virtual_service =
        "apiVersion: networking.istio.io/v1beta1\nkind: VirtualService\nmetadata: {name: routes}\n";
    check(&[&web, virtual_service], None, &[(MISSING, "front")]);
}

//! Plans put in their place.

use serde_json::json;

use super::*;
use crate::plan::tests::of_policy;

const PLACE: Place<'_> = Place {
    mark: ("firedrill.dev/run", "abcdef"),
    namespace: "shop-abcdef",
    image: "firedrill/fake-app:1",
    receivers: "http://agent-abcdef.firedrill.svc:8080/sink/token",
    controller: "argo-rollouts",
    self_service: true,
};

const POLICY: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: server
  namespace: shop
  annotations:
    notifications.argoproj.io/subscribe.on-rollout-aborted.slack: deploys
    notifications.argoproj.io/subscribe.on-rollout-aborted.ops: ""
    notifications.argoproj.io/subscribe.on-rollout-aborted.email: a@example.com
spec:
  replicas: 1
  selector: {matchLabels: {app: server}}
  template:
    metadata: {labels: {app: server}}
    spec: {containers: [{name: app, image: shop/server:1, ports: [{containerPort: 8080}]}]}
  strategy:
    blueGreen:
      activeService: server
      postPromotionAnalysis:
        templates: [{templateName: errors}]
        args: [{name: namespace, value: shop}, {name: service, value: shop}]
---
apiVersion: v1
kind: Service
metadata: {name: server}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  args: [{name: namespace}, {name: service}]
  metrics:
    - name: errors
      provider: {prometheus: {address: "http://prometheus:9090", query: 'sum(http_requests_total{namespace="shop"})'}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argo-rollouts-notification-configmap, namespace: NAMESPACE}
data:
  service.slack: "{token: $slack-token}"
  service.webhook.ops: "{url: 'https://ops.example/hooks'}"
  template.aborted: |
    message: aborted
    webhook: {ops: {method: POST, body: '{"x": "{{.rollout.metadata.name}}"}'}}
  trigger.on-rollout-aborted: "[{send: [aborted]}]"
"#;

fn object<'a>(plan: &'a Plan, kind: &str) -> &'a Value {
    plan.objects.iter().find(|object| text(object, "/kind") == kind).expect("it is there")
}

fn placed(config: &str, place: &Place<'_>) -> Placed {
    super::place(&of_policy(&POLICY.replace("NAMESPACE", config)), place)
}

#[test]
fn everything_moves_and_is_marked() {
    let placed = placed("argo-rollouts", &PLACE);
    assert_eq!((placed.plan.namespace.as_str(), placed.notifications), ("shop-abcdef", None));
    for object in &placed.plan.objects {
        assert_eq!(text(object, "/metadata/namespace"), "shop-abcdef", "{object}");
        assert_eq!(object["metadata"]["labels"]["firedrill.dev/run"], "abcdef");
    }
    let rollout = object(&placed.plan, "Rollout");
    assert_eq!(text(rollout, "/spec/template/spec/containers/0/image"), "firedrill/fake-app:1");
    let template = &rollout["spec"]["template"]["metadata"];
    assert_eq!(
        *template,
        json!({"labels": {"app": "server"}, "annotations": {"firedrill.dev/run": "abcdef"}})
    );
}

#[test]
fn queries_that_measure_everything_are_known() {
    let boundless =
        |policy: &str| super::boundless(&of_policy(&policy.replace("NAMESPACE", "argo-rollouts")));
    assert_eq!(boundless(POLICY), [] as [&str; 0]);
    assert_eq!(boundless(&POLICY.replace(r#"{namespace="shop"}"#, "")), ["AnalysisTemplate `errors`"]);
}

#[test]
fn what_names_the_namespace_follows() {
    let placed = placed("argo-rollouts", &PLACE);
    let query = text(object(&placed.plan, "AnalysisTemplate"), "/spec/metrics/0/provider/prometheus/query");
    assert_eq!(query, r#"sum(http_requests_total{namespace="shop-abcdef"})"#);
    let args = object(&placed.plan, "Rollout").pointer("/spec/strategy/blueGreen/postPromotionAnalysis/args");
    let expect = json!([{"name": "namespace", "value": "shop-abcdef"}, {"name": "service", "value": "shop"}]);
    assert_eq!(args, Some(&expect));
    assert!(placed.plan.changes.iter().any(|change| change.contains("a query names the run's namespace")));
}

#[test]
fn every_subscription_has_a_service_that_tells_its_trigger() {
    let placed = placed("argo-rollouts", &PLACE);
    let annotations = &object(&placed.plan, "Rollout")["metadata"]["annotations"];
    let expect = json!({
        "notifications.argoproj.io/subscribe.on-rollout-aborted.drill0": "",
        "notifications.argoproj.io/subscribe.on-rollout-aborted.drill1": "deploys",
        "notifications.argoproj.io/subscribe.on-rollout-aborted.email": "a@example.com",
    });
    assert_eq!(*annotations, expect);
    let data = &object(&placed.plan, "ConfigMap")["data"];
    let address = "http://agent-abcdef.firedrill.svc:8080/sink/token";
    let options = |name: &str| serde_json::from_str::<Value>(data[name].as_str().unwrap()).unwrap();
    assert_eq!(options("service.webhook.drill0")["url"], format!("{address}/ops~on-rollout-aborted"));
    assert_eq!(options("service.webhook.ops")["url"], format!("{address}/ops"));
    assert_eq!(options("service.slack.drill1")["apiURL"], format!("{address}/slack~on-rollout-aborted/"));
    let template = options("template.aborted");
    assert_eq!(template["webhook"]["drill0"], template["webhook"]["ops"]);
    assert_eq!(data["trigger.on-rollout-aborted"], "[{send: [aborted]}]");
}

#[test]
fn a_controller_that_reads_one_place_only_is_given_them_there() {
    let placed = placed("argo-rollouts", &Place { self_service: false, ..PLACE });
    assert!(placed.plan.objects.iter().all(|object| text(object, "/kind") != "ConfigMap"));
    let shared = placed.notifications.expect("they are there");
    assert_eq!(text(&shared, "/metadata/namespace"), "argo-rollouts");
    assert!(shared["data"].to_string().contains("agent-abcdef"));
}

#[test]
fn notifications_that_nobody_reads_stay_unread() {
    for config in ["shop", "elsewhere"] {
        let placed = placed(config, &PLACE);
        assert!(placed.plan.objects.iter().all(|object| text(object, "/kind") != "ConfigMap"), "{config}");
        assert_eq!(placed.notifications, None);
        assert!(placed.plan.changes.iter().any(|change| change.contains("does not read it there")));
    }
}

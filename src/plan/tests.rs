//! Scenarios and policies made into plans, and refused.

use serde_json::json;

use super::*;
use crate::scenario::{Anchor, read};

/// A policy of a blue-green `server`, as a bad release of it would be planned.
pub(super) fn of_policy(policy: &str) -> Plan {
    let scenario = "name: s\npolicy: {manifests: [p.yaml]}\ntraffic: {to: active, rate: 50/s}\n\
                    release: {fault: {errors: {rate: 8%}}}\nexpect: [{never: promoted}]\n";
    planned(scenario, policy).expect("it can be planned")
}

const SCENARIO: &str = "\
name: server-5xx-rolls-back
covers: [poc-4-errors]
policy: {manifests: [server.yaml]}
traffic: {to: active, rate: 50/s}
release:
  fault: {errors: {rate: 8%, status: 503}}
  steps:
    - retry: {after: aborted, plus: 5s}
    - release: {healthy: true, after: restored}
    - patch: {target: service/server-active, with: {metadata: {labels: {a: b}}}, at: 2m}
expect:
  - detected: {within: 3m}
  - aborted: {after: detected, within: 5s}
  - notified: {by: slack, trigger: on-rollout-aborted, after: aborted, within: 15s, times: 1}
  - harmed: {at-most: 4%}
  - never: promoted
";

const POLICY: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: server, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: server}}
  template:
    metadata: {labels: {app: server}}
    spec:
      serviceAccountName: server
      initContainers: [{name: migrate, image: shop/migrate:1}]
      containers:
        - name: proxy
          image: envoy:1
          livenessProbe: {exec: {command: [true]}, periodSeconds: 3}
        - name: app
          image: shop/server:1.2.3
          command: [java]
          ports: [{name: http, containerPort: 8081}]
          readinessProbe: {httpGet: {path: /ready, port: 8082}, periodSeconds: 2}
          livenessProbe: {httpGet: {path: /alive, port: http}}
          startupProbe: {grpc: {port: 9090}, failureThreshold: 30}
  strategy:
    blueGreen: {activeService: server-active, previewService: server-preview, postPromotionAnalysis: {templates: [{templateName: errors}]}}
---
apiVersion: v1
kind: Service
metadata: {name: server-active}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: server-preview}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: http}, {name: admin, port: 81}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  metrics:
    - name: errors
      interval: 30s
      count: 5
      failureCondition: result[0] > 0.05
      provider:
        prometheus:
          address: http://prometheus.monitoring:9090
          query: |
            sum(rate(http_server_requests_seconds_count{outcome="SERVER_ERROR"}[1m])) / sum(rate(shop_total[1m]))
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argo-rollouts-notification-configmap, namespace: argo-rollouts}
data:
  service.slack: |
    token: $slack-token
  service.webhook.hook: |
    url: https://example.com
  service.email.gmail: |
    username: x
  trigger.on-rollout-aborted: |
    - send: [aborted]
"#;

fn manifests(text: &str) -> Vec<Manifest> {
    let source = Arc::new(Source { name: "server.yaml".into(), text: text.into() });
    let object = |text: &str| serde_saphyr::from_str(text).expect("a test's manifests are YAML");
    text.split("---\n")
        .map(|part| Manifest {
            object: object(part),
            span: Span { source: Arc::clone(&source), range: 0..0 },
        })
        .collect()
}

fn planned(scenario: &str, policy: &str) -> Result<Plan, Vec<Diagnostic>> {
    let source = Arc::new(Source { name: "s.yaml".into(), text: scenario.into() });
    let scenario = read(&source).expect("a test's scenario reads");
    plan(&scenario, &source, &manifests(policy))
}

/// Replaces `from` in the scenario or in the policy, and meets exactly this complaint.
fn refuse(from: &str, to: &str, expect: &[&str]) {
    assert!(SCENARIO.contains(from) || POLICY.contains(from), "{from} is not there to replace");
    let found =
        planned(&SCENARIO.replace(from, to), &POLICY.replace(from, to)).expect_err("it cannot be planned");
    let told: Vec<String> =
        found.iter().map(|d| format!("{}: {}; {}", d.code, d.title, d.help.join("; "))).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    for part in expect {
        assert!(told[0].contains(part), "{told:?} should contain {part:?}");
    }
}

#[test]
fn a_plan_is_complete_and_readable() {
    let plan = planned(SCENARIO, POLICY).expect("it can be planned");
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).expect("plain data"));
}

#[test]
fn the_same_inputs_make_the_same_plan() {
    assert_eq!(planned(SCENARIO, POLICY), planned(SCENARIO, POLICY));
}

#[test]
fn a_release_patches_what_the_installed_rollout_has() {
    let plan = planned(SCENARIO, POLICY).expect("it can be planned");
    let rollout = plan.objects.last().expect("the Rollout comes last");
    let Action::Release { patch, fault, .. } = &plan.steps[0].action else {
        panic!("the first step is the release")
    };
    for (operation, name) in patch.as_array().expect("a list").iter().zip(["FAULT", "REVISION"]) {
        let path = operation["path"]
            .as_str()
            .and_then(|path| path.strip_suffix("/value"))
            .expect("a path to a value");
        assert_eq!(rollout.pointer(path).expect("it is there")["name"], name);
    }
    let text = patch[0]["value"].as_str().expect("text");
    assert_eq!(serde_json::from_str::<crate::scenario::Fault>(text).expect("a fault"), **fault);
}

#[test]
fn a_retry_waits_and_a_second_release_counts_on() {
    let plan = planned(SCENARIO, POLICY).expect("it can be planned");
    let five = crate::scenario::Duration::from_secs(5);
    assert_eq!(plan.steps[1].when, When::After { moment: Anchor::Aborted, plus: five });
    assert!(matches!(&plan.steps[2].action, Action::Release { revision, .. } if revision == "v3"));
}

#[test]
fn a_server_without_ports_listens_where_servers_do() {
    let bare = "        - name: app\n          image: x\n";
    let at = POLICY.find("        - name: proxy").expect("it is there");
    let end = POLICY.find("  strategy:").expect("it is there");
    let policy = format!("{}{bare}{}", &POLICY[..at], &POLICY[end..]);
    let plan = planned(SCENARIO, &policy).expect("it can be planned");
    let rollout = plan.objects.last().expect("the Rollout comes last");
    let env = &rollout["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(env[2], json!({"name": "PORTS", "value": "8080"}));
}

#[test]
fn windows_count_from_the_onset_only_where_there_is_one() {
    let plan = planned(SCENARIO, POLICY).expect("it can be planned");
    assert_eq!(plan.expectations[0].after, Anchor::Onset);
    assert_eq!(plan.expectations[0].line, 12);
    let healthy = "name: s\npolicy: {manifests: [x]}\ntraffic: {to: active}\nrelease: {healthy: true}\nexpect: [{promoted: {within: 5m}}]\n";
    let plan = planned(healthy, POLICY).expect("it can be planned");
    assert_eq!(plan.expectations[0].after, Anchor::Applied);
}

#[test]
fn the_rollout_must_be_there_and_of_a_kind_we_can_test() {
    refuse(
        "manifests: [server.yaml]",
        "manifests: [server.yaml], rollout: sever",
        &["no-rollout", "did you mean `server`?"],
    );
    refuse("kind: Rollout", "kind: Deployment", &["no-rollout", "hold no Rollout"]);
    let reference = "  workloadRef: {apiVersion: apps/v1, kind: StatefulSet, name: x}";
    refuse("  replicas: 3", reference, &["unsupported-rollout", "`workloadRef` to a StatefulSet"]);
    let reference = "  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: x}";
    refuse("  replicas: 3", reference, &["unsupported-rollout", "Deployment `x`", "add its manifest"]);
    refuse("blueGreen:", "recreate:", &["unsupported-rollout", "strategy"]);
}

/// The policy with its template in a Deployment, and another Deployment beside it.
fn lent() -> String {
    let at = POLICY.find("  selector:").expect("it is there");
    let end = POLICY.find("  strategy:").expect("it is there");
    let deployment = |name: &str| {
        let template = &POLICY[at..end];
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n{template}"
        )
    };
    let reference = "  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: lender}\n";
    format!("{}{reference}{}{}{}", &POLICY[..at], &POLICY[end..], deployment("lender"), deployment("other"))
}

#[test]
fn a_release_patches_the_deployment_whose_template_is_borrowed() {
    let plan = planned(SCENARIO, &lent()).expect("it can be planned");
    let workload = Workload { kind: "Deployment".into(), name: "lender".into() };
    assert_eq!(plan.workload, Some(workload));
    let deployments: Vec<&Value> =
        plan.objects.iter().filter(|object| object["kind"] == "Deployment").collect();
    let [deployment] = deployments.as_slice() else { panic!("one Deployment is under test") };
    assert_eq!(deployment["metadata"]["name"], "lender");
    let Action::Release { patch, .. } = &plan.steps[0].action else {
        panic!("the first step is the release")
    };
    let path = patch[0]["path"].as_str().and_then(|path| path.strip_suffix("/value")).expect("a path");
    assert_eq!(deployment.pointer(path).expect("it is there")["name"], "FAULT");
    assert_eq!(plan.objects.last().expect("objects")["kind"], "Rollout", "what it borrows is there first");
    assert!(plan.changes.iter().any(|change| change.starts_with("releases change Deployment `lender`")));
    assert!(plan.changes.iter().any(|change| change.starts_with("Deployment `other` is left out")));
}

#[test]
fn the_service_must_be_there_and_have_one_port() {
    refuse("to: active", "to: stable", &["no-service", "canary.stableService"]);
    refuse("to: active", "to: service/server-actve", &["no-service", "did you mean `server-active`?"]);
    refuse("to: active", "to: preview", &["no-port", "several ports"]);
    refuse("to: active", "to: preview, port: metrics", &["no-port", "no port `metrics`", "80, admin"]);
}

#[test]
fn the_container_must_be_told_when_it_cannot_be_seen() {
    refuse("targetPort: http", "targetPort: 7000", &["no-container", "proxy, app"]);
    refuse(
        "manifests: [server.yaml]",
        "manifests: [server.yaml], container: web",
        &["no-container", "proxy, app"],
    );
}

#[test]
fn a_notification_needs_a_service_that_sends_it() {
    refuse("by: slack", "by: slak", &["no-receiver", "did you mean `slack`?"]);
    refuse("by: slack", "by: gmail", &["no-receiver", "slack, hook"]);
}

//! A Deployment that goes on beside its Rollout.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Object, Policy, Strategy};
use crate::diag::{Diagnostic, Span};
use crate::twin::store::Kind;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD022",
    name: "deployment-keeps-its-pods",
    summary: "a Deployment that lends its template keeps its own pods, and rolls a bad release out in them",
    manual: Manual {
        what: "`workloadRef` to a Deployment that nothing ever scales down: without `scaleDown`, with `scaleDown: never`, \
               or with `scaleDown: onsuccess` in a blue-green Rollout that has a `postPromotionAnalysis`.",
        why: "A release through `workloadRef` is a change of the Deployment's template. A Deployment that still has pods \
              rolls it out in them at once, outside all analysis, and an abort does not touch them: whatever reaches \
              these pods other than by the Rollout's Services (queues, timers, Services of their own) is on the bad \
              version until somebody patches the Deployment back. `onsuccess` acts only while the first revision is \
              called stable, and with a `postPromotionAnalysis` that needs a successful run, which a first revision \
              never has: the Deployment is never scaled down.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  workloadRef:
    apiVersion: apps/v1
    kind: Deployment
    name: shop
    scaleDown: onsuccess
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      postPromotionAnalysis:
        templates:
        - templateName: shop-errors
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: 2
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
      - name: shop
        image: registry.example.com/shop:1.4.2
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  workloadRef:
    apiVersion: apps/v1
    kind: Deployment
    name: shop
    scaleDown: progressively
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      postPromotionAnalysis:
        templates:
        - templateName: shop-errors
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: 2
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
      - name: shop
        image: registry.example.com/shop:1.4.2
",
    },
    check,
};

const HELP: &str =
    "set `scaleDown: progressively`, or `replicas: 0` in the Deployment once the Rollout carries the traffic";

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let Some(rollout) = policy.rollout() else { return };
    let Some(workload) = rollout.node.pointer("/spec/workloadRef") else { return };
    if workload.text("kind") != Some("Deployment") || is_empty(policy, rollout, workload) {
        return;
    }
    let (said, place) = match workload.entry("scaleDown") {
        Some((key, value)) => (value.as_str().unwrap_or(""), key.span.start..value.span.end),
        None => ("", workload.span.clone()),
    };
    let place = rollout.span(&place);
    match said {
        "progressively" => {}
        "onsuccess" => found.extend(post_analysis(policy, rollout).map(|because| {
            finding(place, "waits for a successful post-promotion run, which revision 1 never has")
                .and_at(because, "because of this")
        })),
        _ => found.push(finding(place, "nothing takes its pods away")),
    }
}

/// Whether the manifests say that it has no pods.
fn is_empty(policy: &Policy, rollout: &Object, workload: &Node) -> bool {
    let name = workload.text("name").unwrap_or_default();
    let deployment = policy.find(rollout, Kind::Deployment, name);
    let replicas = deployment.and_then(|deployment| deployment.node.pointer("/spec/replicas"));
    replicas.and_then(Node::as_i64) == Some(0)
}

fn post_analysis(policy: &Policy, rollout: &Object) -> Option<Span> {
    let Some(Strategy::BlueGreen(strategy)) = policy.strategy() else { return None };
    let (key, _) = strategy.entry("postPromotionAnalysis").filter(|(_, value)| !value.is_null())?;
    Some(rollout.span(&key.span))
}

fn finding(place: Span, label: &str) -> Diagnostic {
    Diagnostic::warning(
        RULE.code,
        "the Deployment keeps its pods, and a bad release rolls out in them unjudged",
    )
    .at(place, label)
    .help(HELP)
}

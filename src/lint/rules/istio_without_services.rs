//! A DestinationRule that waits for the very pods it should be taken away from.

use super::super::reading::is_set;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Policy, Strategy};
use crate::diag::Diagnostic;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD023",
    name: "istio-without-services",
    summary: "with Istio and no canary and stable Service, one unready pod keeps an abort from happening",
    manual: Manual {
        what: "Canary Rollouts with Istio that split traffic by subsets of a DestinationRule, or by ping-pong, and \
               name no `canaryService` and no `stableService`.",
        why: "Without the two Services the controller refuses to touch the DestinationRule while any pod of either \
              version is unready, and it refuses with an error before it looks at an analysis: the analysis fails, \
              and there is no abort, the weights stay as they are, and the progress deadline never strikes. A bad \
              version with a crashing pod is just such a case. Recorded with v1.9.1 as \
              `istio-subset-canary-crashes-background-analysis-failed` and \
              `istio-ping-pong-canary-pod-unready-analysis-failed`; an abort by hand works.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      trafficRouting:
        istio:
          virtualService:
            name: shop
          destinationRule:
            name: shop
            stableSubsetName: stable
            canarySubsetName: canary
      analysis:
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 20
      - pause: {duration: 5m}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: shop
spec:
  http:
  - route:
    - destination: {host: shop, subset: stable}
      weight: 100
    - destination: {host: shop, subset: canary}
      weight: 0
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: shop
spec:
  host: shop
  subsets:
  - name: stable
  - name: canary
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      stableService: shop
      canaryService: shop-preview
      trafficRouting:
        istio:
          virtualService:
            name: shop
          destinationRule:
            name: shop
            stableSubsetName: stable
            canarySubsetName: canary
      analysis:
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 20
      - pause: {duration: 5m}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: shop
spec:
  http:
  - route:
    - destination: {host: shop, subset: stable}
      weight: 100
    - destination: {host: shop, subset: canary}
      weight: 0
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: shop
spec:
  host: shop
  subsets:
  - name: stable
  - name: canary
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let (Some(rollout), Some(Strategy::Canary(canary))) = (policy.rollout(), policy.strategy()) else {
        return;
    };
    let istio = canary.get("trafficRouting").and_then(|routing| routing.entry("istio"));
    let applies = !has_services(canary) && can_abort(policy, &rollout.node);
    let Some((key, istio)) = istio.filter(|_| applies) else { return };
    let split = istio.entry("destinationRule").or_else(|| canary.entry("pingPong"));
    let Some((split, _)) = split.filter(|(_, node)| !node.is_null()) else { return };
    found.push(
        Diagnostic::warning(RULE.code, "one unready pod of either version, and nothing aborts this canary")
            .at(rollout.span(&split.span), "not touched while a pod is unready, nor is anything else")
            .and_at(rollout.span(&key.span), "there is no `canaryService` and no `stableService`")
            .help("name both a `canaryService` and a `stableService`, which the controller needs to tell the two apart"),
    );
}

/// The controller asks whether both are missing (argo-rollouts v1.9.1 rollout/trafficrouting/istio/istio.go).
fn has_services(canary: &Node) -> bool {
    ["canaryService", "stableService"].iter().any(|field| is_set(canary, field))
}

/// Whether anything but a person would abort this canary at all.
fn can_abort(policy: &Policy, rollout: &Node) -> bool {
    let by_deadline = rollout.pointer("/spec/progressDeadlineAbort").and_then(Node::as_bool);
    by_deadline == Some(true) || !policy.analyses().is_empty()
}

//! A rehearsal before empty seats, with nobody on stage.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Policy, Strategy};
use crate::diag::Diagnostic;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD029",
    name: "canary-of-nobody",
    summary: "a canary with `replicas: 0` is promoted without a single pod",
    manual: Manual {
        what: "Canary Rollouts with `spec.replicas: 0`.",
        why: "A canary of nothing is fully available at once: it runs through its steps and pauses without a pod, \
              an analysis measures nobody, and the version is stable when the Rollout is scaled up. Recorded with \
              v1.9.1 as `canary-replicas-zero`. Whoever scales to zero at night and releases meanwhile has \
              released without a canary.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  replicas: 0
  strategy:
    canary:
      analysis:
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 20
      - pause: {duration: 5m}
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  replicas: 2
  strategy:
    canary:
      analysis:
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 20
      - pause: {duration: 5m}
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let (Some(rollout), Some(Strategy::Canary(_))) = (policy.rollout(), policy.strategy()) else { return };
    let replicas = rollout.node.pointer("/spec/replicas");
    let Some(replicas) = replicas.filter(|replicas: &&Node| replicas.as_i64() == Some(0)) else { return };
    found.push(
        Diagnostic::warning(RULE.code, "a release of this canary becomes stable without a pod to prove it")
            .at(rollout.span(&replicas.span), "no pods, no canary")
            .help("leave `replicas` out where something else scales, and release while there are pods"),
    );
}

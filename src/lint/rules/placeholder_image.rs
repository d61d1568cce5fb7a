//! An image that is still to be filled in.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Object, Policy};
use crate::diag::Diagnostic;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD019",
    name: "placeholder-image",
    summary: "an image is a placeholder",
    manual: Manual {
        what: "Container images with `<…>`, `${…}` or `$(…)` in them.",
        why: "No registry has such an image, so the manifest cannot be applied as it is. A drill replaces the \
              image by the stand-in server, so this is a note and no warning.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
  template:
    spec:
      containers:
      - name: shop
        image: <registry>/shop:<tag>
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
  template:
    spec:
      containers:
      - name: shop
        image: registry.example.com/shop:1.4.2
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let Some(rollout) = policy.rollout() else { return };
    let workload = policy.references().into_iter().find(|reference| reference.field == "workloadRef");
    let lender = workload.and_then(|workload| policy.find(rollout, workload.kind, &workload.name));
    for owner in [rollout].into_iter().chain(lender) {
        for list in ["initContainers", "containers"] {
            let containers = owner.node.pointer(&format!("/spec/template/spec/{list}"));
            let containers = containers.map(Node::items).unwrap_or_default();
            let images = containers.iter().filter_map(|container| container.get("image"));
            found.extend(images.filter(|image| is_placeholder(image)).map(|image| finding(owner, image)));
        }
    }
}

/// None of these characters is allowed in the name of an image.
fn is_placeholder(image: &Node) -> bool {
    image.as_str().is_some_and(|image| image.contains(['<', '>', '$', '{', '}']))
}

fn finding(owner: &Object, image: &Node) -> Diagnostic {
    Diagnostic::note(RULE.code, "this image is a placeholder")
        .at(owner.span(&image.span), "replaced in a drill, refused by a cluster")
        .help("fill in registry and tag before it is applied")
}

//! A field with a value that no API server takes.

use super::super::{Context, Manual, Rule};
use super::unknown_field::place;
use crate::argo::policy::{Object, Policy};
use crate::diag::Diagnostic;
use crate::twin::store::schema::{self, Finding, FindingKind};

pub(super) const RULE: Rule = Rule {
    code: "FD021",
    name: "field-of-wrong-type",
    summary: "a field is missing, or has a value that the API server refuses",
    manual: Manual {
        what: "Values of the wrong type, values outside what a field allows, and required fields that are not \
              there.",
        why: "The API server refuses the object, so the cluster goes on with the one it had, which is not the \
              one in the file.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  progressDeadlineSeconds: ten minutes
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  progressDeadlineSeconds: 600
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    for object in &policy.objects {
        let Some(kind) = object.kind else { continue };
        let findings = schema::check(kind, &object.value);
        let refused = findings.iter().filter(|finding| finding.kind != FindingKind::Unknown);
        found.extend(refused.map(|refused| finding(object, refused)));
    }
}

fn finding(object: &Object, refused: &Finding) -> Diagnostic {
    let title = match refused.kind {
        FindingKind::Missing => format!("`{}` is missing", refused.path_text()),
        _ => format!("the API server refuses the value of `{}`", refused.path_text()),
    };
    // The server repeats value and path; both stand above the label.
    let label =
        refused.message.rsplit_once(" in body ").map_or(refused.message.as_str(), |(_, reason)| reason);
    Diagnostic::error(RULE.code, title)
        .at(place(object, &refused.path), label)
        .help("the cluster keeps the object that it has, or has none")
}

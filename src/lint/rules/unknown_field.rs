//! A field that a cluster drops without a word.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Object, Policy};
use crate::diag::{Diagnostic, Span};
use crate::twin::store::schema::{self, Finding, FindingKind, PathSegment};
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD011",
    name: "unknown-field",
    summary: "a field does not exist, and a cluster would drop it",
    manual: Manual {
        what: "Fields that the schema of the object's kind does not know: misspelt, at the wrong depth, or of \
              another version.",
        why: "An API server prunes what it does not know and answers that the object is configured. The \
              setting is not there, and the default applies.",
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
      previewReplicas: 1
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
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      previewReplicaCount: 1
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
        let unknown = findings.iter().filter(|finding| finding.kind == FindingKind::Unknown);
        found.extend(unknown.map(|unknown| finding(object, unknown)));
    }
}

fn finding(object: &Object, unknown: &Finding) -> Diagnostic {
    let field = match unknown.path.last() {
        Some(PathSegment::Key(name)) => name.clone(),
        _ => unknown.path_text(),
    };
    let diagnostic =
        Diagnostic::warning(RULE.code, format!("a {} has no field `{field}` here", object.kind_name))
            .at(place(object, &unknown.path), "dropped by the API server");
    match &unknown.suggestion {
        Some(known) => diagnostic.help(format!("did you mean `{known}`?")),
        None => diagnostic.help("compare the depth at which it stands with the documentation"),
    }
}

/// The key that a path ends with, or as much of the path as is written.
pub(super) fn place(object: &Object, path: &[PathSegment]) -> Span {
    let mut node: &Node = &object.node;
    let mut range = &node.span;
    for segment in path {
        let next = match segment {
            PathSegment::Key(name) => node.entry(name).map(|(key, value)| (&key.span, value)),
            PathSegment::Index(index) => node.items().get(*index).map(|item| (&item.span, item)),
        };
        let Some((found, value)) = next else { break };
        (range, node) = (found, value);
    }
    object.span(range)
}

//! What makes a policy impossible to run: the controller would answer each of these with InvalidSpec.
//!
//! Checked against the messages of spec 1.9 (argo-rollouts v1.9.1 `pkg/apis/rollouts/validation`).

use super::{MISSING, Object, Policy, STRATEGY};
use crate::diag::Diagnostic;
use crate::suggest;
use crate::twin::store::Kind;

/// A Rollout has exactly one strategy.
pub(super) fn strategy(policy: &Policy, found: &mut Vec<Diagnostic>) {
    let Some(rollout) = policy.rollout() else { return };
    let strategy = rollout.node.pointer("/spec/strategy");
    let entry = |name| strategy.and_then(|strategy| strategy.entry(name));
    match (entry("blueGreen"), entry("canary")) {
        (Some((first, _)), Some((second, _))) => found.push(
            Diagnostic::error(STRATEGY, "a Rollout has one strategy, and this one has two")
                .at(rollout.span(&second.span), "and this is another")
                .and_at(rollout.span(&first.span), "this is one")
                .help("keep `blueGreen` or `canary`"),
        ),
        (None, None) => found.push(
            Diagnostic::error(STRATEGY, "this Rollout has no strategy")
                .at(rollout.name_span(), "`spec.strategy` is neither `blueGreen` nor `canary`")
                .help("without a strategy the controller reports InvalidSpec and does nothing"),
        ),
        _ => {}
    }
}

/// What the Rollout names must be there.
pub(super) fn references(policy: &Policy, found: &mut Vec<Diagnostic>) {
    let Some(rollout) = policy.rollout() else { return };
    for reference in policy.references() {
        // Istio's objects may be named with their namespace: `routes.istio-system`.
        let bare = reference.name.split('.').next().unwrap_or_default();
        let there = |name| policy.find(rollout, reference.kind, name).is_some();
        let is_there = there(&reference.name) || (reference.kind == Kind::VirtualService && there(bare));
        if !is_there {
            let missing = Missing { from: rollout, kind: reference.kind, name: &reference.name };
            found.push(missing.diagnostic(policy, &reference.range, reference.field));
        }
    }
    for analysis in policy.analyses() {
        for template in analysis.templates.iter().filter(|template| template.object.is_none()) {
            let missing = Missing { from: template.from, kind: template.kind, name: template.name };
            let diagnostic = missing.diagnostic(policy, &template.node.span, "templateName");
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
    }
}

struct Missing<'a> {
    from: &'a Object,
    kind: Kind,
    name: &'a str,
}

impl Missing<'_> {
    fn diagnostic(&self, policy: &Policy, range: &std::ops::Range<usize>, field: &str) -> Diagnostic {
        let kind = self.kind.info().kind;
        let diagnostic =
            Diagnostic::error(MISSING, format!("there is no {kind} `{}` among the manifests", self.name))
                .at(self.from.span(range), format!("`{field}` refers to it"));
        self.explain(policy, diagnostic)
    }

    /// Elsewhere, of the other kind, of a similar name, or simply not there.
    fn explain(&self, policy: &Policy, diagnostic: Diagnostic) -> Diagnostic {
        if let Some(object) = policy.of_kind(self.kind).find(|object| object.name == self.name) {
            let namespace = object.namespace.as_deref().unwrap_or_default();
            return diagnostic
                .and_at(object.name_span(), format!("this one is in namespace `{namespace}`"))
                .help("a Rollout finds only what is in its own namespace");
        }
        if let Some((object, help)) = self.of_other_scope(policy) {
            return diagnostic.and_at(object.name_span(), "this one has the other scope").help(help);
        }
        let names = policy.of_kind(self.kind).map(|object| object.name.as_str());
        match suggest::nearest(self.name, names) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => {
                diagnostic.help("add its file to the manifests; a cluster without it reports InvalidSpec")
            }
        }
    }

    fn of_other_scope<'a>(&self, policy: &'a Policy) -> Option<(&'a Object, &'static str)> {
        let (other, help) = match self.kind {
            Kind::AnalysisTemplate => {
                (Kind::ClusterAnalysisTemplate, "add `clusterScope: true` to the reference")
            }
            Kind::ClusterAnalysisTemplate => {
                (Kind::AnalysisTemplate, "remove `clusterScope: true` from the reference")
            }
            _ => return None,
        };
        policy.of_kind(other).find(|object| object.name == self.name).map(|object| (object, help))
    }
}

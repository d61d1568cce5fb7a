//! A policy: the manifests that decide what happens to a release, as their owner wrote them.
//!
//! ```text
//! sources ── yaml ──► objects ── load ──► Policy ◄── lint, plan, twin
//!                                  │
//!                                  └──► diagnostics: what no cluster could run
//! ```
//!
//! Everything is kept with its place in the text, so that whatever is found later can be pointed at. A policy is read
//! and never edited; reading folders is the caller's business, and whether the policy *protects* is the linter's.

mod analysis;
mod check;
mod load;
mod notifications;
mod object;
mod references;
#[cfg(test)]
mod tests;

pub use self::analysis::{Analysis, Metric, Role, TemplateUse};
pub use self::notifications::{Notifications, SHIPPED_TRIGGERS, Subscription};
pub use self::object::Object;
pub use self::references::Reference;

use crate::diag::Span;
use crate::twin::store::Kind;
use crate::yaml::Node;

/// No manifest says anything.
pub const EMPTY: &str = "FD202";
/// There is no Rollout, or not the one that is asked for, or more than one to choose from.
pub const NO_ROLLOUT: &str = "FD203";
/// Two objects have one name.
pub const DUPLICATE: &str = "FD204";
/// Something that the Rollout refers to is not there.
pub const MISSING: &str = "FD205";
/// The strategy is neither blue-green nor canary, or both.
pub const STRATEGY: &str = "FD206";
/// An object of a kind that nobody knows.
pub const UNKNOWN_KIND: &str = "FD207";
/// A document that is no Kubernetes object.
pub const NO_OBJECT: &str = "FD208";

/// The objects of a policy, and which of its Rollouts is meant.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Every object, in the order of the files and of the documents in them.
    pub objects: Vec<Object>,
    /// Where the Rollout is in `objects`; `None` only beside an error that says why.
    pub chosen: Option<usize>,
}

/// How the Rollout moves from one version to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy<'a> {
    /// `spec.strategy.blueGreen`
    BlueGreen(&'a Node),
    /// `spec.strategy.canary`
    Canary(&'a Node),
}

impl Policy {
    /// The Rollout that is meant.
    #[must_use]
    pub fn rollout(&self) -> Option<&Object> {
        self.objects.get(self.chosen?)
    }

    /// The objects of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.kind == Some(kind))
    }

    /// The object of this kind and name that `from` would find: in its namespace, where both say one.
    #[must_use]
    pub fn find(&self, from: &Object, kind: Kind, name: &str) -> Option<&Object> {
        self.of_kind(kind).find(|object| object.name == name && object.is_near(from))
    }

    /// The strategy of the Rollout, when it has exactly one.
    #[must_use]
    pub fn strategy(&self) -> Option<Strategy<'_>> {
        let strategy = self.rollout()?.node.pointer("/spec/strategy")?;
        match (strategy.get("blueGreen"), strategy.get("canary")) {
            (Some(node), None) => Some(Strategy::BlueGreen(node)),
            (None, Some(node)) => Some(Strategy::Canary(node)),
            _ => None,
        }
    }

    /// What the chosen Rollout refers to by name, whether it is there or not.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        self.rollout().map(references::of_rollout).unwrap_or_default()
    }

    /// The analyses of the chosen Rollout, in the order in which a release meets them.
    #[must_use]
    pub fn analyses(&self) -> Vec<Analysis<'_>> {
        self.rollout().map(|rollout| analysis::of_rollout(self, rollout)).unwrap_or_default()
    }

    /// The templates that matter to the chosen Rollout: its own, and those that no Rollout refers to.
    #[must_use]
    pub fn templates(&self) -> Vec<&Object> {
        analysis::templates_in_scope(self)
    }

    /// Every metric of [`Policy::templates`].
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric<'_>> {
        self.templates().into_iter().flat_map(analysis::metrics).collect()
    }

    /// Who is told of what, as far as the manifests say.
    #[must_use]
    pub fn notifications(&self) -> Notifications<'_> {
        notifications::read(self)
    }
}

impl Object {
    /// The place of a node of this object.
    #[must_use]
    pub fn span(&self, range: &std::ops::Range<usize>) -> Span {
        Span { source: std::sync::Arc::clone(&self.source), range: range.clone() }
    }
}

//! What a policy does that its owner does not believe it does.
//!
//! A finding is about text: it is there before anything has run, and it points at the lines in question, in both
//! files when the mistake lies between them. Each rule is one file in `rules/`, named by the mistake, with its
//! manual inside. What would happen in a drill is the verdict's affair, and what no cluster could run is
//! [`crate::argo::policy`]'s.
//!
//! A finding is silenced by a comment that says why, on its line or above it:
//!
//! ```yaml
//! # firedrill: allow FD007 the scrape interval is 5s here
//! query: sum(rate(requests_total[20s]))
//! ```

mod allow;
mod inner;
mod measure;
mod reading;
mod rules;
#[cfg(test)]
mod tests;

use std::time::Duration;

use fake_app::profile::Custom;

use crate::argo::policy::Policy;
use crate::condition::Dialect;
use crate::diag::{self, Diagnostic};

/// What the manifests do not say and some rules have to know.
#[derive(Debug, Clone)]
pub struct Context {
    /// How often Prometheus looks.
    pub scrape_interval: Duration,
    /// The names under which the scenario's server exports its metrics, when they are its own.
    pub exports: Option<Custom>,
    /// The condition language of the controller that will read the policy.
    pub dialect: Dialect,
}

impl Default for Context {
    /// A scrape every 15 seconds, the well-known names, the stable controller.
    fn default() -> Context {
        Context { scrape_interval: Duration::from_secs(15), exports: None, dialect: Dialect::default() }
    }
}

/// One rule of the linter.
#[derive(Debug)]
pub struct Rule {
    /// Its code, by which it is explained and allowed.
    pub code: &'static str,
    /// Its name: the mistake, in a word or four.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its page.
    pub manual: Manual,
    check: fn(&Policy, &Context, &mut Vec<Diagnostic>),
}

/// The page of a rule: what `firedrill explain` prints, and what its tests run.
#[derive(Debug)]
pub struct Manual {
    /// What the rule looks for.
    pub what: &'static str,
    /// What happens because of it.
    pub why: &'static str,
    /// Manifests, or the telling part of them, that have the mistake.
    pub example: &'static str,
    /// The same without it.
    pub instead: &'static str,
}

/// All rules, by code.
#[must_use]
pub fn rules() -> &'static [Rule] {
    rules::ALL
}

/// Everything the rules find in a policy and nobody has allowed, in reading order.
#[must_use]
pub fn check(policy: &Policy, context: &Context) -> Vec<Diagnostic> {
    let mut found = vec![];
    for rule in rules() {
        (rule.check)(policy, context, &mut found);
    }
    let mut found: Vec<Diagnostic> = found.into_iter().filter_map(allow::unless_allowed).collect();
    diag::sort(&mut found);
    // A template that two analyses use is judged twice, and told once.
    found.dedup();
    found
}

//! What a user may write: one YAML file, a policy, a release, traffic, and what has to happen.
//!
//! A text becomes a tree that knows its places ([`node`]), the tree is held against the schema ([`shape`], [`schema`]), the
//! defaults are laid under it ([`defaults`]), it becomes types ([`de`], [`at`]), and what the types cannot say is checked last
//! ([`rules`]). Every step collects all it finds. Nothing here reads a file, a policy or a clock: what is done with a scenario is
//! decided in `plan`.

mod at;
mod de;
pub mod defaults;
mod expect;
mod fault;
mod node;
mod planned;
pub mod reference;
mod release;
mod rules;
mod scalar;
pub mod schema;
mod shape;
mod written;

use std::sync::Arc;

pub use at::At;
pub use expect::{Anchor, Expectation, Harmed, Notified, Of, Window, ids};
pub use fake_app::profile::Profile;
pub use fault::Fault;
pub use node::{Origin, Place};
pub use release::{Again, Patch, PatchType, Promote, Release, Step, Undo, When};
pub use scalar::{Duration, Limit, Port, Rate, Share, Target, Times};
pub use written::{
    Baseline, Connections, Control, Guard, Method, Outcome, PolicyUnderTest, Receiver, Scenario, Traffic,
    Twin,
};

use crate::diag::{Diagnostic, Source, Span};

/// Reads a scenario, or says everything that is wrong with it.
pub fn read(source: &Arc<Source>) -> Result<Scenario, Vec<Diagnostic>> {
    let mut root = node::parse(source, Origin::Written).map_err(|error| vec![syntax(source, &error)])?;
    let found = shape::check(&root, source);
    if !found.is_empty() {
        return Err(found);
    }
    defaults::lay_under(&mut root);
    let scenario: Scenario = de::from_node(&root).map_err(|refusal| vec![refused(source, refusal)])?;
    let found = rules::check(&scenario, &root, source);
    if found.is_empty() { Ok(scenario) } else { Err(found) }
}

/// Where a value of a scenario stands: in its own text, or in the defaults.
#[must_use]
pub fn span(source: &Arc<Source>, place: Place) -> Span {
    let source = match place.origin {
        Origin::Written => Arc::clone(source),
        Origin::Defaults => Arc::clone(&defaults::SOURCE),
    };
    Span { source, range: place.start..place.end }
}

fn syntax(source: &Arc<Source>, error: &node::SyntaxError) -> Diagnostic {
    let title = format!("this is not the YAML a scenario is written in: {}", error.message);
    Diagnostic::error("yaml", title).at(span(source, error.place), "here")
}

/// The shape was right and the value still refused: a leaf with more to say than the schema can.
fn refused(source: &Arc<Source>, refusal: de::Refusal) -> Diagnostic {
    let diagnostic = Diagnostic::error("bad-value", refusal.message);
    match refusal.place {
        Some(place) => diagnostic.at(span(source, place), "not understood"),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests;

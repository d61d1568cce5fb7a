//! A scenario's world without its run: for those who want to play it by hand.

use serde_json::Value;

use super::prepare::Prepared;
use super::twin::settings;
use crate::agent::wire::Load;
use crate::clock::Moment;
use crate::engine;
use crate::plan::Action;
use crate::twin::Settings;

/// A world that is set, and nobody has played in it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What kind of world.
    pub settings: Settings,
    /// The policy's objects, as a run would install them.
    pub objects: Vec<Value>,
    /// The traffic a run would send.
    pub load: Load,
    /// The patches of the releases a run would make, in order.
    pub releases: Vec<Value>,
}

/// The world of a prepared scenario, beginning at a moment.
#[must_use]
pub fn stage(prepared: &Prepared, seed: u64, epoch: Moment) -> Stage {
    let plan = &prepared.plan;
    let releases = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Release { patch, .. } => Some(patch.clone()),
        _ => None,
    });
    Stage {
        settings: Settings { epoch, ..settings(prepared, plan, seed) },
        objects: plan.objects.clone(),
        load: engine::load(plan),
        releases: releases.collect(),
    }
}

//! What a replay plays in place of the world, and what it overhears.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::provider::Provider;
use crate::clock::Moment;
use crate::twin::effect::Effect;
use crate::twin::store::{Kind, text_at};

/// A delivery as it was sent.
#[derive(Debug)]
pub(in crate::twin) struct Heard {
    pub(in crate::twin) at: Moment,
    pub(in crate::twin) service: String,
    pub(in crate::twin) status: u16,
    pub(in crate::twin) body: String,
}

/// The puppets of a replay. Without one nothing is played and nothing is held up.
#[derive(Debug, Default)]
pub(in crate::twin) struct Puppets {
    /// Answers in place of Prometheus.
    pub(in crate::twin) script: Option<Provider>,
    /// Every delivery.
    pub(in crate::twin) heard: Vec<Heard>,
    /// When the pods of a ReplicaSet were created, in order.
    pub(in crate::twin) births: BTreeMap<String, VecDeque<Moment>>,
}

/// Whoever would be born later than this was born for another reason.
const SOON: Duration = Duration::from_secs(30);

impl Puppets {
    /// Until when an effect is held up: kube-controller-manager takes its time to create pods, and a quota may forbid it.
    pub(in crate::twin) fn hold(&mut self, effect: &Effect, now: Moment) -> Option<Moment> {
        let Effect::Create { kind: Kind::Pod, object } = effect else { return None };
        let births = self.births.get_mut(text_at(object, "/metadata/ownerReferences/0/name"))?;
        let birth = births.front().copied().filter(|birth| *birth > now && birth.since(now) < SOON);
        if birth.is_none() {
            births.pop_front();
        }
        birth
    }
}

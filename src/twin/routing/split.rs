//! How a router shares requests out: weighted lists of pods.
//!
//! All requests of a load are alike, so whatever a router decides by path or header is decided once, when its objects
//! or the endpoints change; what is left for each request is one draw by weight and one among the pods.

use crate::twin::store::Key;

/// How requests of one kind are shared out.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Split {
    /// Weights with the pods that share them; the weights may add up to anything.
    shares: Vec<(u64, Vec<Key>)>,
    total: u64,
    /// Who gets a copy.
    pub(crate) mirrors: Vec<Mirror>,
    /// What the router itself answers to a request that no pod gets.
    pub(crate) otherwise: u16,
}

/// A destination of copies, whose answers nobody waits for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mirror {
    /// How many requests in a hundred are copied.
    pub(crate) percent: f64,
    /// Among these pods.
    pub(crate) pods: Vec<Key>,
}

impl Split {
    /// No pod gets anything.
    #[must_use]
    pub(crate) fn answered(status: u16) -> Split {
        Split { otherwise: status, ..Split::default() }
    }

    /// By weight; a share without pods is answered by the router with 503.
    #[must_use]
    pub(crate) fn by_weight(shares: Vec<(u64, Vec<Key>)>) -> Split {
        let total = shares.iter().map(|(weight, _)| weight).sum();
        Split { shares, total, mirrors: vec![], otherwise: 503 }
    }

    /// The pods among which a request goes that drew this number; any number will do.
    #[must_use]
    pub(crate) fn pods(&self, draw: u64) -> &[Key] {
        if self.total == 0 {
            return &[];
        }
        let mut rest = draw % self.total;
        for (weight, pods) in &self.shares {
            if rest < *weight {
                return pods;
            }
            rest -= weight;
        }
        &[]
    }
}

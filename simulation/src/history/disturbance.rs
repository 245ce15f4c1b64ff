//! A fault, from the moment before it was injected until all was well again.

use std::collections::BTreeSet;

use super::ids::NodeId;
use super::moment::Moment;

/// What a fault does to a node, as far as a guarantee makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It may not hear of changes in time: it is cut off, down, paused, full, or on a lossy wire.
    MayLag,
    /// It can reach no majority, while clients reach it.
    CutOff,
}

/// A fault.
#[derive(Clone, Debug)]
pub struct Disturbance {
    /// What it is called.
    pub name: String,
    /// The moment before it began.
    pub from: Moment,
    /// The moment when it was known to be over, and every node to be well.
    pub until: Moment,
    /// What it does to whom, each within these moments. A node that may lag does so until the cluster was seen to be
    /// whole; one that is cut off is so only between these two.
    pub effects: Vec<(Effect, BTreeSet<NodeId>, Moment, Moment)>,
}

impl Disturbance {
    /// Whether it did this to a node at any moment between these two.
    pub fn touches(&self, effect: Effect, node: NodeId, from: Moment, until: Moment) -> bool {
        self.effects.iter().any(|(what, nodes, begun, over)| {
            *what == effect && nodes.contains(&node) && *begun <= until && from <= *over
        })
    }
}

//! What the schedule does to the ring, and what may come of it.

use super::{KeyTerms, NewSigningKey};
use crate::ids::KeyId;
use crate::replicated::{NodeId, Revision};

/// A step of the schedule.
pub enum KeyStep {
    /// Other promises are in force.
    Terms(KeyTerms),
    /// Verifiers learn a key that will sign later.
    Publish(NewSigningKey),
    /// A published key begins to sign; the one that signed so far is retired.
    MakeCurrent(KeyId),
    /// A retired key leaves.
    Remove(KeyId),
    /// The audit log has all steps up to this one.
    Recorded(Revision),
}

/// What a re-sealing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resealing {
    /// So many secrets are sealed with this node's master key from now on.
    Done(usize),
    /// These members do not hold the master key yet, or do not answer; nothing was changed.
    Waiting(Vec<NodeId>),
}

//! The key ring as the schedule and operators see it, with who acts on it and how it is sealed.

use super::{KeyEvent, KeyRecord, KeyTerms};
use crate::replicated::NodeId;

/// The key ring and all that the schedule decides on, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRingView {
    /// All keys.
    pub keys: Vec<KeyRecord>,
    /// The promises in force.
    pub terms: KeyTerms,
    /// Who acts.
    pub ownership: Ownership,
    /// How far a change of the master key has come.
    pub sealing: SealingProgress,
    /// Steps that the audit log has not been told of yet, in their order.
    pub unrecorded: Vec<KeyEvent>,
}

/// Who acts on the schedule. A command of the schedule names the epoch, and is refused when it is another by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// The node that acts; none before the leader has looked round.
    pub owner: Option<NodeId>,
    /// Counts up whenever the nodes that things are placed on change.
    pub epoch: u64,
    /// Whether this node is the one.
    pub is_here: bool,
}

/// How many secrets of the replicated state are sealed with which master key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealingProgress {
    /// With the one that this node seals with.
    pub current: usize,
    /// With others.
    pub former: usize,
}

//! Which cluster this is: the one that was founded, or one that was restored from what was left of it.
//!
//! Members that a restored cluster was restored without have another history: they must never be believed again, by
//! anybody. So every node says its lineage when it greets, and only the same one is spoken with.

use domain::{Revision, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The format that lineages came with.
pub(crate) const LINEAGE_FORMAT: u8 = 3;

/// The history of a cluster that was restored; the default is that of one that never was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lineage {
    /// How often it was restored.
    pub(crate) number: u64,
    /// Drawn when it was restored: two that were restored from the same snapshot are not the same.
    pub(crate) id: Uuid,
    /// When.
    pub(crate) restored_at: Timestamp,
    /// Its first revision, which is later than every one before it was restored.
    pub(crate) first_revision: Revision,
    /// Tokens of earlier revisions are dead.
    pub(crate) tokens_since: Revision,
}

impl Lineage {
    /// Whether the cluster was ever restored.
    pub(crate) fn is_restored(&self) -> bool {
        self.number > 0
    }
}

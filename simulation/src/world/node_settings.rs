//! What an operator writes into a node's configuration, as far as worlds and nodes differ in it.

/// A node's settings. They are in force from its next start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeSettings {
    /// After how many entries a snapshot is taken.
    pub snapshot_every: u64,
    /// How many entries that a snapshot covers stay in the log.
    pub entries_kept: u64,
}

impl Default for NodeSettings {
    /// What nodes do that are told nothing.
    fn default() -> Self {
        Self {
            snapshot_every: 10_000,
            entries_kept: 1_000,
        }
    }
}

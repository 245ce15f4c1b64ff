//! What an operator writes into a node's configuration, as far as worlds and nodes differ in it.

use serde::{Deserialize, Serialize};

/// A node's settings. They are in force from its next start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSettings {
    /// After how many entries a snapshot is taken.
    pub snapshot_every: u64,
    /// How many entries that a snapshot covers stay in the log.
    pub entries_kept: u64,
    /// Which of the installation's master keys, one after the other, seals; the one before it opens, too.
    pub master_key: u8,
    /// Beyond which format of the replicated state the node does not let its cluster go, if it holds it back.
    pub format_max: Option<u8>,
    /// Whether keys that an operator orders come to sign after seconds; else it takes a day.
    pub keys_follow_soon: bool,
}

impl Default for NodeSettings {
    /// What nodes do that are told nothing.
    fn default() -> Self {
        Self {
            snapshot_every: 10_000,
            entries_kept: 1_000,
            master_key: 0,
            format_max: None,
            keys_follow_soon: false,
        }
    }
}

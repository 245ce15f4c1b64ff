//! Which formats of the replicated state a node knows, and up to which one it agrees to go.
//!
//! The members of a cluster agree on a format, by a replicated command; nobody proposes what came with a later one.
//! The leader raises it when every member, voter or learner, knows the next one and agrees. It is never lowered: from
//! then on, a version that does not know the format can't read the log.

use serde::{Deserialize, Serialize};

use crate::codec::{NEWEST, OLDEST};
use crate::error::ClusterError;

/// What a node knows, and what it agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    known: u8,
    agreed_max: u8,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            known: NEWEST,
            agreed_max: NEWEST,
        }
    }
}

impl Formats {
    /// A node that keeps its cluster from going beyond `format`, so that the version before this one can be started
    /// again. What was agreed on already stays.
    pub fn held_at(format: u8) -> Result<Self, ClusterError> {
        if !(OLDEST..=NEWEST).contains(&format) {
            return Err(ClusterError::UnknownFormat {
                wanted: format,
                oldest: OLDEST,
                newest: NEWEST,
            });
        }
        Ok(Self {
            known: NEWEST,
            agreed_max: format,
        })
    }

    /// A node as an earlier or a later version of this software would be.
    #[cfg(test)]
    pub(crate) fn knowing(known: u8) -> Self {
        Self {
            known,
            agreed_max: known,
        }
    }

    /// The latest format that it knows.
    pub fn known(self) -> u8 {
        self.known
    }

    /// The latest format that it agrees to.
    pub(crate) fn agreed_max(self) -> u8 {
        self.agreed_max
    }
}

/// What a member says of formats when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatReport {
    /// The latest format that it knows.
    pub known: u8,
    /// The latest format that it agrees to.
    pub agreed_max: u8,
    /// The format that is in force in its view.
    pub in_force: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_can_be_held_at_formats_that_exist() {
        assert_eq!(Formats::held_at(OLDEST).unwrap().agreed_max(), OLDEST);
        assert_eq!(Formats::held_at(NEWEST).unwrap(), Formats::default());
        for format in [0, OLDEST - 1, NEWEST + 1] {
            let refusal = Formats::held_at(format).unwrap_err().to_string();
            assert!(refusal.contains(&format!("from {OLDEST} to {NEWEST}")), "{refusal}");
        }
    }
}

//! What a hello says besides who speaks: which formats of the replicated state the node knows, which one is in force
//! for it, which history its cluster has, and whether it has a log at all.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use uuid::Uuid;

use super::hello::{Hello, TakeArray as _};
use crate::codec::OLDEST;

/// How long it is, written.
pub(super) const BYTES: usize = 1 + 1 + 1 + 8 + 16;
const FLAG_EMPTY: u8 = 1;

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The latest format that it knows.
    pub(crate) known: u8,
    /// The format in force in its view.
    pub(crate) in_force: u8,
    /// It has neither a log nor a snapshot.
    pub(crate) is_empty: bool,
    /// How often its cluster was restored.
    pub(crate) restored: u64,
    /// Drawn when it was.
    pub(crate) lineage: Uuid,
}

/// A node that says nothing of all this.
impl Default for Standing {
    fn default() -> Self {
        Self {
            known: OLDEST,
            in_force: OLDEST,
            is_empty: false,
            restored: 0,
            lineage: Uuid::nil(),
        }
    }
}

impl Standing {
    pub(super) fn put(&self, bytes: &mut BytesMut) {
        bytes.put_u8(self.known);
        bytes.put_u8(self.in_force);
        bytes.put_u8(if self.is_empty { FLAG_EMPTY } else { 0 });
        bytes.put_u64(self.restored);
        bytes.put_slice(self.lineage.as_bytes());
    }

    /// What a hello ends with; the defaults where it ends before.
    pub(super) fn read(bytes: Bytes) -> Self {
        Self::try_read(bytes).unwrap_or_default()
    }

    fn try_read(mut bytes: Bytes) -> Option<Self> {
        Some(Self {
            known: bytes.try_get_u8().ok()?,
            in_force: bytes.try_get_u8().ok()?,
            is_empty: bytes.try_get_u8().ok()? & FLAG_EMPTY != 0,
            restored: bytes.try_get_u64().ok()?,
            lineage: Uuid::from_bytes(bytes.try_copy_to_array()?),
        })
    }
}

impl Hello {
    /// Whether the two stand on the same ground; else a reason that both can be told.
    pub(super) fn stand_together(&self, other: &Hello) -> Result<(), String> {
        for (new, old) in [(self, other), (other, self)] {
            if new.is_beyond(old) {
                return Err(format!(
                    "node {} ({}) knows formats of the replicated state up to {}, node {} is at {}; install agentidp {} or a \
                     later version on node {0}",
                    old.node_id, old.software, old.standing.known, new.node_id, new.standing.in_force, new.software
                ));
            }
            if new.is_restored_without(old) {
                return Err(format!(
                    "node {} has the log of the cluster as it was before it was restored, and node {} is of the restored one; \
                     remove the data directory of node {0} and let it join again: agentidp cluster join",
                    old.node_id, new.node_id
                ));
            }
        }
        if self.standing.lineage != other.standing.lineage && !self.standing.is_empty && !other.standing.is_empty {
            return Err(format!(
                "node {} and node {} belong to clusters that were restored apart from each other; keep one of them, and let \
                 the nodes of the other join it with empty data directories",
                self.node_id, other.node_id
            ));
        }
        Ok(())
    }

    /// Whether the other one can't go where this one is; it must learn that, and stop.
    pub(super) fn outlives(&self, other: &Hello) -> bool {
        self.is_beyond(other) || self.is_restored_without(other)
    }

    fn is_beyond(&self, other: &Hello) -> bool {
        self.standing.in_force > other.standing.known
    }

    fn is_restored_without(&self, other: &Hello) -> bool {
        let (own, its) = (&self.standing, &other.standing);
        !own.is_empty && !its.is_empty && own.restored > its.restored
    }
}

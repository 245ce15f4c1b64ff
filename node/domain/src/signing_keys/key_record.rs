//! A key as the schedule and operators see it.

use super::KeyState;
use crate::entities::SigningAlgorithm;
use crate::ids::KeyId;
use crate::time::Timestamp;

/// A key of the ring, without its halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The `kid`.
    pub key_id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Where it stands.
    pub state: KeyState,
    /// When it was published.
    pub published_at: Timestamp,
    /// When it began to sign.
    pub current_since: Option<Timestamp>,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
    /// Before that the replicated state refuses to let it sign.
    pub may_sign_from: Timestamp,
    /// Before that the replicated state refuses to let it go; absent while it signs or has yet to.
    pub may_leave_from: Option<Timestamp>,
}

//! What a member tells the others of itself, for an operator's overview.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::members::MemberEntry;
use crate::status::{ClusterStatus, Role};

/// A member's view of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReport {
    /// Its part.
    pub role: Role,
    /// The Raft term.
    pub term: u64,
    /// Index of the last entry that is part of its state.
    pub last_applied: Option<u64>,
    /// How old its view of revocations may be, in milliseconds; `u64::MAX` before the first proof.
    pub staleness_ms: u64,
    /// Whether it may vouch for tokens.
    pub fresh: bool,
    /// How many commands it has applied.
    pub revision: u64,
    /// How many revocations it remembers.
    pub revocations: u64,
    /// The version of its software.
    pub version: String,
    /// How long it has been running, in seconds.
    pub uptime_seconds: u64,
}

/// A member as others see it, and what it says of itself, if it can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberOverview {
    /// What the committed membership has.
    pub entry: MemberEntry,
    /// Its report, or why there is none.
    pub report: Result<MemberReport, String>,
}

impl MemberReport {
    pub(crate) fn new(status: &ClusterStatus, version: String, uptime: Duration) -> Self {
        Self {
            role: status.role,
            term: status.term,
            last_applied: status.last_applied,
            staleness_ms: u64::try_from(status.staleness.as_millis()).unwrap_or(u64::MAX),
            fresh: status.fresh,
            revision: status.revision.0,
            revocations: u64::try_from(status.revocations).unwrap_or(u64::MAX),
            version,
            uptime_seconds: uptime.as_secs(),
        }
    }
}

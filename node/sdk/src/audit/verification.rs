//! What came of walking the chain.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::EventId;
use crate::timestamp::Timestamp;

/// Whether the log is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Whether every event is as it was written and none is missing.
    pub verified: bool,
    /// How many events in the range were found whole.
    pub checked_count: u64,
    /// The first event that was changed, or that follows one that was removed.
    pub broken_at_event_id: Option<EventId>,
    /// From when events were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_date: Option<Timestamp>,
    /// Until when events were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_date: Option<Timestamp>,
    /// Members that this version of the client does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

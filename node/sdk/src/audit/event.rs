//! An audit event as the server tells it.

use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, EventId, OrganizationId};
use crate::raw_json::RawJson;
use crate::timestamp::Timestamp;

open_enum! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was refused.
        Failure = "failure",
    }
}

/// A link of an organization's hash chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// Identifies the event.
    pub event_id: EventId,
    /// Its place in the chain, from 1 without gaps.
    pub sequence: u64,
    /// Whose log it belongs to.
    pub organization_id: OrganizationId,
    /// Who did it, or to whom it was done when nobody is known to have.
    pub agent_id: Option<AgentId>,
    /// What happened, such as `token.issued`.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The caller's address.
    pub ip_address: Option<String>,
    /// What the caller called itself. Anybody can write anything there.
    pub user_agent: Option<String>,
    /// A JSON object, byte for byte as it was hashed.
    pub metadata: RawJson,
    /// When.
    pub timestamp: Timestamp,
    /// The hash of the event before it, in hexadecimal; zeros for the first.
    pub previous_hash: String,
    /// The hash of this event, in hexadecimal.
    pub hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keep_their_bytes() {
        let json = concat!(
            r#"{"eventId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d","sequence":7,"#,
            r#""organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6e","agentId":null,"action":"token.issued","#,
            r#""outcome":"success","ipAddress":null,"userAgent":null,"metadata":{"b": 1.0,  "a":[1e2]},"#,
            r#""timestamp":"2026-01-31T12:00:00.000Z","previousHash":"00","hash":"11"}"#,
        );
        let event: AuditEvent = serde_json::from_str(json).expect("an event");
        assert_eq!(event.metadata.as_str(), r#"{"b": 1.0,  "a":[1e2]}"#);
        assert_eq!(serde_json::to_string(&event).expect("JSON"), json);
    }
}

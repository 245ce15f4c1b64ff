//! Identifiers, each its own type, so that an agent's id can't stand where a credential's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID such as 01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d")]
pub struct InvalidId;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    )+};
}

uuid_id!(
    /// An agent; also its OAuth `client_id` and the `sub` of its tokens.
    AgentId,
    /// One credential of an agent.
    CredentialId,
    /// A tenant.
    OrganizationId,
    /// An audit event.
    EventId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_in_lower_case_and_nothing_but_a_uuid_parses() {
        let id: AgentId = "01993C4E-5D6F-7A8B-9C0D-1E2F3A4B5C6D".parse().expect("a UUID");
        assert_eq!(id.to_string(), "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d");
        for text in ["", "../../audit", "01993c4e", "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d/x"] {
            assert_eq!(text.parse::<AgentId>(), Err(InvalidId), "{text:?}");
        }
    }
}

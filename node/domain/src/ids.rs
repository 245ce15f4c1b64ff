//! Identifiers. Each is its own type, so an agent's id can never stand where an organization's is meant.
//!
//! Those that we mint are UUID version 7 (RFC 9562 §5.7), built from the [`Clock`](crate::ports::Clock) and
//! [`Entropy`] ports; any UUID is accepted from outside.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::ports::Entropy;
use crate::time::Timestamp;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh version 7 identifier whose first 48 bits are `now` in milliseconds.
            pub fn mint(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(mint_v7(now, entropy))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

uuid_id!(
    /// A tenant.
    OrganizationId
);
uuid_id!(
    /// An agent; also its OAuth `client_id` and the `sub` of its tokens.
    AgentId
);
uuid_id!(
    /// One credential of an agent.
    CredentialId
);
uuid_id!(
    /// A token's `jti` (RFC 7519 §4.1.7).
    TokenId
);
uuid_id!(
    /// What a token and everything exchanged or delegated from it have in common; revoking it kills them all.
    TokenFamily
);
uuid_id!(
    /// An audit event.
    EventId
);

/// A signing key's `kid` (RFC 7517 §4.5): the RFC 7638 thumbprint of its public half.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The position of a row in the outbox; grows with every write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OutboxId(pub i64);

/// The text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID such as 0192f0c1-2b3d-7a4e-8f00-0123456789ab")]
pub struct InvalidId;

/// Takes the hyphenated form only; the other ways to write a UUID would be aliases.
fn parse(text: &str) -> Result<Uuid, InvalidId> {
    if text.len() != Hyphenated::LENGTH {
        return Err(InvalidId);
    }
    Uuid::try_parse(text).map_err(|_| InvalidId)
}

fn mint_v7(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn a_minted_id_is_version_7_and_carries_its_time() {
        let id = AgentId::mint(Timestamp::from_millis(0x0123_4567_89ab), &Zeros);
        assert_eq!(id.to_string(), "01234567-89ab-7000-8000-000000000000");
        assert_eq!(id.0.get_version_num(), 7);
    }

    #[test]
    fn ids_print_in_lower_case_and_parse_back() {
        let id: AgentId = "0192F0C1-2B3D-7A4E-8F00-0123456789AB"
            .parse()
            .expect("a UUID in upper case");
        assert_eq!(id.to_string(), "0192f0c1-2b3d-7a4e-8f00-0123456789ab");
        assert!("not-a-uuid".parse::<AgentId>().is_err());
    }

    #[test]
    fn an_id_has_no_aliases() {
        for text in [
            "0192f0c12b3d7a4e8f000123456789ab",
            "{0192f0c1-2b3d-7a4e-8f00-0123456789ab}",
            "urn:uuid:0192f0c1-2b3d-7a4e-8f00-0123456789ab",
            " 0192f0c1-2b3d-7a4e-8f00-0123456789ab",
        ] {
            assert_eq!(text.parse::<AgentId>(), Err(InvalidId), "{text}");
        }
    }
}

//! The hash chain. Each event's hash covers all of its fields and the hash of the event before it.
//!
//! SHA-256 over the fields in the order previousHash, sequence, eventId, timestamp, action, outcome, agentId,
//! organizationId, ipAddress, userAgent, metadata. Each field is preceded by its length in bytes as a big-endian u32,
//! so no two different events encode alike; an absent field is the length `0xFFFF_FFFF` and nothing else. Numbers are
//! big-endian u64 (the timestamp in milliseconds as i64), UUIDs their 16 bytes, texts UTF-8.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::event::{AuditEvent, AuditRecord};
use crate::ids::EventId;

/// A SHA-256 hash; 64 lower case hexadecimal digits where a person sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first event of a chain names as its predecessor.
    pub const ZERO: Hash = Hash([0; 32]);
    /// What stands for bytes in the store that are no hash: nothing has it, nor does anything follow from it.
    const UNREADABLE: Hash = Hash([0xFF; 32]);

    /// Takes a hash out of the store. Bytes that are not as many as a hash has were tampered with; the chain tells.
    pub fn from_stored(bytes: &[u8]) -> Self {
        bytes.try_into().map_or(Self::UNREADABLE, Hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0u8; 64];
        for (index, byte) in self.0.iter().enumerate() {
            text[2 * index] = DIGITS[usize::from(byte >> 4)];
            text[2 * index + 1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 lower case hexadecimal digits")]
pub struct InvalidHash;

impl FromStr for Hash {
    type Err = InvalidHash;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidHash),
        };
        let text: &[u8; 64] = text.as_bytes().try_into().map_err(|_| InvalidHash)?;
        let mut hash = [0u8; 32];
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = digit(text[2 * index])? << 4 | digit(text[2 * index + 1])?;
        }
        Ok(Hash(hash))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a chain ends: what the next event needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The last event's sequence; 0 while there is none.
    pub sequence: u64,
    /// The last event's hash; zeros while there is none.
    pub hash: Hash,
}

impl ChainHead {
    /// The head of a chain without events.
    pub const EMPTY: ChainHead = ChainHead {
        sequence: 0,
        hash: Hash::ZERO,
    };

    /// Turns a record into the next event and moves the head on to it.
    pub fn append(&mut self, record: AuditRecord) -> AuditEvent {
        let mut event = AuditEvent {
            event_id: record.event_id,
            sequence: self.sequence + 1,
            organization_id: record.organization_id,
            agent_id: record.agent_id,
            action: record.action.into(),
            outcome: record.outcome.into(),
            ip_address: record.origin.ip_address,
            user_agent: record.origin.user_agent,
            metadata: record.metadata,
            timestamp: record.timestamp,
            previous_hash: self.hash,
            hash: Hash::ZERO,
        };
        event.hash = hash_of(&event);
        *self = ChainHead {
            sequence: event.sequence,
            hash: event.hash,
        };
        event
    }
}

/// What verifying a stretch of a chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every event follows from the one before it.
    Whole {
        /// How many events were checked.
        checked: u64,
    },
    /// The chain does not hold.
    Broken {
        /// How many events were whole before that.
        checked: u64,
        /// The first event that does not follow from the one before it.
        at: EventId,
    },
}

/// Checks events in ascending order of sequence, one at a time, with constant memory.
pub struct ChainVerifier {
    head: Option<ChainHead>,
    checked: u64,
    broken_at: Option<EventId>,
}

impl ChainVerifier {
    /// Expects the chain to start with its very first event.
    pub fn from_start() -> Self {
        Self {
            head: Some(ChainHead::EMPTY),
            checked: 0,
            broken_at: None,
        }
    }

    /// Trusts the first event's `previousHash` and sequence: for a stretch out of the middle.
    pub fn from_anywhere() -> Self {
        Self {
            head: None,
            checked: 0,
            broken_at: None,
        }
    }

    /// Looks at the next event; says whether the chain is still whole. After a break everything else is ignored.
    pub fn check(&mut self, event: &AuditEvent) -> bool {
        if self.broken_at.is_some() {
            return false;
        }
        let expected = self.head.unwrap_or(ChainHead {
            sequence: event.sequence.saturating_sub(1),
            hash: event.previous_hash,
        });
        let follows = event.sequence == expected.sequence + 1 && event.previous_hash == expected.hash;
        if follows && hash_of(event) == event.hash {
            self.head = Some(ChainHead {
                sequence: event.sequence,
                hash: event.hash,
            });
            self.checked += 1;
            true
        } else {
            self.broken_at = Some(event.event_id);
            false
        }
    }

    /// Where the events that were whole end; `None` before the first of a stretch out of the middle.
    pub fn head(&self) -> Option<ChainHead> {
        self.head
    }

    /// The result so far.
    pub fn verdict(&self) -> Verdict {
        match self.broken_at {
            None => Verdict::Whole { checked: self.checked },
            Some(at) => Verdict::Broken {
                checked: self.checked,
                at,
            },
        }
    }
}

fn hash_of(event: &AuditEvent) -> Hash {
    let mut hasher = FieldHasher(digest::Context::new(&digest::SHA256));
    hasher.field(&event.previous_hash.0);
    hasher.field(&event.sequence.to_be_bytes());
    hasher.field(event.event_id.0.as_bytes());
    hasher.field(&event.timestamp.as_millis().to_be_bytes());
    hasher.field(event.action.as_str().as_bytes());
    hasher.field(event.outcome.as_str().as_bytes());
    hasher.optional(event.agent_id.as_ref().map(|id| id.0.as_bytes().as_slice()));
    hasher.field(event.organization_id.0.as_bytes());
    hasher.optional(event.ip_address.as_deref().map(str::as_bytes));
    hasher.optional(event.user_agent.as_deref().map(str::as_bytes));
    hasher.field(event.metadata.as_str().as_bytes());
    hasher.finish()
}

struct FieldHasher(digest::Context);

impl FieldHasher {
    const ABSENT: u32 = u32::MAX;

    fn field(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length < Self::ABSENT);
        self.0.update(
            &length
                .expect("a field of an audit event is far below 4 GiB: bodies are limited")
                .to_be_bytes(),
        );
        self.0.update(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.field(bytes),
            None => self.0.update(&Self::ABSENT.to_be_bytes()),
        }
    }

    fn finish(self) -> Hash {
        let mut hash = [0u8; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        Hash(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Action, JsonText, Origin, Outcome, Recorded};
    use crate::ids::{AgentId, OrganizationId};
    use crate::time::Timestamp;
    use uuid::Uuid;

    fn record(number: u128) -> AuditRecord {
        AuditRecord {
            event_id: EventId(Uuid::from_u128(number)),
            organization_id: OrganizationId(Uuid::from_u128(1)),
            agent_id: Some(AgentId(Uuid::from_u128(2))),
            action: Action::TokenIssued,
            outcome: Outcome::Success,
            origin: Origin {
                ip_address: Some("127.0.0.1".into()),
                user_agent: None,
            },
            metadata: JsonText::object(&[("scope", "agents:read")]),
            timestamp: Timestamp::from_millis(1_700_000_000_000),
        }
    }

    fn chain(length: u128) -> Vec<AuditEvent> {
        let mut head = ChainHead::EMPTY;
        (1..=length).map(|number| head.append(record(number))).collect()
    }

    fn verify(events: &[AuditEvent]) -> Verdict {
        let mut verifier = ChainVerifier::from_start();
        events.iter().for_each(|event| {
            verifier.check(event);
        });
        verifier.verdict()
    }

    #[test]
    fn a_chain_that_nobody_touched_is_whole() {
        assert_eq!(verify(&chain(20)), Verdict::Whole { checked: 20 });
        assert_eq!(verify(&[]), Verdict::Whole { checked: 0 });
    }

    #[test]
    fn a_stretch_out_of_the_middle_verifies_without_its_beginning() {
        let events = chain(9);
        let mut verifier = ChainVerifier::from_anywhere();
        assert!(events[4..].iter().all(|event| verifier.check(event)));
    }

    #[test]
    fn every_kind_of_tampering_names_the_event() {
        let changes: [fn(&mut AuditEvent); 14] = [
            |e| e.action = Action::TokenRevoked.into(),
            |e| e.action = Recorded::Other("token.issue".into()),
            |e| e.outcome = Outcome::Failure.into(),
            |e| e.outcome = Recorded::Other(String::new()),
            |e| e.agent_id = None,
            |e| e.organization_id = OrganizationId(Uuid::nil()),
            |e| e.ip_address = None,
            |e| e.user_agent = Some(String::new()),
            |e| e.metadata = JsonText::object(&[("scope", "agents:write")]),
            |e| e.timestamp = Timestamp::EPOCH,
            |e| e.hash = Hash::ZERO,
            |e| e.hash = Hash::from_stored(&[]),
            |e| e.previous_hash = Hash::from_stored(&[0; 31]),
            |e| e.previous_hash = Hash::ZERO,
        ];
        for change in changes {
            let mut events = chain(5);
            change(&mut events[2]);
            assert_eq!(
                verify(&events),
                Verdict::Broken {
                    checked: 2,
                    at: events[2].event_id
                }
            );
        }
    }

    #[test]
    fn removing_swapping_or_doubling_events_is_seen() {
        let whole = chain(5);
        let mut removed = whole.clone();
        removed.remove(2);
        assert_eq!(
            verify(&removed),
            Verdict::Broken {
                checked: 2,
                at: whole[3].event_id
            }
        );
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        assert_eq!(
            verify(&swapped),
            Verdict::Broken {
                checked: 1,
                at: whole[2].event_id
            }
        );
        let mut doubled = whole.clone();
        doubled.insert(3, whole[2].clone());
        assert_eq!(
            verify(&doubled),
            Verdict::Broken {
                checked: 3,
                at: whole[2].event_id
            }
        );
    }

    /// The encoding is a promise to auditors who check exports with their own tools: this hash never changes.
    #[test]
    fn the_encoding_is_fixed() {
        assert_eq!(
            chain(1)[0].hash.to_string(),
            "cf11e2595abbd3110ab796b95d48e300a30fea52af56be8b12edf9f1bca71c3c"
        );
    }

    proptest::proptest! {
        #[test]
        fn a_hash_round_trips_and_any_text_is_parsed_or_refused(bytes: [u8; 32], text in ".{0,70}") {
            proptest::prop_assert_eq!(Hash(bytes).to_string().parse(), Ok(Hash(bytes)));
            let _ = text.parse::<Hash>();
        }
    }
}

//! Changes of the key ring, as commands: the schedule's, which only its owner may give, and operators'.
//!
//! **The order of variants and fields is the format of the log**, as in [`command`](crate::command).

use domain::{KeyId, KeyTerms, Revision, Timestamp};
use serde::{Deserialize, Serialize};

use crate::command::{SMALL_COMMAND_BYTES, SealedKey};
use crate::sealing::Sealed;

/// What the schedule is called where its owner is looked for.
pub(crate) const KEY_SCHEDULE: &str = "key-rotation";
/// The address that an order came from is cut off after this many bytes.
pub(crate) const ADDRESS_BYTES_MAX: usize = 64;

/// A change of the key ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyCommand {
    /// The node that proposes it.
    pub(crate) node_id: u64,
    /// On whose behalf.
    pub(crate) authority: Authority,
    /// When.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) change: KeyChange,
}

/// On whose behalf a key ring is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Authority {
    /// The schedule's, whose owner the node was in this epoch.
    Schedule {
        /// Which.
        epoch: u64,
    },
    /// An operator's.
    Operator {
        /// The address that the order came from.
        from: Option<String>,
    },
    /// Whoever founds the installation, in the command that follows its bootstrap.
    Founder,
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyChange {
    /// Other promises come in force.
    Terms(KeyTerms),
    /// Verifiers learn a key that will sign later. There is one of each algorithm at most.
    Publish(SealedKey),
    /// A key that has been published for long enough begins to sign; the one that signed so far is retired.
    MakeCurrent(KeyId),
    /// A key whose last token has expired leaves.
    Remove(KeyId),
    /// These keys sign at once, and every other one of their algorithms leaves at once.
    Replace(Vec<SealedKey>),
    /// These secrets are sealed anew.
    Reseal(Vec<Resealed>),
    /// The audit log has been told of all events up to this revision.
    Recorded(Revision),
}

/// A secret in a new envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resealed {
    /// Whose.
    pub(crate) place: SealedPlace,
    /// The envelope.
    pub(crate) sealed: Sealed,
}

/// Where the replicated state keeps a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SealedPlace {
    /// The key of the keyed digests of client secrets.
    DigestKey,
    /// The private half of a signing key.
    SigningKey(KeyId),
}

impl KeyCommand {
    /// An upper bound of the length of its encoding, without encoding it.
    pub(crate) fn encoded_length_at_most(&self) -> usize {
        let change = match &self.change {
            KeyChange::Terms(_) | KeyChange::Recorded(_) => 0,
            KeyChange::Publish(key) => key.encoded_length_at_most(),
            KeyChange::MakeCurrent(key_id) | KeyChange::Remove(key_id) => key_id.0.len(),
            KeyChange::Replace(keys) => keys.iter().map(SealedKey::encoded_length_at_most).sum(),
            KeyChange::Reseal(items) => items.iter().map(Resealed::encoded_length_at_most).sum(),
        };
        SMALL_COMMAND_BYTES * 2 + ADDRESS_BYTES_MAX + change
    }
}

impl Resealed {
    fn encoded_length_at_most(&self) -> usize {
        let place = match &self.place {
            SealedPlace::DigestKey => 0,
            SealedPlace::SigningKey(key_id) => key_id.0.len(),
        };
        SMALL_COMMAND_BYTES + place + self.sealed.encoded_length_at_most()
    }
}

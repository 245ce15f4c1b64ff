//! The changes that the replicated state knows. A command carries its time and its bytes, so that applying it is the
//! same everywhere.
//!
//! **The order of variants and fields is the format of the log.** Variants are only ever added at the end; a changed
//! one becomes a new one. A test keeps the bytes of each.

use std::fmt;
use std::sync::Arc;

use domain::{
    AgentId, KeyId, OrganizationId, ReplicatedChange, Revision, Revocation, SigningAlgorithm, Subject, Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::codec::OLDEST;
use crate::key_command::{Authority, KeyCommand};
use crate::sealing::Sealed;
use crate::state::InviteDigest;

/// No command without keys is longer than this, encoded.
pub(crate) const SMALL_COMMAND_BYTES: usize = 64;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Command {
    /// The installation gets its identity and first keys. A second one changes nothing.
    Bootstrap(BootstrapCommand),
    /// Tokens die.
    Revoke(Revocation),
    /// What nodes have cached of an agent is stale.
    AgentChanged(AgentId),
    /// What nodes have cached of an organization and its agents is stale.
    OrganizationChanged(OrganizationId),
    /// Time has passed: what has expired may be forgotten.
    Tick {
        /// The leader's wall clock.
        now: Timestamp,
    },
    /// Refused: it knows nothing of what verifiers were promised, as [`Command::Keys`] does. So do the next two.
    PublishKey {
        /// The key.
        key: SealedKey,
        /// When.
        at: Timestamp,
    },
    /// Refused.
    MakeKeyCurrent {
        /// Which.
        key_id: KeyId,
        /// When.
        at: Timestamp,
    },
    /// Refused.
    RemoveKey {
        /// Which.
        key_id: KeyId,
    },
    /// A node may join.
    Invite {
        /// What tells the invitation.
        digest: InviteDigest,
        /// Until when.
        expires_at: Timestamp,
    },
    /// A node shows its invitation.
    RedeemInvite {
        /// What tells the invitation.
        digest: InviteDigest,
        /// Who.
        node_id: u64,
        /// When.
        now: Timestamp,
    },
    /// Things that one node owns are placed on these members.
    Place {
        /// Who, in ascending order.
        members: Vec<u64>,
        /// The epoch that this follows.
        expected: u64,
    },
    /// The key ring changes.
    Keys(KeyCommand),
    /// All members know a later format: what came with it may be proposed from now on.
    RaiseFormat {
        /// Which.
        to: u8,
        /// The version of the software of whoever proposes it, for those who do not know the format.
        software: String,
    },
}

/// The first keys of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BootstrapCommand {
    /// Identifies the installation.
    pub(crate) cluster_id: Uuid,
    /// The first signing keys; current at once.
    pub(crate) keys: Vec<SealedKey>,
    /// The key of the keyed digests of client secrets.
    pub(crate) digest_key: Sealed,
    /// When.
    pub(crate) at: Timestamp,
}

/// A signing key as it travels: the private half is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedKey {
    /// The `kid`.
    pub(crate) key_id: KeyId,
    /// What it signs with.
    pub(crate) algorithm: SigningAlgorithm,
    /// The public half, JSON.
    pub(crate) public_jwk: String,
    /// The private half.
    pub(crate) sealed: Sealed,
}

impl Command {
    /// Whether it names what is dead from now on for good, whatever else is decided before or after.
    pub(crate) fn denies(&self) -> Option<Subject> {
        match self {
            Command::Revoke(Revocation { subject, .. }) => {
                matches!(subject, Subject::Token(_) | Subject::Family(_)).then_some(*subject)
            }
            _ => None,
        }
    }

    /// Whether its order among others of this kind does not matter, so that several batches may be on their way.
    pub(crate) fn commutes(&self) -> bool {
        matches!(
            self,
            Command::Revoke(_) | Command::AgentChanged(_) | Command::OrganizationChanged(_)
        )
    }

    /// Whether its answer waits for the other members although it travels alone: whoever takes a key out of use wants to
    /// know where it is in use still.
    fn is_awaited(&self) -> bool {
        matches!(self, Command::Keys(command) if matches!(command.authority, Authority::Operator { .. }))
    }

    /// The format that it came with.
    pub(crate) fn format(&self) -> u8 {
        match self {
            Command::Bootstrap(_)
            | Command::Revoke(_)
            | Command::AgentChanged(_)
            | Command::OrganizationChanged(_)
            | Command::Tick { .. }
            | Command::PublishKey { .. }
            | Command::MakeKeyCurrent { .. }
            | Command::RemoveKey { .. }
            | Command::Invite { .. }
            | Command::RedeemInvite { .. }
            | Command::Place { .. }
            | Command::Keys(_) => OLDEST,
            // Whoever does not know the next format must not go past the place where it begins.
            Command::RaiseFormat { to, .. } => *to,
        }
    }

    /// An upper bound of the length of its encoding, without encoding it.
    pub(crate) fn encoded_length_at_most(&self) -> usize {
        const SMALL: usize = SMALL_COMMAND_BYTES;
        match self {
            Command::Bootstrap(bootstrap) => {
                let keys: usize = bootstrap.keys.iter().map(SealedKey::encoded_length_at_most).sum();
                SMALL + keys + bootstrap.digest_key.encoded_length_at_most()
            }
            Command::PublishKey { key, .. } => SMALL + key.encoded_length_at_most(),
            Command::RaiseFormat { software, .. } => SMALL + software.len(),
            Command::MakeKeyCurrent { key_id, .. } | Command::RemoveKey { key_id } => SMALL + key_id.0.len(),
            Command::Place { members, .. } => SMALL + members.len() * 9,
            Command::Keys(command) => command.encoded_length_at_most(),
            Command::Revoke(_)
            | Command::AgentChanged(_)
            | Command::OrganizationChanged(_)
            | Command::Tick { .. }
            | Command::Invite { .. }
            | Command::RedeemInvite { .. } => SMALL,
        }
    }
}

impl SealedKey {
    pub(crate) fn encoded_length_at_most(&self) -> usize {
        64 + self.key_id.0.len() + self.public_jwk.len() + self.sealed.encoded_length_at_most()
    }
}

impl From<ReplicatedChange> for Command {
    fn from(change: ReplicatedChange) -> Self {
        match change {
            ReplicatedChange::Revoke(revocation) => Command::Revoke(revocation),
            ReplicatedChange::AgentChanged(agent) => Command::AgentChanged(agent),
            ReplicatedChange::OrganizationChanged(organization) => Command::OrganizationChanged(organization),
        }
    }
}

/// Why a command changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the installation has its keys already")]
    AlreadyBootstrapped,
    #[error("the installation has no keys yet")]
    NotBootstrapped,
    #[error("two keys of one algorithm, or two with one id, cannot be first")]
    AmbiguousKeys,
    #[error("there is another key with this id")]
    KeyExists,
    #[error("there is no key with this id")]
    NoSuchKey,
    #[error("the key is not in the state that this step starts from")]
    WrongKeyState,
    #[error("the deny list is full")]
    DenyListFull,
    #[error("the key ring is full")]
    KeyRingFull,
    #[error("its node has proposed something else since")]
    Superseded,
    #[error("the invitation is unknown, used up or expired; ask for a new one")]
    NoSuchInvite,
    #[error("too many invitations are open; wait until some have expired")]
    TooManyInvites,
    #[error("this node does not own the schedule any more")]
    FormerOwner,
    #[error("things were placed anew meanwhile")]
    PlacementMoved,
    #[error("whoever asks may not do this")]
    NotTheirs,
    #[error("another key of this algorithm is published and waits for its turn; see: agentidp cluster keys")]
    RotationUnderWay,
    #[error("it is too early: verifiers may not know the key yet, or tokens that it signed are still alive")]
    TooEarly,
    #[error("no node can keep these promises about keys and tokens")]
    ImpossibleTerms,
    #[error("secrets are sealed anew with one master key at a time")]
    ManyMasterKeys,
    #[error("the audit log has not been told of a thousand steps yet; see that the store is well")]
    AuditBacklog,
}

/// What came of a command. Every command counts the revision up, also one that changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommandResult {
    /// The revision of the state that has the command applied.
    pub(crate) revision: Revision,
    /// Why nothing else changed, if nothing did.
    pub(crate) refusal: Option<Refusal>,
}

/// Which batch of whom this is, so that one whose answer was lost can be proposed again and is applied once. The numbers
/// of the batches that a node waits for lie within [`WINDOW`](crate::state::WINDOW).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct BatchId {
    /// Who proposes.
    pub(crate) node_id: u64,
    /// Drawn at random when the node started: its numbers begin anew.
    pub(crate) incarnation: u64,
    /// Counts up from 1.
    pub(crate) number: u64,
}

/// What one log entry carries: all that was waiting when it was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) id: BatchId,
    #[serde(with = "shared_slice")]
    pub(crate) commands: Arc<[Command]>,
}

impl Batch {
    /// Whether all that it holds names what is dead from now on for good.
    pub(crate) fn only_denies(&self) -> bool {
        self.commands.iter().all(|command| command.denies().is_some())
    }

    /// Whether its answer waits for the other members.
    pub(crate) fn is_awaited(&self) -> bool {
        self.commands.iter().any(Command::is_awaited)
    }

    /// The oldest format in which all its commands are known.
    pub(crate) fn format(&self) -> u8 {
        self.commands.iter().map(Command::format).max().unwrap_or(OLDEST)
    }
}

#[cfg(test)]
impl Batch {
    /// The commands as the batch of this number of a node.
    pub(crate) fn numbered(number: u64, commands: Vec<Command>) -> Self {
        let id = BatchId {
            node_id: 1,
            incarnation: 1,
            number,
        };
        Self {
            id,
            commands: commands.into(),
        }
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BatchId { node_id, number, .. } = self.id;
        write!(f, "{} commands, batch {number} of node {node_id}", self.commands.len())
    }
}

/// What came of the commands of a batch, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BatchResults(#[serde(with = "shared_slice")] pub(crate) Arc<[CommandResult]>);

impl FromIterator<CommandResult> for BatchResults {
    fn from_iter<I: IntoIterator<Item = CommandResult>>(results: I) -> Self {
        Self(results.into_iter().collect())
    }
}

/// A shared slice as a sequence of its items.
mod shared_slice {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(items: &Arc<[T]>, serializer: S) -> Result<S::Ok, S::Error> {
        items[..].serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<[T]>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::from)
    }
}

#[cfg(test)]
mod tests;

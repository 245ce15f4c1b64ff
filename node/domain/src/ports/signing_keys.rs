//! The signing keys of the installation: looked at without waiting, changed by replicated steps.

use async_trait::async_trait;

use crate::entities::SigningAlgorithm;
use crate::ports::ReplicationError;
use crate::replicated::Applied;
use crate::signing_keys::{KeyOrder, KeyRingView, KeyStep, NewSigningKey, Resealing};

/// Why a step was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyStepError {
    /// The replicated state will not have it: it is too early, somebody else acts by now, or another rotation is under way.
    #[error("{0}")]
    Refused(String),
    /// A secret can't be sealed or opened here.
    #[error("{0}")]
    Sealing(String),
    /// No key can be made.
    #[error("no key can be made: {0}")]
    NoKey(String),
    /// Whether it was taken is not known; a repetition is harmless.
    #[error(transparent)]
    Replication(#[from] ReplicationError),
}

/// Reads and changes the key ring.
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// The ring as this node sees it; absent before the installation has keys.
    fn view(&self) -> Option<KeyRingView>;

    /// Takes a step of the schedule, in the name of its owner in this epoch.
    async fn take(&self, epoch: u64, step: KeyStep) -> Result<(), KeyStepError>;

    /// Carries out an operator's order, from any node. When it returns, the change is in force on every node that could
    /// be reached within a bound.
    async fn carry_out(&self, order: KeyOrder) -> Result<Applied, KeyStepError>;

    /// Seals everything with this node's master key, if every member holds it; in the name of the owner in this epoch.
    async fn reseal(&self, epoch: u64) -> Result<Resealing, KeyStepError>;
}

/// Makes keys, where that takes no time away from anybody: an RSA key takes as long as a hundred thousand signatures.
#[async_trait]
pub trait KeyMaker: Send + Sync {
    /// A new key of an algorithm.
    async fn make(&self, algorithm: SigningAlgorithm) -> Result<NewSigningKey, KeyStepError>;
}

//! The cluster's signing keys, as operators see them: [`Cluster::keys`](crate::Cluster::keys).

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// All signing keys at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterKeys {
    /// The keys.
    pub keys: Vec<SigningKey>,
    /// Who moves them on.
    pub schedule: KeySchedule,
    /// What is promised to whoever verifies tokens.
    pub terms: KeyTerms,
    /// How far a change of the master key has come.
    pub sealing: SealingProgress,
    /// Members that had not confirmed an order in time; they may take for a moment what is dead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed_members: Vec<u64>,
}

/// A signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// The `kid`.
    pub key_id: String,
    /// `EdDSA`, `ES256` or `RS256`.
    pub algorithm: String,
    /// `published`, `current` or `retired`.
    pub state: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// When it began to sign.
    pub current_since: Option<Timestamp>,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
    /// What happens to it next.
    pub next: NextStep,
}

/// What happens to a key next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// `signs`, `retires` or `leaves`.
    pub step: String,
    /// When.
    pub at: Timestamp,
}

/// Who moves the keys on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySchedule {
    /// The node; absent for a moment after the first start.
    pub node_id: Option<u64>,
    /// Counts up when another node may have taken over.
    pub epoch: u64,
}

/// What is promised to whoever verifies tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyTerms {
    /// How long they may keep the JWKS.
    pub jwks_max_age_seconds: u64,
    /// No token lives longer.
    pub token_ttl_max_seconds: u64,
    /// How far the nodes' clocks may differ.
    pub clock_skew_seconds: u64,
}

/// How many secrets of the replicated state are sealed with which master key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealingProgress {
    /// The fingerprint of the master key of the node that was asked.
    pub master_key_id: String,
    /// With this one.
    pub sealed_with_master_key: usize,
    /// With others.
    pub sealed_with_former_master_keys: usize,
}

/// Which keys are to be replaced, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotateKeys {
    /// The algorithms whose keys are replaced; all if there are none.
    pub algorithms: Vec<String>,
    /// Whether it happens at once, and every token that the former keys signed dies.
    pub emergency: bool,
}

//! What an identity provider for agents is about: identifiers, entities, their rules, and the ports through which the
//! rest of the system reaches time, randomness, storage and the replicated state.
//!
//! **Architecture invariant:** nothing here does I/O, reads a clock, draws randomness or knows an async runtime. Every
//! rule is a function of its arguments, so a simulator can run it and a test needs no set-up.

pub mod audit;
pub mod entities;
pub mod ids;
pub mod named;
pub mod network_of;
pub mod outbox;
pub mod pagination;
pub mod ports;
pub mod replicated;
pub mod scope;
pub mod secret;
pub mod signing_keys;
pub mod time;
pub mod validation;

pub use audit::{Action, AuditEvent, AuditFilter, AuditRecord, ChainHead, JsonText, Origin, Outcome, Recorded};
pub use entities::{
    Agent, AgentFilter, AgentPatch, AgentStatus, AgentType, Capability, ClientRecord, Credential, CredentialStatus,
    DeploymentEnv, Email, NewAgent, Organization, OrganizationStatus, SecretDigest, SigningAlgorithm, StoredCredential,
    Tier,
};
pub use ids::{AgentId, CredentialId, EventId, KeyId, OrganizationId, OutboxId, TokenFamily, TokenId};
pub use named::UnknownName;
pub use network_of::network_of;
pub use outbox::{Author, Change, OutboxEntry, OutboxMessage};
pub use pagination::{Page, PageOf};
pub use replicated::{Applied, NodeId, ReplicatedChange, Revision, Revocation, Subject, TokenFacts};
pub use scope::{Scope, ScopeSet};
pub use secret::Secret;
pub use signing_keys::{
    KeyDeed, KeyEvent, KeyOrder, KeyRecord, KeyRingView, KeyState, KeyStep, KeyTerms, NewSigningKey, Ownership,
    Resealing, SealingProgress, Urgency,
};
pub use time::Timestamp;
pub use validation::FieldError;

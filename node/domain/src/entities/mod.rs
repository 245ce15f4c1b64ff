//! The things that an installation keeps: organizations, their agents, and the agents' credentials.

mod agent;
mod agent_fields;
mod client;
mod credential;
mod organization;

pub use agent::{Agent, AgentFilter, AgentPatch, AgentStatus, IllegalTransition, NewAgent};
pub use agent_fields::{AgentType, Capability, DeploymentEnv, Email, parse_version};
pub use client::ClientRecord;
pub use credential::{Credential, CredentialStatus, SecretDigest, StoredCredential};
pub use organization::{Organization, OrganizationStatus, SigningAlgorithm, Tier};

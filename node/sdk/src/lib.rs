//! The Rust client of AgentIdP, an identity provider for AI agents.
//!
//! A [`Client`] knows one issuer and, if it was given credentials, who it is. It takes tokens when it needs them, keeps
//! them until four fifths of their lifetime are over, and repeats what may be repeated when the server is busy.
//!
//! ```no_run
//! # async fn example(secret: String) -> Result<(), sdk::Error> {
//! use sdk::{AgentFilter, AgentStatus, Client, Paging};
//!
//! let client = Client::builder("https://idp.example")
//!     .credentials("01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d", secret)
//!     .build()?;
//!
//! // A token to show to somebody else, from the cache while it is good.
//! let token = client.access_token(&["agents:read"]).await?;
//! let _header = format!("Bearer {}", token.expose());
//!
//! // The provider's own API.
//! let filter = AgentFilter { status: Some(AgentStatus::Active), ..AgentFilter::default() };
//! let page = client.agents().list(&filter, Paging::page(1, 50)).await?;
//! assert!(page.data.len() <= 50);
//! # Ok(())
//! # }
//! ```
//!
//! Every error is a value of [`Error`] that tells what happened and what to do; secrets are [`Secret`]s, which do not
//! print and are wiped when they are dropped.
//!
//! **Architecture invariant:** this crate depends on no other crate of the workspace. It knows the wire contract and
//! nothing behind it, so that it can be published, and so that it is a fair judge of the server in tests. Only
//! `transport` knows the HTTP library.

#[macro_use]
mod open_enum;

pub mod agents;
pub mod audit;
pub mod cluster;
pub mod cluster_keys;
pub mod credentials;
pub mod discovery;
pub mod health;
pub mod tokens;

mod builder;
mod client;
mod clock;
mod error;
mod ids;
mod page;
mod query;
mod raw_json;
mod retry;
mod secret;
mod timestamp;
mod token_cache;
mod transport;
mod versioned;

pub use agents::{Agent, AgentFilter, AgentPatch, AgentStatus, AgentType, Agents, DeploymentEnv, NewAgent};
pub use audit::{Audit, AuditEvent, AuditFilter, Outcome, Verification};
pub use builder::ClientBuilder;
pub use client::Client;
pub use clock::{Clock, TokioClock};
pub use cluster::{Cluster, ClusterStatus, Invitation, Joining, MemberStatus, SnapshotPiece};
pub use cluster_keys::{ClusterKeys, KeySchedule, KeyTerms, NextStep, RotateKeys, SealingProgress, SigningKey};
pub use credentials::{Credential, CredentialStatus, Credentials, IssuedCredential, NewCredential, RotateCredential};
pub use discovery::{Jwk, Jwks, Metadata};
pub use error::{Error, FieldError, MalformedResponse, Misconfiguration, TransportError, TransportFailure};
pub use health::{Health, HealthReport};
pub use ids::{AgentId, CredentialId, EventId, InvalidId, OrganizationId};
pub use page::{Page, Paging};
pub use raw_json::RawJson;
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use tokens::{Introspection, TokenRequest, TokenResponse, Tokens};
pub use versioned::{ETag, Versioned};

//! Ports: what the rest of the system must be given. One small trait per aggregate; whoever needs two takes two.
//!
//! Every storage port is implemented for PostgreSQL and for the embedded store, and one conformance suite runs against
//! both. Methods that touch one tenant's rows take the organization, and no row of another can come back.

mod agents;
mod audit_trail;
mod clients;
mod clock;
mod credentials;
mod entropy;
mod organizations;
mod outbox;
mod replication;
mod signing_keys;
mod store_error;

pub use agents::Agents;
pub use audit_trail::AuditTrail;
pub use clients::Clients;
pub use clock::Clock;
pub use credentials::{CredentialRotation, Credentials};
pub use entropy::Entropy;
pub use organizations::Organizations;
pub use outbox::Outbox;
pub use replication::{Replication, ReplicationError, RevocationView};
pub use signing_keys::{KeyMaker, KeyStepError, SigningKeys};
pub use store_error::{Conflict, StoreError};

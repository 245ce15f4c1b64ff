//! The actors of a node: organizations that decide who may have a token, limiters that count requests, the writer of the
//! audit log, the relay of the outbox and the schedule of signing keys, under one supervisor.
//!
//! Callers hold handles and never see a message or a reference to an actor. Every call has a deadline and a bound on how
//! many may be under way, and ends in an answer or in an error that says when to try again.
//!
//! **Architecture invariant:** nothing of the actor library is visible from outside. Actors have no names and are in no
//! global registry, so several nodes can run in one process. What an actor knows can be rebuilt: killing any of them loses
//! nothing that was acknowledged. What decides is a pure struct in a `state.rs`; the actor around it only moves messages.

mod audit;
mod backoff;
mod composition;
mod dependencies;
mod error;
mod faults;
mod key_rotation;
mod limiter;
mod lock;
mod meters;
mod node_actors;
mod outbox;
mod seeded;
mod settings;
mod supervision;
mod tenant;

pub use audit::AuditHandle;
pub use dependencies::Dependencies;
pub use error::{ActorError, AuditError, AuthorizeError, Forbidden, TenantError};
#[doc(hidden)]
pub use faults::Victim;
pub use key_rotation::{KeyPlan, KeyRotationHandle};
pub use limiter::{Admission, LimitClass, LimiterHandle};
pub use meters::ActorMeters;
pub use node_actors::NodeActors;
pub use outbox::OutboxHandle;
pub use settings::{
    ActorSettings, AuditSettings, KeyRotationSettings, LimiterSettings, OutboxSettings, TenantSettings,
};
pub use supervision::{ActorKind, ActorsHealth, RestartPolicy};
pub use tenant::{AuthenticatedClient, Authorized, Caller, NewCredential, RotateCredential, TenantsHandle};

//! Organizations: who may have a token, and every change of agents and credentials.
//!
//! One actor per organization, started on demand and retired when idle. It decides in microseconds and never waits: what a
//! decision needs is loaded from the store before it is asked, and writes run one after the other in a task beside it.
//! What it keeps can be rebuilt: the warm clients outlive it, counters of failures and uses are told to the log and the
//! store now and then.

mod actor;
mod client_cache;
mod client_loader;
mod commands;
mod failures;
mod handle;
mod job_queue;
mod kin;
mod message;
mod requests;
mod standing;
mod state;
mod usage;
mod use_marks;

pub(crate) use client_cache::ClientCache;
pub(crate) use client_loader::{ClientLoader, LoaderParts};
pub(crate) use commands::WriteContext;
pub use handle::TenantsHandle;
pub(crate) use handle::TenantsParts;
pub(crate) use kin::TenantKin;
pub use requests::{AuthenticatedClient, Authorized, Caller, NewCredential, RotateCredential};

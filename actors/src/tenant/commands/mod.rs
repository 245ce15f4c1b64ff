//! Writes, one file each. All go the same way: check, store (row, audit record and outbox entry in one transaction),
//! replicate, forget what was cached, tell the relay, answer. Where one stops, the relay goes on.

mod context;
mod decommission_agent;
mod generate_credential;
mod permission;
mod register_agent;
mod revoke_credential;
mod rotate_secret;
mod update_agent;

use std::future::Future;

pub(crate) use context::WriteContext;
pub(super) use decommission_agent::DecommissionAgent;
pub(super) use generate_credential::GenerateCredential;
pub(super) use permission::check_alive;
pub(super) use register_agent::RegisterAgent;
pub(super) use revoke_credential::RevokeCredential;
pub(super) use rotate_secret::RotateSecret;
pub(super) use update_agent::UpdateAgent;

use super::requests::Caller;
use crate::error::TenantError;

/// A write.
pub(super) trait Command: Send + 'static {
    /// What the caller gets.
    type Answer: Send + 'static;

    /// Who asks.
    fn caller(&self) -> &Caller;

    /// Does it.
    fn run(self, context: &WriteContext) -> impl Future<Output = Result<Self::Answer, TenantError>> + Send;
}

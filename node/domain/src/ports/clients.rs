//! How a client is found by nothing but its id, before it is known whose it is.

use async_trait::async_trait;

use super::StoreError;
use crate::entities::ClientRecord;
use crate::ids::AgentId;

/// OAuth clients: agents with their organization and usable credentials.
#[async_trait]
pub trait Clients: Send + Sync {
    /// Everything that is needed to authenticate this client, in one round trip; `None` if there is no such agent.
    async fn load(&self, client: AgentId) -> Result<Option<ClientRecord>, StoreError>;
}

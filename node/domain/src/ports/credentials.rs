//! Where credentials are kept.

use async_trait::async_trait;

use super::StoreError;
use crate::entities::{Credential, CredentialStatus, SecretDigest, StoredCredential};
use crate::ids::{AgentId, CredentialId, OrganizationId, OutboxId};
use crate::outbox::Change;
use crate::pagination::{Page, PageOf};
use crate::time::Timestamp;

/// A credential's secret is replaced.
#[derive(Clone, Debug)]
pub struct CredentialRotation {
    /// Which.
    pub credential: CredentialId,
    /// Of the new secret.
    pub digest: SecretDigest,
    /// When the credential now expires, if ever.
    pub expires_at: Option<Timestamp>,
    /// Until when the old secret goes on working; `None` if it dies at once.
    pub overlap_until: Option<Timestamp>,
}

/// Credentials. Every write goes into one transaction with its [`Change`].
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Adds a credential. `NotFound` if the agent is not this organization's,
    /// [`Conflict::CredentialLimit`](super::Conflict::CredentialLimit) if it has
    /// [`Credential::ACTIVE_MAX`] that are active.
    async fn create(&self, credential: &StoredCredential, change: &Change) -> Result<OutboxId, StoreError>;

    /// The credential, if it is this agent's and the agent this organization's.
    async fn find(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<Option<Credential>, StoreError>;

    /// The agent's credentials, oldest first (by creation time, then id).
    async fn list(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        status: Option<CredentialStatus>,
        page: Page,
    ) -> Result<PageOf<Credential>, StoreError>;

    /// Replaces the secret of a credential that is not revoked, and answers it as it is now.
    /// [`Conflict::CredentialRevoked`](super::Conflict::CredentialRevoked) if it is revoked.
    async fn rotate(
        &self,
        organization: OrganizationId,
        rotation: &CredentialRotation,
        change: &Change,
    ) -> Result<(Credential, OutboxId), StoreError>;

    /// Revokes a credential at `at`. [`Conflict::CredentialRevoked`](super::Conflict::CredentialRevoked) if it is already.
    async fn revoke(
        &self,
        organization: OrganizationId,
        credential: CredentialId,
        at: Timestamp,
        change: &Change,
    ) -> Result<OutboxId, StoreError>;

    /// Notes when credentials of one organization were last used; ids that are gone are ignored. Never moves a time back.
    async fn touch(&self, organization: OrganizationId, used: &[(CredentialId, Timestamp)]) -> Result<(), StoreError>;
}

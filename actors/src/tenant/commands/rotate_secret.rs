//! Replaces a client secret. The old one dies at once, unless a respite is asked for; tokens live on.

use std::time::Duration;

use domain::ports::CredentialRotation;
use domain::{Action, AgentId, Credential, CredentialId, CredentialStatus, ReplicatedChange, Secret};
use protocol::ClientSecrets;

use super::context::{Deed, credential_error};
use super::permission::{Bounds, check_owner};
use super::{Command, WriteContext};
use crate::error::TenantError;
use crate::tenant::requests::{Caller, RotateCredential};

/// The order to replace a credential's secret.
pub(crate) struct RotateSecret {
    pub caller: Caller,
    pub agent: AgentId,
    pub credential: CredentialId,
    pub rotation: RotateCredential,
}

impl Command for RotateSecret {
    type Answer = (Credential, Secret);

    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn run(self, context: &WriteContext) -> Result<(Credential, Secret), TenantError> {
        check_owner(&self.caller, self.agent)?;
        let before = context.credential(&self.caller, self.agent, self.credential).await?;
        let now = context.clock.now();
        let bounds = Bounds::of(context, &self.caller, now).await?;
        bounds.check_rotation(before.scopes)?;
        if before.status == CredentialStatus::Revoked {
            return Err(TenantError::CredentialAlreadyRevoked);
        }
        if !before.is_usable(now) {
            return Err(TenantError::CredentialExpired);
        }
        let secret = ClientSecrets::mint(context.entropy.as_ref());
        let overlap = self.overlap();
        let rotation = CredentialRotation {
            credential: self.credential,
            digest: context.secrets.digest(&secret),
            expires_at: bounds.expiry(self.rotation.expires_at, before.expires_at)?,
            overlap_until: overlap.map(|overlap| now.plus(overlap)),
        };
        let (id, seconds) = (
            self.credential.to_string(),
            overlap.unwrap_or_default().as_secs().to_string(),
        );
        let deed = Deed {
            action: Action::CredentialRotated,
            target: self.agent,
            details: &[("credentialId", &id), ("overlapSeconds", &seconds)],
            replicate: vec![ReplicatedChange::AgentChanged(self.agent)],
            now,
        };
        let change = context.change(&self.caller, deed);
        let rotated = context
            .credentials
            .rotate(self.caller.organization, &rotation, &change)
            .await;
        let (credential, entry) = rotated.map_err(credential_error)?;
        context.finish(entry, change).await?;
        Ok((credential, secret))
    }
}

impl RotateSecret {
    fn overlap(&self) -> Option<Duration> {
        let longest = Duration::from_secs(Credential::OVERLAP_SECONDS_MAX.into());
        self.rotation.overlap.map(|overlap| overlap.min(longest))
    }
}

//! Makes a client secret.

use domain::{
    Action, AgentId, AgentStatus, Credential, CredentialId, CredentialStatus, ReplicatedChange, Secret,
    StoredCredential, Timestamp,
};
use protocol::ClientSecrets;

use super::context::Deed;
use super::permission::{Bounds, check_owner};
use super::{Command, WriteContext};
use crate::error::TenantError;
use crate::tenant::requests::{Caller, NewCredential};

/// The order to make a credential for an agent.
pub(crate) struct GenerateCredential {
    pub caller: Caller,
    pub agent: AgentId,
    pub new: NewCredential,
}

impl Command for GenerateCredential {
    type Answer = (Credential, Secret);

    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn run(self, context: &WriteContext) -> Result<(Credential, Secret), TenantError> {
        check_owner(&self.caller, self.agent)?;
        let now = context.clock.now();
        let bounds = Bounds::of(context, &self.caller, now).await?;
        let bounded = NewCredential {
            scopes: bounds.scopes_of_new(self.new.scopes)?,
            expires_at: bounds.expiry(self.new.expires_at, None)?,
        };
        if context.agent(&self.caller, self.agent).await?.status != AgentStatus::Active {
            return Err(TenantError::AgentNotActive);
        }
        let credential = self.credential(context, bounded, now);
        let secret = ClientSecrets::mint(context.entropy.as_ref());
        let stored = StoredCredential {
            digest: context.secrets.digest(&secret),
            previous: None,
            credential,
        };
        let id = stored.credential.credential_id.to_string();
        let deed = Deed {
            action: Action::CredentialGenerated,
            target: self.agent,
            details: &[("credentialId", &id)],
            replicate: vec![ReplicatedChange::AgentChanged(self.agent)],
            now,
        };
        let change = context.change(&self.caller, deed);
        let entry = context
            .credentials
            .create(&stored, &change)
            .await
            .map_err(super::context::agent_error)?;
        context.finish(entry, change).await?;
        Ok((stored.credential, secret))
    }
}

impl GenerateCredential {
    fn credential(&self, context: &WriteContext, new: NewCredential, now: Timestamp) -> Credential {
        Credential {
            credential_id: CredentialId::mint(now, context.entropy.as_ref()),
            organization_id: self.caller.organization,
            agent_id: self.agent,
            status: CredentialStatus::Active,
            scopes: new.scopes,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        }
    }
}

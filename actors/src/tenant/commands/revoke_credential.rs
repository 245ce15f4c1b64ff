//! Ends a credential and everything that was issued from it.

use domain::{Action, AgentId, CredentialId, CredentialStatus};

use super::context::{Deed, credential_error};
use super::permission::check_owner;
use super::{Command, WriteContext};
use crate::error::TenantError;
use crate::tenant::requests::Caller;

/// The order to end a credential.
pub(crate) struct RevokeCredential {
    pub caller: Caller,
    pub agent: AgentId,
    pub credential: CredentialId,
}

impl Command for RevokeCredential {
    type Answer = ();

    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn run(self, context: &WriteContext) -> Result<(), TenantError> {
        check_owner(&self.caller, self.agent)?;
        let before = context.credential(&self.caller, self.agent, self.credential).await?;
        let now = context.clock.now();
        let dead = WriteContext::kill_credential(self.agent, self.credential, now);
        if before.status == CredentialStatus::Revoked {
            return Err(context.already(dead, TenantError::CredentialAlreadyRevoked).await?);
        }
        let id = self.credential.to_string();
        let deed = Deed {
            action: Action::CredentialRevoked,
            target: self.agent,
            details: &[("credentialId", &id)],
            replicate: dead.clone(),
            now,
        };
        let change = context.change(&self.caller, deed);
        let organization = self.caller.organization;
        let revoked = context
            .credentials
            .revoke(organization, self.credential, now, &change)
            .await;
        match revoked.map_err(credential_error) {
            Ok(entry) => context.finish(entry, change).await,
            // Another node was faster.
            Err(TenantError::CredentialAlreadyRevoked) => {
                Err(context.already(dead, TenantError::CredentialAlreadyRevoked).await?)
            }
            Err(error) => Err(error),
        }
    }
}

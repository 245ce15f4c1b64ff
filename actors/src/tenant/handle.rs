//! How organizations are asked. Which one it is follows from the client, or from the caller's token.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::RevocationView;
use domain::{Agent, AgentId, AgentPatch, Credential, CredentialId, NewAgent, OrganizationId, Origin, Secret};
use protocol::oauth::{OAuthError, OAuthErrorCode, PresentedClient, TokenRequest};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::client_cache::WarmClient;
use super::client_loader::{ClientLoader, Found};
use super::commands::{
    Command, DecommissionAgent, GenerateCredential, RegisterAgent, RevokeCredential, RotateSecret, UpdateAgent,
    WriteContext, check_alive,
};
use super::kin::TenantKin;
use super::message::{Ask, TenantMessage};
use super::requests::{AuthenticatedClient, Authorized, Caller, NewCredential, RotateCredential};
use super::standing::stand;
use crate::error::{AuthorizeError, TenantError};
use crate::supervision::{Family, NoAnswer, answer};

/// The organization that clients belong to that do not exist: asked like any other, so that the answer takes as long.
const STRANGERS: OrganizationId = OrganizationId(Uuid::nil());

/// What the handles share.
pub(crate) struct TenantsParts {
    pub family: Family<TenantKin>,
    pub loader: Arc<ClientLoader>,
    pub revocations: Arc<dyn RevocationView>,
    pub writes: Arc<WriteContext>,
}

/// Asks organizations.
#[derive(Clone)]
pub struct TenantsHandle {
    parts: Arc<TenantsParts>,
}

impl TenantsHandle {
    pub(crate) fn new(parts: Arc<TenantsParts>) -> Self {
        Self { parts }
    }

    /// Whether a client may have the token that it asks for. A failed authentication of a client that exists is put into
    /// its organization's audit log.
    pub async fn authorize(&self, request: &TokenRequest, origin: &Origin) -> Result<Authorized, AuthorizeError> {
        // Before anything is looked at: whatever is revoked from here on kills the token.
        let revision = self.parts.revocations.revision()?;
        let found = self.parts.loader.find(request.client.client_id).await?;
        let asked = self.ask_of(found, origin, request.clone(), TenantMessage::Authorize);
        Ok(Authorized {
            grant: asked.await?,
            revision,
        })
    }

    /// Who a client is that authenticates for something else than a token. What is known of a warm client answers that
    /// without a mailbox; whoever fails goes on to the organization, which counts failures and puts them into the audit log
    /// as with [`TenantsHandle::authorize`].
    pub async fn authenticate(
        &self,
        client: &PresentedClient,
        origin: &Origin,
    ) -> Result<AuthenticatedClient, AuthorizeError> {
        self.parts.revocations.revision()?;
        let kin = &self.parts.family.kin;
        let found = self.parts.loader.find(client.client_id).await?;
        // For a client that does not exist as well, so that its answer takes as long.
        let record = found.client.as_ref().map(|warm| &warm.record);
        let standing = stand(record, client, &kin.secrets, kin.clock.now());
        if let (Some(warm), Ok(authenticated)) = (&found.client, standing) {
            self.tell_of_use(warm, &authenticated);
            return Ok(authenticated);
        }
        self.ask_of(found, origin, client.clone(), TenantMessage::Authenticate)
            .await
    }

    /// The organization writes down when credentials were last used; if it can't be told now, it is told another time.
    fn tell_of_use(&self, warm: &WarmClient, client: &AuthenticatedClient) {
        let family = &self.parts.family;
        let (kin, now) = (&family.kin, family.kin.clock.monotonic());
        if warm.is_use_news(client.credential, now, kin.settings.usage_flush) {
            let member = family.member(client.organization);
            let used = TenantMessage::Used(client.credential, kin.clock.now());
            let _ = family.deliver(client.organization, &member, used);
        }
    }

    /// Registers an agent in the caller's organization.
    pub async fn register_agent(&self, caller: &Caller, new: NewAgent) -> Result<Agent, TenantError> {
        self.write(RegisterAgent {
            caller: caller.clone(),
            new,
        })
        .await
    }

    /// Changes an agent. When a suspension is answered, the agent's tokens are dead on every reachable node. `expected` is
    /// the revision that the caller has seen, if it cares.
    pub async fn update_agent(
        &self,
        caller: &Caller,
        agent: AgentId,
        patch: AgentPatch,
        expected: Option<u64>,
    ) -> Result<Agent, TenantError> {
        let caller = caller.clone();
        self.write(UpdateAgent {
            caller,
            agent,
            patch,
            expected,
        })
        .await
    }

    /// Ends an agent, its credentials and its tokens.
    pub async fn decommission_agent(
        &self,
        caller: &Caller,
        agent: AgentId,
        expected: Option<u64>,
    ) -> Result<(), TenantError> {
        let caller = caller.clone();
        self.write(DecommissionAgent {
            caller,
            agent,
            expected,
        })
        .await
        .map(drop)
    }

    /// Makes a credential. The secret is in this answer and nowhere else.
    pub async fn generate_credential(
        &self,
        caller: &Caller,
        agent: AgentId,
        new: NewCredential,
    ) -> Result<(Credential, Secret), TenantError> {
        let caller = caller.clone();
        self.write(GenerateCredential { caller, agent, new }).await
    }

    /// Replaces a credential's secret. The secret is in this answer and nowhere else.
    pub async fn rotate_credential(
        &self,
        caller: &Caller,
        agent: AgentId,
        credential: CredentialId,
        rotation: RotateCredential,
    ) -> Result<(Credential, Secret), TenantError> {
        let caller = caller.clone();
        self.write(RotateSecret {
            caller,
            agent,
            credential,
            rotation,
        })
        .await
    }

    /// Ends a credential and the tokens that were issued from it.
    pub async fn revoke_credential(
        &self,
        caller: &Caller,
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<(), TenantError> {
        let caller = caller.clone();
        self.write(RevokeCredential {
            caller,
            agent,
            credential,
        })
        .await
    }

    /// Asks the organization of a client that was looked up.
    async fn ask_of<Q, A>(
        &self,
        found: Found,
        origin: &Origin,
        question: Q,
        message: impl FnOnce(Ask<Q, A>) -> TenantMessage,
    ) -> Result<A, AuthorizeError> {
        let kin = &self.parts.family.kin;
        let organization = found
            .client
            .as_ref()
            .map_or(STRANGERS, |client| client.record.organization.organization_id);
        let (reply, answered) = oneshot::channel::<Result<A, OAuthError>>();
        let ask = Ask {
            question,
            client: found.client.clone(),
            origin: origin.clone(),
            sent: kin.clock.monotonic(),
            reply,
        };
        let decided = self
            .deliver(organization, message(ask), answered, kin.settings.decision_deadline)
            .await?;
        if matches!(&decided, Err(error) if error.code == OAuthErrorCode::InvalidClient) {
            self.parts.loader.on_failure(&found).await?;
        }
        Ok(decided?)
    }

    async fn write<C: Command>(&self, command: C) -> Result<C::Answer, TenantError> {
        let (organization, context) = (command.caller().organization, self.parts.writes.clone());
        let revocations = self.parts.revocations.clone();
        let (reply, answered) = oneshot::channel();
        let job = async move {
            if reply.is_closed() {
                return;
            }
            let result = match check_alive(command.caller(), revocations.as_ref()) {
                Ok(()) => command.run(&context).await,
                Err(error) => Err(error),
            };
            // Whoever asked may stop waiting meanwhile; what was begun is finished all the same.
            let _ = reply.send(result);
        };
        let deadline = self.parts.family.kin.settings.write_deadline;
        self.deliver(organization, TenantMessage::Write(Box::pin(job)), answered, deadline)
            .await?
    }

    async fn deliver<T>(
        &self,
        organization: OrganizationId,
        message: TenantMessage,
        answered: oneshot::Receiver<T>,
        deadline: Duration,
    ) -> Result<T, NoAnswer> {
        let family = &self.parts.family;
        let member = family.member(organization);
        let _permit = member.calls.enter(family.kin.settings.decisions_max)?;
        family.deliver(organization, &member, message)?;
        answer(deadline, answered).await
    }
}

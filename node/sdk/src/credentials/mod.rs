//! Credentials of an agent: `/api/v1/agents/{id}/credentials`.

mod change;
mod credential;

pub use change::{NewCredential, RotateCredential};
pub use credential::{Credential, CredentialStatus, IssuedCredential};

use crate::client::Client;
use crate::error::Error;
use crate::ids::{AgentId, CredentialId};
use crate::page::{Page, Paging};
use crate::query::Query;
use crate::transport::{Call, Method};

/// Makes, lists, rotates and revokes the credentials of one agent. For agents other than the client itself this needs
/// `admin:orgs` beside `agents:write`.
pub struct Credentials<'a> {
    client: &'a Client,
    agent: AgentId,
}

impl<'a> Credentials<'a> {
    pub(crate) fn of(client: &'a Client, agent: AgentId) -> Self {
        Self { client, agent }
    }

    /// Makes a client secret, which is shown this once. Never repeated by itself: each time makes another secret. A client
    /// that makes one for itself should name the scopes: otherwise it holds no more than the token of this very call.
    pub async fn generate(&self, new: &NewCredential) -> Result<IssuedCredential, Error> {
        let call = Call::new(Method::Post, self.path()).json(new);
        self.client.send_with_token(call, self.write_scope()).await?.json()
    }

    /// A page of the agent's credentials, without secrets.
    pub async fn list(&self, status: Option<CredentialStatus>, paging: Paging) -> Result<Page<Credential>, Error> {
        let query = Query::default().with("status", status).paged(&paging);
        self.client
            .send_with_token(Call::get(self.path()).query(query), "agents:read")
            .await?
            .json()
    }

    /// Replaces a client secret. The old one is dead when this returns, unless an overlap was asked for.
    pub async fn rotate(
        &self,
        credential: CredentialId,
        rotation: &RotateCredential,
    ) -> Result<IssuedCredential, Error> {
        let call = Call::new(Method::Post, format!("{}/{credential}/rotate", self.path())).json(rotation);
        self.client.send_with_token(call, self.write_scope()).await?.json()
    }

    /// Ends a credential; tokens that were issued from it are dead when this returns. `CREDENTIAL_ALREADY_REVOKED` if it
    /// had been ended before.
    pub async fn revoke(&self, credential: CredentialId) -> Result<(), Error> {
        let call = Call::new(Method::Delete, format!("{}/{credential}", self.path()));
        let answer = self.client.send_with_token(call, self.write_scope()).await?;
        let is_repeated = answer.is_repeated;
        match answer.success() {
            // An earlier try of ours did it, and its answer was lost.
            Err(error) if is_repeated && error.code() == Some("CREDENTIAL_ALREADY_REVOKED") => Ok(()),
            result => result.map(drop),
        }
    }

    fn path(&self) -> String {
        format!("/api/v1/agents/{}/credentials", self.agent)
    }

    fn write_scope(&self) -> &'static str {
        let own = self.client.client_id().and_then(|id| id.parse().ok());
        if own == Some(self.agent) {
            "agents:write"
        } else {
            "agents:write admin:orgs"
        }
    }
}

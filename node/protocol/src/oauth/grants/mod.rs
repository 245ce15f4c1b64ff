//! From a token request to what is granted: one pipeline for every grant.
//!
//! authenticate the client → may it have tokens at all → what does the grant stand on → which scopes → [`Grant`]. A
//! grant is one file that fills in the third step and can't skip another.

mod allowed_scope;
mod client_credentials;

use std::time::Duration;

use domain::{
    AgentId, AgentStatus, ClientRecord, CredentialId, Organization, OrganizationId, OrganizationStatus, ScopeSet,
    SigningAlgorithm, StoredCredential, Timestamp, TokenFamily,
};

use super::client_authentication::opened;
use super::error::{OAuthError, OAuthErrorCode};
use super::token_request::{GrantRequest, TokenRequest};
use crate::client_secrets::ClientSecrets;

/// What the token endpoint has decided to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose agent it is.
    pub organization: OrganizationId,
    /// Who gets the token.
    pub agent: AgentId,
    /// What it authenticated with.
    pub credential: CredentialId,
    /// What the token allows.
    pub scope: ScopeSet,
    /// Where it is to be used; empty means: here, at the issuer.
    pub audience: Vec<String>,
    /// How long it lives.
    pub lifetime: Duration,
    /// What it is signed with.
    pub algorithm: SigningAlgorithm,
    /// The family that it joins; `None` if it founds its own.
    pub family: Option<TokenFamily>,
    /// Goes into the ID token.
    pub nonce: Option<String>,
}

/// What a grant has to say for itself.
struct Basis {
    /// The most that it can give.
    scope_max: ScopeSet,
    /// The family that the token joins.
    family: Option<TokenFamily>,
}

/// An authenticated client in good standing.
struct Client<'a> {
    record: &'a ClientRecord,
    credential: &'a StoredCredential,
}

/// Decides on a request, given what is known of the client that it names.
pub fn decide(
    request: &TokenRequest,
    record: Option<&ClientRecord>,
    secrets: &ClientSecrets,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let (record, credential) = opened(record, &request.client, secrets, now)?;
    check_standing(record)?;
    let client = Client { record, credential };
    let basis = match request.grant {
        GrantRequest::ClientCredentials => client_credentials::basis(&client),
    };
    let organization = &record.organization;
    Ok(Grant {
        organization: organization.organization_id,
        agent: record.agent.agent_id,
        credential: credential.credential.credential_id,
        scope: allowed_scope::choose(request.scope, basis.scope_max)?,
        audience: request.resources.clone(),
        lifetime: lifetime(organization),
        algorithm: organization.signing_algorithm,
        family: basis.family,
        nonce: request.nonce.clone(),
    })
}

/// Told only to a caller that has proved the secret.
fn check_standing(record: &ClientRecord) -> Result<(), OAuthError> {
    let reason = match (record.organization.status, record.agent.status) {
        (OrganizationStatus::Active, AgentStatus::Active) => return Ok(()),
        (OrganizationStatus::Suspended, _) => "The agent's organization is suspended; ask the operator.",
        (OrganizationStatus::Deleted, _) => "The agent's organization no longer exists.",
        (_, AgentStatus::Suspended) => "The agent is suspended; ask its owner to reactivate it.",
        (_, AgentStatus::Decommissioned) => "The agent is decommissioned; register a new one.",
    };
    Err(OAuthError::new(OAuthErrorCode::UnauthorizedClient, reason))
}

/// A revocation is remembered for no longer than the longest life of a token, so no token may live longer than that,
/// whatever the row says.
fn lifetime(organization: &Organization) -> Duration {
    Duration::from_secs(organization.token_ttl_seconds.into()).min(Organization::TOKEN_TTL_MAX)
}

#[cfg(test)]
mod tests;

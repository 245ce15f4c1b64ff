//! A client that authenticates for something else than a token, as at introspection (RFC 7662 §2.1): the same checks as
//! the token endpoint makes before it looks at what is asked for. Pure.

use domain::{AgentStatus, ClientRecord, OrganizationStatus, ScopeSet, Timestamp};
use protocol::ClientSecrets;
use protocol::oauth::{OAuthError, OAuthErrorCode, PresentedClient, authenticate};

use super::requests::AuthenticatedClient;

/// Who the client is and what it may do, if it proved the one and may do anything.
pub(super) fn stand(
    record: Option<&ClientRecord>,
    presented: &PresentedClient,
    secrets: &ClientSecrets,
    now: Timestamp,
) -> Result<AuthenticatedClient, OAuthError> {
    let credential_id = authenticate(record, presented, secrets, now)?;
    let record = record.ok_or_else(|| OAuthError::invalid_client("The client does not exist."))?;
    let is_active =
        record.organization.status == OrganizationStatus::Active && record.agent.status == AgentStatus::Active;
    if !is_active {
        let reason = "The agent or its organization is not active; ask its owner to reactivate it.";
        return Err(OAuthError::new(OAuthErrorCode::UnauthorizedClient, reason));
    }
    let credential = record
        .credentials
        .iter()
        .find(|stored| stored.credential.credential_id == credential_id);
    Ok(AuthenticatedClient {
        organization: record.organization.organization_id,
        agent: record.agent.agent_id,
        credential: credential_id,
        scopes: credential.map_or(ScopeSet::EMPTY, |credential| record.allowed(credential)),
    })
}

#[cfg(test)]
mod tests {
    use domain::{Organization, Scope};

    use super::super::state::tests::{NOW, SECRET, active_record, presented, secrets};
    use super::*;

    fn stands(record: &ClientRecord) -> Result<AuthenticatedClient, OAuthError> {
        stand(Some(record), &presented(record, SECRET), &secrets(), NOW)
    }

    #[test]
    fn a_client_in_good_standing_may_do_what_its_credential_allows() {
        let mut record = active_record();
        let scopes = stands(&record).expect("active").scopes;
        assert!(scopes.contains(Scope::TokensRead) && !scopes.contains(Scope::AdminOrgs));
        record.credentials[0].credential.scopes = Some("tokens:read admin:orgs".parse().expect("scopes"));
        assert_eq!(stands(&record).expect("active").scopes.to_string(), "tokens:read");
        record.organization.slug = Organization::SYSTEM_SLUG.into();
        assert_eq!(
            stands(&record).expect("active").scopes.to_string(),
            "tokens:read admin:orgs"
        );
    }

    #[test]
    fn the_standing_is_told_only_to_a_client_that_proved_its_secret() {
        let mut record = active_record();
        record.agent.status = AgentStatus::Suspended;
        let code =
            |secret| stand(Some(&record), &presented(&record, secret), &secrets(), NOW).map_err(|error| error.code);
        assert_eq!(code(SECRET), Err(OAuthErrorCode::UnauthorizedClient));
        assert_eq!(code("wrong"), Err(OAuthErrorCode::InvalidClient));
    }
}

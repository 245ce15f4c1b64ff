//! The whole pipeline from a request to a grant.

use domain::{Scope, Secret};
use proptest::prelude::*;

use super::*;
use crate::oauth::client_authentication::{ClientAuthMethod, PresentedClient};
use crate::test_support::{AGENT, CREDENTIAL, NOW, ORGANIZATION, SECRET, record, secrets};

fn request(scope: Option<&str>) -> TokenRequest {
    TokenRequest {
        client: PresentedClient {
            client_id: AGENT,
            secret: Secret::new(SECRET),
            method: ClientAuthMethod::ClientSecretBasic,
        },
        grant: GrantRequest::ClientCredentials,
        scope: scope.map(|text| text.parse().expect("known scopes")),
        resources: vec![],
        nonce: None,
    }
}

fn granted(record: &ClientRecord, scope: Option<&str>) -> Result<String, OAuthErrorCode> {
    decide(&request(scope), Some(record), &secrets(), NOW)
        .map(|grant| grant.scope.to_string())
        .map_err(|error| error.code)
}

#[test]
fn a_grant_takes_its_settings_from_the_organization() {
    let mut record = record();
    record.organization.token_ttl_seconds = 120;
    record.organization.signing_algorithm = SigningAlgorithm::Es256;
    let mut request = request(None);
    request.resources = vec!["urn:x".into()];
    request.nonce = Some("n".into());
    let grant = decide(&request, Some(&record), &secrets(), NOW).expect("granted");
    let expected = Grant {
        organization: ORGANIZATION,
        agent: AGENT,
        credential: CREDENTIAL,
        scope: ScopeSet::EMPTY.with(Scope::AgentsRead),
        audience: vec!["urn:x".into()],
        lifetime: Duration::from_secs(120),
        algorithm: SigningAlgorithm::Es256,
        family: None,
        nonce: Some("n".into()),
    };
    assert_eq!(grant, expected);
}

#[test]
fn no_token_outlives_the_memory_of_revocations() {
    let mut record = record();
    record.organization.token_ttl_seconds = u32::MAX;
    let grant = decide(&request(None), Some(&record), &secrets(), NOW).expect("granted");
    assert_eq!(grant.lifetime, Organization::TOKEN_TTL_MAX);
}

#[test]
fn an_agent_gets_what_it_asks_for_except_the_operators_scope() {
    let record = record();
    assert_eq!(granted(&record, None), Ok("agents:read".into()));
    let all_but_one = "agents:read agents:write tokens:read audit:read webhooks:read webhooks:write openid";
    assert_eq!(granted(&record, Some(all_but_one)), Ok(all_but_one.into()));
    assert_eq!(granted(&record, Some("admin:orgs")), Err(OAuthErrorCode::InvalidScope));
}

#[test]
fn a_token_without_any_scope_is_not_granted() {
    assert_eq!(granted(&record(), Some("")), Err(OAuthErrorCode::InvalidScope));
}

#[test]
fn the_operators_scope_must_be_named_and_belongs_to_the_system_organization_alone() {
    let mut system = record();
    system.organization.slug = Organization::SYSTEM_SLUG.into();
    assert_eq!(granted(&system, Some("admin:orgs")), Err(OAuthErrorCode::InvalidScope));
    system.credentials[0].credential.scopes = Some(ScopeSet::all());
    assert_eq!(granted(&system, Some("admin:orgs")), Ok("admin:orgs".into()));

    let mut narrowed_elsewhere = record();
    narrowed_elsewhere.credentials[0].credential.scopes = Some(ScopeSet::all());
    assert_eq!(
        granted(&narrowed_elsewhere, Some("admin:orgs")),
        Err(OAuthErrorCode::InvalidScope)
    );
}

#[test]
fn a_narrowed_credential_gives_no_more_than_it_has() {
    let mut record = record();
    record.credentials[0].credential.scopes = Some("tokens:read openid".parse().expect("known scopes"));
    assert_eq!(granted(&record, Some("tokens:read")), Ok("tokens:read".into()));
    assert_eq!(
        granted(&record, Some("tokens:read agents:read")),
        Err(OAuthErrorCode::InvalidScope)
    );
    assert_eq!(granted(&record, None), Err(OAuthErrorCode::InvalidScope));
    record.credentials[0].credential.scopes = Some(ScopeSet::EMPTY);
    assert_eq!(granted(&record, None), Err(OAuthErrorCode::InvalidScope));
}

#[test]
fn suspended_and_gone_clients_are_told_so_but_only_with_the_right_secret() {
    let mut agent_suspended = record();
    agent_suspended.agent.status = AgentStatus::Suspended;
    let mut agent_gone = record();
    agent_gone.agent.status = AgentStatus::Decommissioned;
    let mut organization_suspended = record();
    organization_suspended.organization.status = OrganizationStatus::Suspended;
    let mut organization_gone = record();
    organization_gone.organization.status = OrganizationStatus::Deleted;
    for record in [agent_suspended, agent_gone, organization_suspended, organization_gone] {
        let error = decide(&request(None), Some(&record), &secrets(), NOW).expect_err("not in good standing");
        assert_eq!((error.code, error.status()), (OAuthErrorCode::UnauthorizedClient, 403));
        let mut guess = request(None);
        guess.client.secret = Secret::new("sk_live_guess");
        let error = decide(&guess, Some(&record), &secrets(), NOW).expect_err("wrong secret");
        assert_eq!(error.code, OAuthErrorCode::InvalidClient);
    }
}

#[test]
fn an_unknown_client_is_invalid_client() {
    let error = decide(&request(None), None, &secrets(), NOW).expect_err("unknown");
    assert_eq!(error.code, OAuthErrorCode::InvalidClient);
}

fn any_scopes() -> impl Strategy<Value = ScopeSet> {
    proptest::sample::subsequence(Scope::ALL, 0..=Scope::ALL.len()).prop_map(|scopes| scopes.into_iter().collect())
}

proptest! {
    #[test]
    fn nobody_gets_more_than_was_asked_and_allowed(
        asked in proptest::option::of(any_scopes()),
        narrowed in proptest::option::of(any_scopes()),
        slug in prop_oneof![Just(Organization::SYSTEM_SLUG.to_owned()), "[a-z]{1,8}", Just("System".to_owned())],
    ) {
        let mut record = record();
        record.organization.slug = slug;
        record.credentials[0].credential.scopes = narrowed;
        let request = TokenRequest { scope: asked, ..request(None) };
        if let Ok(grant) = decide(&request, Some(&record), &secrets(), NOW) {
            let wanted = asked.unwrap_or("agents:read".parse().expect("known"));
            prop_assert_eq!(grant.scope, wanted);
            prop_assert!(narrowed.is_none_or(|narrowed| grant.scope.is_subset_of(narrowed)));
            let is_system = record.organization.slug == Organization::SYSTEM_SLUG;
            prop_assert!(is_system || !grant.scope.contains(Scope::AdminOrgs));
        }
    }

    #[test]
    fn who_asks_for_too_much_is_told_what_it_may_have_and_not_what_it_asked(asked in any_scopes(), narrowed in any_scopes()) {
        let mut record = record();
        record.credentials[0].credential.scopes = Some(narrowed);
        let refusal = |scope| {
            let request = TokenRequest { scope: Some(scope), ..request(None) };
            decide(&request, Some(&record), &secrets(), NOW).err()
        };
        if let Some(error) = refusal(asked) {
            prop_assert_eq!(Some(error), refusal(ScopeSet::all()));
        }
    }
}

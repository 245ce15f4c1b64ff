//! Tests of what an organization decides, and the clients that other tests use too.

use domain::{
    AgentType, Credential, CredentialStatus, DeploymentEnv, NewAgent, Organization, OrganizationId, Secret,
    StoredCredential,
};
use protocol::oauth::GrantRequest;
use uuid::Uuid;

use super::*;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_500);
pub(crate) const SECRET: &str = "sk_live_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) fn secrets() -> ClientSecrets {
    ClientSecrets::new(&[7; 32])
}

/// An active agent of an active organization, without credentials.
pub(crate) fn client_record(organization: OrganizationId, now: Timestamp) -> ClientRecord {
    let new = NewAgent {
        email: "monitor@agents.example".parse().expect("a valid address"),
        agent_type: AgentType::Monitor,
        version: "1.0.0".into(),
        capabilities: vec![],
        owner: "team".into(),
        deployment_env: DeploymentEnv::Staging,
        is_public: false,
    };
    ClientRecord {
        organization: Organization::new(organization, "Acme", "acme", now),
        agent: new.register(AgentId(Uuid::from_u128(0xa1)), organization, now),
        credentials: vec![],
    }
}

/// The same, with a credential that [`SECRET`] opens.
pub(crate) fn active_record() -> ClientRecord {
    let mut record = client_record(OrganizationId(Uuid::from_u128(0xb1)), NOW);
    record.credentials.push(StoredCredential {
        credential: Credential {
            credential_id: CredentialId(Uuid::from_u128(0xc1)),
            organization_id: record.organization.organization_id,
            agent_id: record.agent.agent_id,
            status: CredentialStatus::Active,
            scopes: None,
            created_at: NOW,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        },
        digest: secrets().digest(&Secret::new(SECRET)),
        previous: None,
    });
    record
}

pub(crate) fn presented(record: &ClientRecord, secret: &str) -> PresentedClient {
    PresentedClient {
        client_id: record.agent.agent_id,
        secret: Secret::new(secret),
        method: ClientAuthMethod::ClientSecretBasic,
    }
}

fn request(record: &ClientRecord, secret: &str, scope: &str) -> TokenRequest {
    TokenRequest {
        client: presented(record, secret),
        grant: GrantRequest::ClientCredentials,
        scope: Some(scope.parse().expect("scopes")),
        resources: vec![],
        nonce: None,
    }
}

fn state() -> TenantState {
    let settings = TenantSettings {
        failures_recorded_per_minute: 2,
        ..TenantSettings::default()
    };
    TenantState::new(Arc::new(secrets()), settings)
}

fn after(seconds: u64) -> Now {
    Now {
        wall: NOW.plus(Duration::from_secs(seconds)),
        monotonic: Duration::from_secs(seconds),
    }
}

#[test]
fn a_grant_is_given_and_its_credentials_use_is_noted() {
    let (mut state, record) = (state(), active_record());
    let decision = state.on_authorize(after(1), &request(&record, SECRET, "agents:read"), Some(&record));
    let grant = decision.answer.expect("granted");
    assert_eq!((grant.agent, decision.failure), (record.agent.agent_id, None));
    assert_eq!(state.on_tick(after(45)).1, []);
    assert_eq!(state.on_tick(after(46)).1, [(grant.credential, after(1).wall)]);
}

#[test]
fn wrong_secrets_are_recorded_up_to_the_bound_and_then_summed_up() {
    let (mut state, record) = (state(), active_record());
    let mut fail = |second| {
        let decision = state.on_authorize(after(second), &request(&record, "wrong", "agents:read"), Some(&record));
        let failure = decision.failure.expect("a failure");
        assert_eq!(failure.reason, "invalid_client");
        failure.notice.is_some()
    };
    assert_eq!([fail(1), fail(2), fail(3), fail(4)], [true, true, false, false]);
    let (summaries, used) = state.on_tick(after(61));
    assert_eq!(
        (summaries[0].client, summaries[0].count, used),
        (Some(record.agent.agent_id), 2, vec![])
    );
}

#[test]
fn an_unknown_client_is_counted_but_not_recorded_since_nobodys_log_is_concerned() {
    let (mut state, record) = (state(), active_record());
    let decision = state.on_authorize(after(1), &request(&record, SECRET, "agents:read"), None);
    let expected = Failure {
        reason: UNKNOWN_CLIENT,
        notice: None,
    };
    assert_eq!(decision.failure, Some(expected));
    assert_eq!(
        decision.answer.expect_err("unknown").code,
        OAuthErrorCode::InvalidClient
    );
}

#[test]
fn asking_for_too_much_is_a_mistake_and_no_failed_authentication() {
    let (mut state, record) = (state(), active_record());
    let decision = state.on_authorize(after(1), &request(&record, SECRET, "admin:orgs"), Some(&record));
    assert_eq!(decision.failure, None);
    assert_eq!(
        decision.answer.expect_err("too much").code,
        OAuthErrorCode::InvalidScope
    );
}

#[test]
fn a_suspended_agent_that_proves_its_secret_is_recorded_too() {
    let (mut state, mut record) = (state(), active_record());
    record.agent.status = domain::AgentStatus::Suspended;
    let decision = state.on_authenticate(after(1), &presented(&record, SECRET), Some(&record));
    let notice = decision.failure.and_then(|failure| failure.notice).expect("recorded");
    assert_eq!(
        (notice.reason, notice.client),
        ("unauthorized_client", record.agent.agent_id)
    );
}

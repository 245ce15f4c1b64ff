//! What callers may hand on, case by case.

use domain::{CredentialId, CredentialStatus, OrganizationId, Origin};
use uuid::Uuid;

use super::*;

fn set(text: &str) -> ScopeSet {
    text.parse().expect("scopes")
}

fn caller(token: &str) -> Caller {
    Caller {
        organization: OrganizationId(Uuid::nil()),
        agent: AgentId(Uuid::nil()),
        credential: CredentialId(Uuid::nil()),
        token: None,
        scopes: set(token),
        origin: Origin::default(),
    }
}

fn own(scopes: Option<&str>, expires_at: Option<i64>) -> Credential {
    Credential {
        credential_id: CredentialId(Uuid::nil()),
        organization_id: OrganizationId(Uuid::nil()),
        agent_id: AgentId(Uuid::nil()),
        status: CredentialStatus::Active,
        scopes: scopes.map(set),
        created_at: Timestamp::EPOCH,
        expires_at: expires_at.map(Timestamp::from_millis),
        revoked_at: None,
        last_used_at: None,
    }
}

/// The scopes of a new credential, or what stands against it.
fn made(token: &str, credential: Option<&str>, asked: Option<&str>) -> Result<Option<ScopeSet>, String> {
    let made = Bounds::from(&caller(token), &own(credential, None)).scopes_of_new(asked.map(set));
    made.map_err(|error| match error {
        TenantError::InsufficientScope(needed) => needed.to_string(),
        TenantError::Forbidden(Forbidden::WiderThanOwn) => "wider".to_owned(),
        other => panic!("{other}"),
    })
}

#[test]
fn a_new_credential_allows_no_more_than_the_token_that_it_was_made_with() {
    let both = "agents:read agents:write";
    assert_eq!(made("agents:write", None, None), Ok(Some(set("agents:write"))));
    assert_eq!(made(both, None, Some("agents:read")), Ok(Some(set("agents:read"))));
    assert_eq!(
        made("agents:write", None, Some("audit:read")),
        Err("agents:write audit:read".to_owned()),
        "with what is to be asked for"
    );
    assert_eq!(
        made("agents:write", Some(both), Some("audit:read")),
        Err("wider".to_owned())
    );
    assert_eq!(
        made(both, Some("agents:write"), None),
        Ok(Some(set("agents:write"))),
        "nor than the credential"
    );
    let all = ScopeSet::unnarrowed().to_string();
    assert_eq!(made(&all, None, None), Ok(None), "what is whole stays whole");
}

#[test]
fn admin_orgs_comes_only_from_a_token_that_holds_it() {
    let all = ScopeSet::all().to_string();
    assert_eq!(
        made("agents:write", Some(&all), Some("admin:orgs")),
        Err("agents:write admin:orgs".to_owned())
    );
    assert_eq!(made("agents:write", None, Some("admin:orgs")), Err("wider".to_owned()));
    let admin = "agents:write admin:orgs";
    assert_eq!(made(admin, Some(&all), Some("admin:orgs")), Ok(Some(set("admin:orgs"))));
    assert_eq!(made(admin, Some(&all), None), Ok(None));
}

#[test]
fn a_secret_is_replaced_only_of_what_the_callers_credential_allows() {
    let check = |token: &str, credential: Option<&str>, target: Option<&str>| {
        Bounds::from(&caller(token), &own(credential, None)).check_rotation(target.map(set))
    };
    let all = ScopeSet::all().to_string();
    assert!(check("agents:write", None, None).is_ok());
    assert!(check("agents:write", Some("agents:write"), Some("agents:write")).is_ok());
    assert!(matches!(
        check("agents:write", Some("agents:write"), None),
        Err(TenantError::Forbidden(Forbidden::WiderThanOwn))
    ));
    let Err(TenantError::InsufficientScope(needed)) = check("agents:write", Some(&all), Some(&all)) else {
        panic!("an administrator's credential needs a token with admin:orgs");
    };
    assert_eq!(needed, set("agents:write admin:orgs"));
    assert!(check("agents:write admin:orgs", Some(&all), Some(&all)).is_ok());
}

#[test]
fn nothing_outlives_the_credential_that_it_was_made_with() {
    let expiry = |token: &str, own_expiry, asked: Option<i64>, before: Option<i64>| {
        let [asked, before] = [asked, before].map(|at| at.map(Timestamp::from_millis));
        let expiry = Bounds::from(&caller(token), &own(None, own_expiry)).expiry(asked, before);
        expiry.map(|at| at.map(Timestamp::as_millis)).map_err(|error| {
            assert!(matches!(error, TenantError::Forbidden(Forbidden::OutlivesOwn)));
        })
    };
    let plain = "agents:write";
    assert_eq!(expiry(plain, None, None, None), Ok(None));
    assert_eq!(expiry(plain, None, Some(5), None), Ok(Some(5)));
    assert_eq!(expiry(plain, Some(9), None, None), Ok(Some(9)), "inherited");
    assert_eq!(expiry(plain, Some(9), None, Some(5)), Ok(Some(5)));
    assert_eq!(expiry(plain, Some(9), None, Some(15)), Ok(Some(9)));
    assert_eq!(expiry(plain, Some(9), Some(9), None), Ok(Some(9)));
    assert_eq!(expiry(plain, Some(9), Some(10), None), Err(()));
    assert_eq!(expiry("admin:orgs", Some(9), Some(10), None), Ok(Some(10)));
    assert_eq!(expiry("admin:orgs", Some(9), None, None), Ok(None));
}

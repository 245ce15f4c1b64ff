//! What a client presents, and whether it is true.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::CredentialStatus;

use super::*;
use crate::oauth::error::OAuthErrorCode;
use crate::test_support::{AGENT, CREDENTIAL, NOW, SECRET, credential, record, secrets};

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn presented(authorization: Option<&str>, body: &str) -> Result<PresentedClient, OAuthError> {
    presented_client(
        authorization,
        &Form::parse(body.as_bytes()).expect("a well-formed form"),
    )
}

fn client(id: AgentId, secret: &str) -> PresentedClient {
    PresentedClient {
        client_id: id,
        secret: Secret::new(secret),
        method: ClientAuthMethod::ClientSecretPost,
    }
}

#[test]
fn header_and_body_present_the_same_client() {
    let header = presented(Some(&basic(&AGENT.to_string(), SECRET)), "").expect("in the header");
    let body = presented(None, &format!("client_id={AGENT}&client_secret={SECRET}")).expect("in the body");
    for (client, method) in [
        (header, ClientAuthMethod::ClientSecretBasic),
        (body, ClientAuthMethod::ClientSecretPost),
    ] {
        assert_eq!((client.client_id, client.method), (AGENT, method));
        assert_eq!(client.secret.expose(), SECRET);
    }
}

#[test]
fn the_header_with_the_same_client_id_in_the_body_is_one_method() {
    let header = basic(&AGENT.to_string(), SECRET);
    assert!(presented(Some(&header), &format!("client_id={AGENT}")).is_ok());
}

#[test]
fn two_methods_or_two_clients_are_invalid_request() {
    let header = basic(&AGENT.to_string(), SECRET);
    for body in [format!("client_secret={SECRET}"), "client_id=other".to_owned()] {
        let error = presented(Some(&header), &body).err().expect("ambiguous");
        assert_eq!(error.code, OAuthErrorCode::InvalidRequest);
    }
}

#[test]
fn no_or_half_an_authentication_is_invalid_client() {
    for body in ["", "client_id=x", "client_secret=x", "client_id=&client_secret=x"] {
        let error = presented(None, body).err().expect("nothing presented");
        assert_eq!(error.code, OAuthErrorCode::InvalidClient);
    }
}

#[test]
fn an_id_that_is_no_hyphenated_uuid_is_nobody() {
    let simple = AGENT.to_string().replace('-', "");
    for id in ["x", &simple, "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", "{0192f0c1}"] {
        let client = presented(None, &format!("client_id={id}&client_secret=s")).expect("presented");
        assert_eq!(client.client_id, PresentedClient::NOBODY, "{id}");
    }
}

#[test]
fn the_right_secret_opens_the_credential_that_it_belongs_to() {
    let other = CredentialId(uuid::Uuid::from_u128(9));
    let mut record = record();
    record.credentials.insert(0, credential(other, "sk_live_other"));
    let opened = |secret| authenticate(Some(&record), &client(AGENT, secret), &secrets(), NOW);
    assert_eq!(opened(SECRET), Ok(CREDENTIAL));
    assert_eq!(opened("sk_live_other"), Ok(other));
}

#[test]
fn unknown_client_wrong_secret_expired_and_revoked_are_one_answer() {
    let known = record();
    let mut expired = record();
    expired.credentials[0].credential.expires_at = Some(NOW);
    let mut revoked = record();
    revoked.credentials[0].credential.status = CredentialStatus::Revoked;
    let mut without = record();
    without.credentials.clear();

    let answer = authenticate(None, &client(AGENT, SECRET), &secrets(), NOW).expect_err("unknown client");
    assert_eq!((answer.code, answer.status()), (OAuthErrorCode::InvalidClient, 401));
    for (record, secret) in [
        (&known, "sk_live_wrong"),
        (&known, ""),
        (&expired, SECRET),
        (&revoked, SECRET),
        (&without, SECRET),
    ] {
        let refused = authenticate(Some(record), &client(AGENT, secret), &secrets(), NOW);
        assert_eq!(refused, Err(answer.clone()));
    }
}

#[test]
fn the_record_of_another_client_opens_nothing() {
    let mut nobodys = record();
    nobodys.agent.agent_id = PresentedClient::NOBODY;
    let stranger = AgentId(uuid::Uuid::from_u128(5));
    assert!(authenticate(Some(&record()), &client(stranger, SECRET), &secrets(), NOW).is_err());
    assert!(
        authenticate(
            Some(&nobodys),
            &client(PresentedClient::NOBODY, SECRET),
            &secrets(),
            NOW
        )
        .is_err()
    );
}

//! What a token request may look like.

use domain::Scope;
use proptest::prelude::*;

use super::*;
use crate::test_support::{AGENT, SECRET};

fn parse(rest: &str) -> Result<TokenRequest, OAuthError> {
    let body = format!("grant_type=client_credentials&client_id={AGENT}&client_secret={SECRET}&{rest}");
    TokenRequest::parse(body.as_bytes(), None)
}

fn code(rest: &str) -> &'static str {
    parse(rest).err().expect("must be refused").code.as_str()
}

#[test]
fn a_full_request_is_taken_apart() {
    let request = parse("scope=openid+agents:read&resource=urn:x&nonce=n%201&unknown=ignored").expect("well-formed");
    assert_eq!(request.grant, GrantRequest::ClientCredentials);
    assert_eq!(request.client.client_id, AGENT);
    assert_eq!(
        request.scope,
        Some([Scope::OpenId, Scope::AgentsRead].into_iter().collect())
    );
    assert_eq!(
        (request.resources.as_slice(), request.nonce.as_deref()),
        (&["urn:x".to_owned()][..], Some("n 1"))
    );
}

#[test]
fn what_is_left_out_or_empty_is_left_to_the_server() {
    let request = parse("scope=&nonce=").expect("well-formed");
    assert_eq!((request.scope, request.nonce), (None, None));
    assert!(request.resources.is_empty());
}

#[test]
fn the_grant_type_is_required_and_must_be_known() {
    let refused = |body: &str| {
        TokenRequest::parse(body.as_bytes(), None)
            .err()
            .expect("refused")
            .code
            .as_str()
    };
    assert_eq!(refused(""), "invalid_request");
    assert_eq!(refused("grant_type="), "invalid_request");
    assert_eq!(refused("grant_type=password"), "unsupported_grant_type");
    assert_eq!(refused("grant_type=client_credentials"), "invalid_client");
    assert_eq!(code("grant_type=client_credentials"), "invalid_request");
}

#[test]
fn unknown_empty_and_very_many_scopes_are_refused() {
    assert_eq!(code("scope=agents:delete"), "invalid_scope");
    assert_eq!(code("scope=agents:read%0Aagents:write"), "invalid_scope");
    assert_eq!(code("scope=+"), "invalid_scope");
    assert!(parse(&format!("scope={}", "openid+".repeat(TokenRequest::SCOPE_NAMES_MAX))).is_ok());
    assert_eq!(
        code(&format!(
            "scope={}",
            "openid+".repeat(TokenRequest::SCOPE_NAMES_MAX + 1)
        )),
        "invalid_scope"
    );
    assert_eq!(code(&format!("scope={}", "a+".repeat(4_000))), "invalid_scope");
    assert_eq!(code(&format!("scope={}", "openid+".repeat(10_000))), "invalid_request");
}

#[test]
fn a_nonce_has_a_longest_length() {
    assert!(parse(&format!("nonce={}", "n".repeat(TokenRequest::NONCE_BYTES_MAX))).is_ok());
    assert_eq!(
        code(&format!("nonce={}", "n".repeat(TokenRequest::NONCE_BYTES_MAX + 1))),
        "invalid_request"
    );
}

#[test]
fn no_error_repeats_what_was_sent() {
    let probe = "zq9zq";
    for rest in [
        format!("scope={probe}"),
        format!("resource={probe}"),
        format!("nonce={}", probe.repeat(200)),
        format!("{probe}=1&{probe}=2"),
        format!("client_id={probe}"),
        format!("x={probe}%zz"),
    ] {
        let error = parse(&rest).err().expect("must be refused");
        assert!(!error.to_json().contains(probe), "{}", error.to_json());
    }
}

proptest! {
    #[test]
    fn any_bytes_and_any_header_are_read_or_refused(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        authorization in proptest::option::of(".{0,60}"),
    ) {
        let _ = TokenRequest::parse(&body, authorization.as_deref());
    }

    #[test]
    fn an_unknown_scope_is_not_repeated_however_it_is_called(scope in "[a-z]{1,12}(:[a-z]{1,12})?( [a-z:]{1,12}){0,3}") {
        let errors = [&scope, "no:such"].map(|scope| parse(&format!("scope={}", scope.replace(' ', "+"))).err());
        let is_known = scope.parse::<ScopeSet>().is_ok();
        prop_assert!(if is_known { errors[0].is_none() } else { errors[0] == errors[1] }, "{:?}", errors);
    }

    #[test]
    fn any_parameters_are_read_or_refused_with_a_clean_description(scope in ".{0,40}", resource in ".{0,40}") {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        if let Err(error) = parse(&format!("scope={}&resource={}", encode(&scope), encode(&resource))) {
            prop_assert!(error.description.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'));
        }
    }
}

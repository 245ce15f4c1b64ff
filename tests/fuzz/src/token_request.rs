//! The token endpoint's request, and the introspection and revocation endpoints': body and `Authorization` header.
//!
//! Promises: nothing panics; a request is read as a second reader reads it; no answer depends on what a secret says;
//! an error is printable ASCII and repeats nothing that was sent; who doesn't know the secret gets nothing, and who does gets no more than was asked for
//! and allowed.

use std::sync::LazyLock;

use domain::{AgentStatus, ClientRecord, Scope, ScopeSet};
use protocol::ClientSecrets;
use protocol::oauth::{ClientAuthMethod, OAuthError, PresentedClient, QueryCaller, TokenQuery, TokenRequest, decide};

use crate::input::Input;
use crate::known_client::{AGENT, NOW, SECRET, record, secrets};
use crate::lenient;

static SECRETS: LazyLock<ClientSecrets> = LazyLock::new(secrets);
static ACTIVE: LazyLock<ClientRecord> = LazyLock::new(|| record(None, AgentStatus::Active));
static NARROWED: LazyLock<ClientRecord> = LazyLock::new(|| record(Some(narrow()), AgentStatus::Active));
static SUSPENDED: LazyLock<ClientRecord> = LazyLock::new(|| record(None, AgentStatus::Suspended));
static TOO_MANY: LazyLock<OAuthError> = LazyLock::new(|| {
    let resources: String = (1..10).map(|number| format!("&resource=urn:x:{number}")).collect();
    let body = format!("grant_type=client_credentials&client_id={AGENT}&client_secret=x{resources}");
    let refused = TokenRequest::parse(body.as_bytes(), None).err();
    refused.expect("nine resources are more than one token may name")
});

fn narrow() -> ScopeSet {
    ScopeSet::EMPTY.with(Scope::AgentsRead).with(Scope::AdminOrgs)
}

/// Checks one input; panics if a promise is broken.
pub fn check(data: &[u8]) {
    let input = Input::read(data);
    match (parse(&input), parse(&input.masked())) {
        (Ok(request), Ok(masked)) => {
            assert_eq!(
                without_secret(&request),
                without_secret(&masked),
                "a secret leaks into what is read"
            );
            check_reading(&input, &request);
            check_round_trip(&request);
            check_decision(&request);
        }
        (Err(error), Err(masked)) => {
            assert_eq!(error, masked, "a secret leaks into an error");
            check_error(&error);
            check_repeats_nothing(&input, &error);
        }
        (one, other) => panic!("a secret decides on the syntax: {} and {}", one.is_ok(), other.is_ok()),
    }
    check_query(&input);
}

fn parse(input: &Input) -> Result<TokenRequest, OAuthError> {
    TokenRequest::parse(&input.body, input.authorization.as_deref())
}

type WithoutSecret<'a> = (
    domain::AgentId,
    ClientAuthMethod,
    Option<ScopeSet>,
    &'a [String],
    Option<&'a str>,
);

fn without_secret(request: &TokenRequest) -> WithoutSecret<'_> {
    let client = &request.client;
    (
        client.client_id,
        client.method,
        request.scope,
        &request.resources,
        request.nonce.as_deref(),
    )
}

fn check_error(error: &OAuthError) {
    const CODES: [&str; 5] = [
        "invalid_request",
        "invalid_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
    ];
    assert!(CODES.contains(&error.code.as_str()), "unexpected {error}");
    assert!(matches!(error.status(), 400 | 401), "{error}");
    assert_eq!(error.www_authenticate().is_some(), error.status() == 401, "{error}");
    let allowed = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    assert!(error.description.bytes().all(allowed), "{error}");
    let json: serde_json::Value = serde_json::from_str(&error.to_json()).expect("an error is JSON");
    assert_eq!(json["error"], error.code.as_str());
}

/// An error tells what was expected, and not what was sent: for other values that are as wrong it is the same.
fn check_repeats_nothing(input: &Input, error: &OAuthError) {
    let refused = |input: &Input| parse(input).err();
    let same_for = |name: &str, wrong: &str| {
        assert_eq!(
            refused(&input.with(name, wrong)).as_ref(),
            Some(error),
            "{name} leaks into an error"
        );
    };
    match error.code.as_str() {
        "invalid_scope" => same_for("scope", "no:such"),
        "unsupported_grant_type" => same_for("grant_type", "no_such"),
        "invalid_target" if *error != *TOO_MANY => same_for("resource", "relative"),
        // A nonce can only be too long, whatever it says.
        _ => assert_eq!(
            refused(&input.masked_in(&["nonce"])).as_ref(),
            Some(error),
            "a nonce leaks into an error"
        ),
    }
}

/// What was read is what a second reader reads.
fn check_reading(input: &Input, request: &TokenRequest) {
    let one = |name| -> Option<String> {
        let mut found = lenient::values(&input.body, name);
        assert!(found.len() < 2, "{name} was accepted twice");
        found.pop()
    };
    assert_eq!(one("grant_type").as_deref(), Some("client_credentials"));
    let (id, secret) = match input.authorization.as_deref() {
        Some(header) => {
            assert!(request.client.method == ClientAuthMethod::ClientSecretBasic && one("client_secret").is_none());
            lenient::basic(header).expect("an accepted header is readable")
        }
        None => {
            assert!(request.client.method == ClientAuthMethod::ClientSecretPost);
            (
                one("client_id").expect("accepted"),
                one("client_secret").expect("accepted"),
            )
        }
    };
    assert_eq!(request.client.secret.expose(), secret);
    let known = request.client.client_id != PresentedClient::NOBODY;
    assert!(!known || id.eq_ignore_ascii_case(&request.client.client_id.to_string()));
    assert_eq!(request.nonce, one("nonce"));
    let asked = one("scope").map(|text| text.split(' ').filter_map(|name| name.parse::<Scope>().ok()).collect());
    assert_eq!(request.scope, asked);
    check_resources(&request.resources, &lenient::values(&input.body, "resource"));
}

fn check_resources(read: &[String], sent: &[String]) {
    assert!(read.len() <= 8);
    for resource in read {
        assert!(resource.is_ascii() && resource.len() <= 512 && !resource.contains(['#', ' ', '"']));
    }
    let mut distinct: Vec<&String> = Vec::new();
    sent.iter().for_each(|resource| {
        if !distinct.contains(&resource) {
            distinct.push(resource);
        }
    });
    assert!(read.iter().eq(distinct));
}

/// An accepted request, written anew with everything escaped, is the same request.
fn check_round_trip(request: &TokenRequest) {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let secret = escape(request.client.secret.expose());
    if secret.is_empty() {
        // An empty secret can be sent in the header only.
        return;
    }
    let mut body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={secret}",
        request.client.client_id
    );
    let mut add = |name: &str, value: &str| body.push_str(&format!("&{name}={}", escape(value)));
    if let Some(scope) = request.scope {
        add("scope", &scope.to_string());
    }
    if let Some(nonce) = &request.nonce {
        add("nonce", nonce);
    }
    request.resources.iter().for_each(|resource| add("resource", resource));
    let again = TokenRequest::parse(body.as_bytes(), None).expect("what was accepted is accepted again");
    assert!(again.client.secret == request.client.secret);
    let (_, _, scope, resources, nonce) = without_secret(request);
    let posted = (
        request.client.client_id,
        ClientAuthMethod::ClientSecretPost,
        scope,
        resources,
        nonce,
    );
    assert_eq!(without_secret(&again), posted);
}

fn check_decision(request: &TokenRequest) {
    let knows = request.client.client_id == AGENT && request.client.secret.expose() == SECRET;
    for (record, allowed) in [
        (&ACTIVE, all_but_admin()),
        (&NARROWED, narrow()),
        (&SUSPENDED, ScopeSet::EMPTY),
    ] {
        match decide(request, Some(record), &SECRETS, NOW) {
            Ok(grant) => {
                assert!(
                    knows && grant.agent == AGENT,
                    "granted to somebody who does not know the secret"
                );
                assert!(grant.scope.is_subset_of(allowed) && !grant.scope.contains(Scope::AdminOrgs));
                assert!(!grant.scope.is_empty() && request.scope.is_none_or(|asked| asked == grant.scope));
                assert_eq!(grant.audience, request.resources);
                assert_eq!(grant.nonce, request.nonce);
            }
            Err(error) => {
                assert_eq!(error.code.as_str() == "invalid_client", !knows, "{error}");
                check_tells_only_what_is_allowed(request, record, &error);
            }
        }
    }
    let unknown = decide(request, None, &SECRETS, NOW).expect_err("nobody is known");
    assert_eq!(unknown.code.as_str(), "invalid_client");
}

/// Whoever asks for too much is told what it may have, which does not depend on what it asked for.
fn check_tells_only_what_is_allowed(request: &TokenRequest, record: &ClientRecord, error: &OAuthError) {
    if error.code.as_str() == "invalid_scope" {
        let greedy = TokenRequest {
            scope: Some(ScopeSet::all()),
            ..request.clone()
        };
        let other = decide(&greedy, Some(record), &SECRETS, NOW).expect_err("nobody here may have everything");
        assert_eq!(&other, error, "what was asked leaks into an error");
    }
}

fn all_but_admin() -> ScopeSet {
    Scope::ALL
        .iter()
        .copied()
        .filter(|scope| *scope != Scope::AdminOrgs)
        .collect()
}

/// The same request, as a question about a token.
fn check_query(input: &Input) {
    let read = |input: &Input| TokenQuery::parse(&input.body, input.authorization.as_deref());
    match (read(input), read(&input.masked())) {
        (Ok(query), Ok(_)) => {
            assert_eq!(lenient::values(&input.body, "token"), [query.token.expose()]);
            let sent = input.authorization.as_deref().unwrap_or_default();
            if let QueryCaller::Bearer(token) = query.caller {
                assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()) && sent.contains(token.expose()));
            }
        }
        (Err(error), Err(masked)) => {
            assert_eq!(error, masked, "a secret leaks into an error");
            check_error(&error);
        }
        (one, other) => panic!("a secret decides on the syntax: {} and {}", one.is_ok(), other.is_ok()),
    }
}

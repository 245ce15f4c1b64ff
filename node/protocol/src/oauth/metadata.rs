//! What the provider says of itself (RFC 8414 §2, OpenID Connect Discovery §3): only what works.

use domain::{Scope, SigningAlgorithm};
use serde::Serialize;

use super::client_authentication::ClientAuthMethod;
use super::token_request::GrantRequest;

/// Where things are, below the issuer.
pub mod paths {
    /// RFC 6749 §3.2.
    pub const TOKEN: &str = "/oauth2/token";
    /// RFC 7662 §2.
    pub const INTROSPECT: &str = "/oauth2/introspect";
    /// RFC 7009 §2.
    pub const REVOKE: &str = "/oauth2/revoke";
    /// RFC 7517 §5.
    pub const JWKS: &str = "/.well-known/jwks.json";
    /// OpenID Connect Core §5.3.
    pub const USERINFO: &str = "/agent-info";
    /// RFC 8414 §3.
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
    /// OpenID Connect Discovery §4.
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
}

/// RFC 8414 §2 and Discovery §3 require a list, RFC 8414 §3.2 forbids an empty one, and there is no authorization endpoint
/// to ask for a response type. Of what is left, `none` (OAuth 2.0 Multiple Response Types §4: nothing is handed out there)
/// is true and passes clients that validate; leaving the member out fails them. RFC 7591 §2.1 calls the response type of
/// `client_credentials` none, too. Without an `authorization_endpoint` it promises nothing.
const RESPONSE_TYPES: &[&str] = &["none"];

/// How introspection knows its caller who presents an access token: RFC 8414 §2 takes the names of access token types
/// here, and here only. Revocation understands bearer tokens as well, but its list may name methods of client
/// authentication and nothing else.
const BEARER: &str = "Bearer";

#[derive(Serialize)]
struct AuthorizationServer<'a> {
    issuer: &'a str,
    token_endpoint: String,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    jwks_uri: String,
    grant_types_supported: &'static [&'static str],
    scopes_supported: Vec<&'static str>,
    response_types_supported: &'static [&'static str],
}

#[derive(Serialize)]
struct OpenIdProvider<'a> {
    #[serde(flatten)]
    common: AuthorizationServer<'a>,
    userinfo_endpoint: String,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    claims_supported: [&'static str; 7],
    /// Left out, it would mean `true` (Discovery §3).
    request_uri_parameter_supported: bool,
}

/// The document at [`paths::AUTHORIZATION_SERVER`].
pub fn authorization_server(issuer: &str) -> String {
    serde_json::to_string(&common(issuer)).expect("a struct of strings always serializes")
}

/// The document at [`paths::OPENID_CONFIGURATION`].
pub fn openid_configuration(issuer: &str) -> String {
    let document = OpenIdProvider {
        common: common(issuer),
        userinfo_endpoint: below(issuer, paths::USERINFO),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: SigningAlgorithm::ALL.iter().map(|alg| alg.as_str()).collect(),
        claims_supported: ["iss", "sub", "aud", "iat", "exp", "nonce", "jti"],
        request_uri_parameter_supported: false,
    };
    serde_json::to_string(&document).expect("a struct of strings always serializes")
}

fn common(issuer: &str) -> AuthorizationServer<'_> {
    let auth_methods = || ClientAuthMethod::ALL.iter().map(|method| method.as_str());
    AuthorizationServer {
        issuer,
        token_endpoint: below(issuer, paths::TOKEN),
        token_endpoint_auth_methods_supported: auth_methods().collect(),
        introspection_endpoint: below(issuer, paths::INTROSPECT),
        introspection_endpoint_auth_methods_supported: auth_methods().chain([BEARER]).collect(),
        revocation_endpoint: below(issuer, paths::REVOKE),
        revocation_endpoint_auth_methods_supported: auth_methods().collect(),
        jwks_uri: below(issuer, paths::JWKS),
        grant_types_supported: GrantRequest::SUPPORTED,
        scopes_supported: Scope::ALL.iter().map(|scope| scope.as_str()).collect(),
        response_types_supported: RESPONSE_TYPES,
    }
}

fn below(issuer: &str, path: &str) -> String {
    format!("{}{path}", issuer.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    fn expected() -> Value {
        let methods = json!(["client_secret_basic", "client_secret_post"]);
        json!({
            "issuer": "https://id.example",
            "token_endpoint": "https://id.example/oauth2/token",
            "token_endpoint_auth_methods_supported": methods,
            "introspection_endpoint": "https://id.example/oauth2/introspect",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "Bearer"],
            "revocation_endpoint": "https://id.example/oauth2/revoke",
            "revocation_endpoint_auth_methods_supported": methods,
            "jwks_uri": "https://id.example/.well-known/jwks.json",
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": [
                "agents:read", "agents:write", "tokens:read", "audit:read",
                "webhooks:read", "webhooks:write", "admin:orgs", "openid",
            ],
            "response_types_supported": ["none"],
        })
    }

    #[test]
    fn the_authorization_server_document_is_this() {
        assert_eq!(parsed(&authorization_server("https://id.example")), expected());
    }

    #[test]
    fn the_openid_document_adds_what_openid_needs() {
        let mut document = expected();
        document["userinfo_endpoint"] = json!("https://id.example/agent-info");
        document["subject_types_supported"] = json!(["public"]);
        document["id_token_signing_alg_values_supported"] = json!(["EdDSA", "ES256", "RS256"]);
        document["claims_supported"] = json!(["iss", "sub", "aud", "iat", "exp", "nonce", "jti"]);
        document["request_uri_parameter_supported"] = json!(false);
        assert_eq!(parsed(&openid_configuration("https://id.example")), document);
    }

    #[test]
    fn no_list_is_empty() {
        for document in [
            authorization_server("https://id.example"),
            openid_configuration("https://id.example"),
        ] {
            let document = parsed(&document);
            let members = document.as_object().expect("an object");
            for (name, value) in members.iter().filter(|(_, value)| value.is_array()) {
                assert_ne!(value, &json!([]), "RFC 8414 §3.2: {name} must be left out");
            }
        }
    }

    #[test]
    fn the_issuer_stands_as_it_is_and_no_path_gets_two_slashes() {
        let document = parsed(&authorization_server("http://127.0.0.1:8080/idp/"));
        assert_eq!(document["issuer"], "http://127.0.0.1:8080/idp/");
        assert_eq!(document["token_endpoint"], "http://127.0.0.1:8080/idp/oauth2/token");
    }

    #[test]
    fn every_grant_that_is_announced_is_understood() {
        for grant in GrantRequest::SUPPORTED {
            let body = format!("client_id=x&client_secret=y&grant_type={grant}");
            assert!(crate::oauth::TokenRequest::parse(body.as_bytes(), None).is_ok());
        }
    }
}

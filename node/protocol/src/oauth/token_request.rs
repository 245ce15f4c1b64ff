//! A request to the token endpoint (RFC 6749 §3.2), taken apart but not yet judged.

use domain::ScopeSet;

use super::client_authentication::{PresentedClient, presented_client};
use super::error::{OAuthError, OAuthErrorCode};
use super::form::Form;
use super::resource;

/// What a grant needs besides what every request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantRequest {
    /// RFC 6749 §4.4: the client asks for itself.
    ClientCredentials,
}

impl GrantRequest {
    /// The `grant_type` values that are understood, for metadata documents.
    pub const SUPPORTED: &'static [&'static str] = &["client_credentials"];

    fn parse(form: &Form) -> Result<Self, OAuthError> {
        match form.get("grant_type") {
            Some("client_credentials") => Ok(Self::ClientCredentials),
            Some(_) => Err(OAuthError::new(
                OAuthErrorCode::UnsupportedGrantType,
                "Use a grant_type that the server's metadata lists: client_credentials.",
            )),
            None => Err(OAuthError::invalid_request("Send grant_type.")),
        }
    }
}

/// A token request.
#[derive(Clone)]
pub struct TokenRequest {
    /// Who asks.
    pub client: PresentedClient,
    /// On which ground.
    pub grant: GrantRequest,
    /// The scopes asked for; `None` if the request leaves it to the server (RFC 6749 §3.3).
    pub scope: Option<ScopeSet>,
    /// Where the token is to be used (RFC 8707); empty if not said.
    pub resources: Vec<String>,
    /// Returned in the ID token (OpenID Connect Core §2).
    pub nonce: Option<String>,
}

impl TokenRequest {
    /// The longest `nonce`, in bytes.
    pub const NONCE_BYTES_MAX: usize = 512;
    /// The most names in `scope`, repeated ones included.
    pub const SCOPE_NAMES_MAX: usize = 64;

    /// Reads the body of a token request and its `Authorization` header. Parameters that are not known are ignored
    /// (RFC 6749 §3.2).
    pub fn parse(body: &[u8], authorization: Option<&str>) -> Result<Self, OAuthError> {
        let form = Form::parse(body)?;
        Ok(Self {
            grant: GrantRequest::parse(&form)?,
            client: presented_client(authorization, &form)?,
            scope: form.get("scope").map(parse_scope).transpose()?,
            resources: resource::parse(&form)?,
            nonce: form.get("nonce").map(parse_nonce).transpose()?,
        })
    }
}

fn parse_scope(text: &str) -> Result<ScopeSet, OAuthError> {
    let names = text.split(' ').filter(|name| !name.is_empty()).count();
    let known: Option<ScopeSet> = (1..=TokenRequest::SCOPE_NAMES_MAX)
        .contains(&names)
        .then(|| text.parse().ok())
        .flatten();
    known.ok_or_else(|| {
        OAuthError::new(
            OAuthErrorCode::InvalidScope,
            format!("Ask for these scopes, separated by spaces: {}.", ScopeSet::all()),
        )
    })
}

fn parse_nonce(text: &str) -> Result<String, OAuthError> {
    if text.len() > TokenRequest::NONCE_BYTES_MAX {
        return Err(OAuthError::invalid_request("Send a nonce of at most 512 bytes."));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;

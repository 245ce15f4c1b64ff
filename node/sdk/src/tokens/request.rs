//! What is asked for when a token is asked for.

use crate::transport::Form;

/// A request for a token by `client_credentials` (RFC 6749 §4.4).
///
/// ```
/// let request = sdk::TokenRequest::new().scope("agents:read openid").resource("https://api.example");
/// # let _ = request;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest {
    scope: Option<String>,
    resources: Vec<String>,
    nonce: Option<String>,
}

impl TokenRequest {
    /// A request for a token with the server's default scope, for the issuer itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for scopes: names separated by spaces. An empty text asks for the server's default.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into()).filter(|scope| !scope.is_empty());
        self
    }

    /// Adds a resource server at which the token is to be used: an absolute URI (RFC 8707).
    #[must_use]
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.resources.push(uri.into());
        self
    }

    /// A value that comes back in the ID token (OpenID Connect Core §3.1.2.1); needs the scope `openid`.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    pub(crate) fn form(&self) -> Form {
        let form = Form::of("grant_type", "client_credentials")
            .with_some("scope", self.scope.as_deref())
            .with_some("nonce", self.nonce.as_deref());
        self.resources.iter().fold(form, |form, uri| form.with("resource", uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_that_was_not_asked_for() {
        assert_eq!(
            TokenRequest::new().scope("").form().as_str(),
            "grant_type=client_credentials"
        );
        let request = TokenRequest::new()
            .scope("a b")
            .resource("https://x.example/")
            .resource("urn:y")
            .nonce("n");
        assert_eq!(
            request.form().as_str(),
            "grant_type=client_credentials&scope=a+b&nonce=n&resource=https%3A%2F%2Fx.example%2F&resource=urn%3Ay"
        );
    }
}

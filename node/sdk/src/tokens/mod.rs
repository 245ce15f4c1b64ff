//! Tokens: issuing (RFC 6749 §4.4), introspection (RFC 7662) and revocation (RFC 7009).

mod introspection;
mod request;
mod response;

pub use introspection::{Audience, Introspection};
pub use request::TokenRequest;
pub use response::TokenResponse;

use crate::client::Client;
use crate::error::Error;
use crate::secret::Secret;
use crate::transport::{Call, Form};

/// Issues, introspects and revokes tokens. Here nothing is cached; see [`Client::access_token`] for tokens that are.
pub struct Tokens<'a> {
    client: &'a Client,
}

impl<'a> Tokens<'a> {
    pub(crate) fn of(client: &'a Client) -> Self {
        Self { client }
    }

    /// A new token for this client.
    pub async fn issue(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.client
            .send_as_client(Call::form("/oauth2/token", request.form()))
            .await?
            .json()
    }

    /// What the server knows of a token. One that is expired, revoked or unknown is not an error but not active. The
    /// client must be allowed `tokens:read`.
    pub async fn introspect(&self, token: &Secret) -> Result<Introspection, Error> {
        self.client
            .send_as_client(Call::form("/oauth2/introspect", token_form(token)))
            .await?
            .json()
    }

    /// Kills a token, and everything exchanged or delegated from it. It is dead on every reachable node when this
    /// returns; killing it again, or one that never lived, is fine. Tokens of other agents need `admin:orgs`.
    pub async fn revoke(&self, token: &Secret) -> Result<(), Error> {
        self.client
            .send_as_client(Call::form("/oauth2/revoke", token_form(token)))
            .await?
            .success()
            .map(drop)
    }
}

fn token_form(token: &Secret) -> Form {
    Form::of("token", token.expose()).with("token_type_hint", "access_token")
}

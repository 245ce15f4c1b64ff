//! `agentidp token`: prints a new token, and nothing else, so that a shell can catch it.

use clap::Args;
use sdk::{Secret, TokenRequest, TokenResponse};
use serde::Serialize;

use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// Which token is wanted.
#[derive(Args)]
pub struct Issue {
    /// A scope that the token is to hold; several may be given, or one text with spaces [default: the server's choice].
    #[arg(long, value_name = "SCOPE", value_parser = vocabulary::scopes)]
    scope: Vec<String>,
    /// A resource server at which the token is to be used: an absolute URI; several may be given.
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// A value that comes back in the ID token; needs --scope openid.
    #[arg(long)]
    nonce: Option<String>,
}

impl Run for Issue {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let issued = session.client.tokens().issue(&self.request()).await?;
        if session.out.is_json() {
            session.out.json(&Answer::of(&issued))?;
        } else {
            session.out.raw_line(issued.access_token.expose())?;
        }
        Ok(Exit::Done)
    }
}

impl Issue {
    fn request(self) -> TokenRequest {
        let request = TokenRequest::new().scope(self.scope.join(" "));
        let request = self.resource.into_iter().fold(request, TokenRequest::resource);
        match self.nonce {
            Some(nonce) => request.nonce(nonce),
            None => request,
        }
    }
}

/// The answer as it came, secrets included: they are what was asked for.
#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(issued: &'a TokenResponse) -> Self {
        Self {
            access_token: issued.access_token.expose(),
            token_type: &issued.token_type,
            expires_in: issued.expires_in,
            scope: issued.scope.as_deref(),
            id_token: issued.id_token.as_ref().map(Secret::expose),
        }
    }
}

//! `agentidp token revoke`: kills a token, and tells whether there was one to kill.

use std::time::Duration;

use sdk::{Client, Secret};
use serde_json::json;

use super::TokenInput;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::secret_source;
use crate::cli::client::session::Session;

/// How long killing waits to learn whether the token is alive.
const LOOK_MAX: Duration = Duration::from_secs(2);

/// Kills it. The server answers the same for one that was dead already or never lived (RFC 7009 §2.2), so it is looked at
/// first. It is killed whatever the look tells: whoever calls this may be in a hurry, and may not be allowed to look.
pub async fn run(input: TokenInput, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let token = secret_source::token(input.token_file.as_deref())?;
    let was_active = is_active(&session.client, &token).await;
    session.client.tokens().revoke(&token).await?;
    if session.out.is_json() {
        session.out.json(&json!({ "revoked": was_active }))?;
    } else {
        session.out.line(match was_active {
            Some(true) => "revoked: no node that can be reached accepts it any more",
            Some(false) => "not revoked: this is no live token of this issuer, so there was nothing to kill",
            None => {
                "done: the node will not accept it (whether it was alive is not known; to look, tokens:read is needed)"
            }
        })?;
    }
    Ok(match was_active {
        Some(false) => Exit::NotFound,
        Some(true) | None => Exit::Done,
    })
}

/// Nothing if it can't be learned, or not soon.
async fn is_active(client: &Client, token: &Secret) -> Option<bool> {
    let look = tokio::time::timeout(LOOK_MAX, client.tokens().introspect(token)).await;
    Some(look.ok()?.ok()?.active)
}

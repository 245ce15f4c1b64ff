//! `agentidp token revoke`: kills a token.

use serde_json::json;

use super::TokenInput;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::secret_source;
use crate::cli::client::session::Session;

/// Kills it. One that was dead already, or never lived, is killed as well.
pub async fn run(input: TokenInput, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let token = secret_source::token(input.token_file.as_deref())?;
    session.client.tokens().revoke(&token).await?;
    if session.out.is_json() {
        session.out.json(&json!({ "revoked": true }))?;
    } else {
        session
            .out
            .line("done: no node that can be reached accepts exactly this token (whether it was alive is not told)")?;
    }
    Ok(Exit::Done)
}

//! `agentidp credentials revoke`.

use serde_json::json;

use super::Target;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;

/// Ends a credential.
pub async fn run(target: &Target, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let agent = session.agent(target.owner.agent)?;
    session.client.credentials(agent).revoke(target.credential).await?;
    if session.out.is_json() {
        session
            .out
            .json(&json!({ "credentialId": target.credential, "status": "revoked" }))?;
    } else {
        session.out.line(&format!(
            "{} is revoked; tokens that were taken with it are dead",
            target.credential
        ))?;
    }
    Ok(Exit::Done)
}

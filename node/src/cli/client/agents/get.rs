//! `agentidp agents get`.

use super::Target;
use super::show::show;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;

/// Prints one agent.
pub async fn run(target: &Target, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let agent = session.client.agents().get(session.agent(target.agent)?).await?;
    show(&mut session.out, &agent)?;
    Ok(Exit::Done)
}

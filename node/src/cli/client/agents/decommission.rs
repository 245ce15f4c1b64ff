//! `agentidp agents decommission`.

use clap::Args;
use sdk::ETag;
use serde_json::json;

use super::Target;
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// Which agent is to end.
#[derive(Args)]
pub struct Decommission {
    #[command(flatten)]
    target: Target,
    /// End it only if it is still in this revision, as `agents get` prints it.
    #[arg(long, value_name = "REVISION", value_parser = vocabulary::revision)]
    if_match: Option<ETag>,
    /// Confirm that it is to end for ever.
    #[arg(long)]
    yes: bool,
}

impl Run for Decommission {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        if !self.yes {
            session.confirm("decommissioning can't be undone")?;
        }
        let agent = session.agent(self.target.agent)?;
        session
            .client
            .agents()
            .decommission(agent, self.if_match.as_ref())
            .await?;
        if session.out.is_json() {
            session
                .out
                .json(&json!({ "agentId": agent, "status": "decommissioned" }))?;
        } else {
            session.out.line(&format!(
                "{agent} is decommissioned; its credentials are revoked and its tokens dead"
            ))?;
        }
        Ok(Exit::Done)
    }
}

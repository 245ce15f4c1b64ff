//! `agentidp agents suspend`. Whoever might lock themselves out is asked first.

use std::time::Duration;

use clap::Args;
use sdk::{AgentFilter, AgentId, AgentStatus, Client, CredentialStatus, Error, Paging};

use super::{Target, update};
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;

/// The scope without which nobody manages the credentials of others.
const OPERATOR: &str = "admin:orgs";

/// How long suspending waits to learn whether it is dangerous.
const LOOK_TIME_MAX: Duration = Duration::from_secs(2);

/// How many agents are looked at for another one that has it.
const LOOK_AGENTS_MAX: u32 = 20;

/// Which agent is to pause.
#[derive(Args)]
pub struct Suspend {
    #[command(flatten)]
    target: Target,
    /// Confirm that it is to be suspended even if it is you, or the last agent that has admin:orgs.
    #[arg(long)]
    yes: bool,
}

impl Run for Suspend {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let agent = session.agent(self.target.agent)?;
        if !self.yes
            && let Some(danger) = danger(agent, session).await
        {
            session.confirm(danger)?;
        }
        update::move_to(AgentStatus::Suspended, agent, session).await
    }
}

/// Why somebody might be locked out. An agent is suspended whatever can't be learned: whoever calls this may be in a hurry,
/// and may not be allowed to look.
async fn danger(agent: AgentId, session: &Session<'_>) -> Option<&'static str> {
    if session.own_agent() == Some(agent) {
        return Some("you are about to suspend yourself, which you can't undo");
    }
    let look = tokio::time::timeout(LOOK_TIME_MAX, is_last_operator(&session.client, agent)).await;
    let is_last = look.ok()?.ok()?;
    is_last.then_some(
        "no other active agent was found that has admin:orgs, without which nobody manages the others' credentials",
    )
}

async fn is_last_operator(client: &Client, agent: AgentId) -> Result<bool, Error> {
    if !is_operator(client, agent).await? {
        return Ok(false);
    }
    let active = AgentFilter {
        status: Some(AgentStatus::Active),
        ..AgentFilter::default()
    };
    let agents = client
        .agents()
        .list(&active, Paging::first(LOOK_AGENTS_MAX))
        .await?
        .data;
    for other in agents.iter().filter(|other| other.agent_id != agent) {
        if is_operator(client, other.agent_id).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_operator(client: &Client, agent: AgentId) -> Result<bool, Error> {
    let credentials = client.credentials(agent);
    let active = credentials
        .list(Some(CredentialStatus::Active), Paging::first(100))
        .await?;
    let mut scopes = active.data.iter().filter_map(|credential| credential.scopes.as_deref());
    Ok(scopes.any(|scopes| scopes.split(' ').any(|scope| scope == OPERATOR)))
}

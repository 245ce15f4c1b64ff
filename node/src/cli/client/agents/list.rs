//! `agentidp agents list`.

use clap::Args;
use sdk::{Agent, AgentFilter, AgentStatus, AgentType, DeploymentEnv, Paging};

use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// Which agents, and which page of them.
#[derive(Args)]
pub struct List {
    /// Only agents that stand there.
    #[arg(long, value_parser = vocabulary::agent_status())]
    status: Option<AgentStatus>,
    /// Only agents of this type.
    #[arg(long = "type", value_name = "TYPE", value_parser = vocabulary::agent_type())]
    agent_type: Option<AgentType>,
    /// Only agents of exactly this owner.
    #[arg(long)]
    owner: Option<String>,
    /// Only agents that run there.
    #[arg(long, value_name = "ENV", value_parser = vocabulary::deployment_env())]
    env: Option<DeploymentEnv>,
    /// Only agents whose address, owner or a capability contains this text.
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,
    /// The page, from 1.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
    /// The most agents of a page.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
}

impl Run for List {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let filter = AgentFilter {
            status: self.status,
            agent_type: self.agent_type,
            owner: self.owner,
            deployment_env: self.env,
            q: self.query,
        };
        let page = session
            .client
            .agents()
            .list(&filter, Paging::page(self.page, self.limit))
            .await?;
        if session.out.is_json() {
            session.out.json(&page)?;
            return Ok(Exit::Done);
        }
        session.out.table(
            ["AGENT", "EMAIL", "STATUS", "TYPE", "ENV", "OWNER", "VERSION"],
            page.data.iter().map(row),
        )?;
        if page.total > page.data.len() as u64 {
            session.out.line(&format!(
                "page {} with {} of {} agents",
                page.page,
                page.data.len(),
                page.total
            ))?;
        }
        Ok(Exit::Done)
    }
}

fn row(agent: &Agent) -> [String; 7] {
    [
        agent.agent_id.to_string(),
        agent.email.clone(),
        agent.status.to_string(),
        agent.agent_type.to_string(),
        agent.deployment_env.to_string(),
        agent.owner.clone(),
        agent.version.clone(),
    ]
}

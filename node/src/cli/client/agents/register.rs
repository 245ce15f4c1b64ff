//! `agentidp agents register`.

use clap::Args;
use sdk::{AgentType, DeploymentEnv, NewAgent};

use super::show::show;
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// The agent that is to be.
#[derive(Args)]
pub struct Register {
    /// Its address, unique in the organization.
    #[arg(long)]
    email: String,
    /// What kind of work it does.
    #[arg(long = "type", value_name = "TYPE", default_value = "custom", value_parser = vocabulary::agent_type())]
    agent_type: AgentType,
    /// Its semantic version.
    #[arg(long = "agent-version", value_name = "VERSION", default_value = "1.0.0")]
    agent_version: String,
    /// What it can do, as resource:action, such as resume:read or resume:*; several may be given.
    #[arg(long = "capability", value_name = "CAPABILITY")]
    capabilities: Vec<String>,
    /// The person or team that answers for it.
    #[arg(long)]
    owner: String,
    /// Where it runs.
    #[arg(long, value_name = "ENV", default_value = "development", value_parser = vocabulary::deployment_env())]
    env: DeploymentEnv,
    /// List it in the marketplace.
    #[arg(long)]
    public: bool,
}

impl Run for Register {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let new = NewAgent {
            email: self.email,
            agent_type: self.agent_type,
            version: self.agent_version,
            capabilities: self.capabilities,
            owner: self.owner,
            deployment_env: self.env,
            is_public: self.public,
        };
        let agent = session.client.agents().register(&new).await?;
        show(&mut session.out, &agent)?;
        Ok(Exit::Done)
    }
}

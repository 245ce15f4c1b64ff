//! `agentidp agents update`, and what `suspend` and `reactivate` share.

use clap::Args;
use sdk::{AgentId, AgentPatch, AgentStatus, AgentType, DeploymentEnv, ETag};

use super::Target;
use super::show::show;
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// What is to be changed; what is not named stays.
#[derive(Args)]
pub struct Update {
    #[command(flatten)]
    target: Target,
    /// Its address, unique in the organization.
    #[arg(long)]
    email: Option<String>,
    /// What kind of work it does.
    #[arg(long = "type", value_name = "TYPE", value_parser = vocabulary::agent_type())]
    agent_type: Option<AgentType>,
    /// Its semantic version.
    #[arg(long = "agent-version", value_name = "VERSION")]
    agent_version: Option<String>,
    /// All that it can do; several may be given, and those that are not are taken away.
    #[arg(long = "capability", value_name = "CAPABILITY", conflicts_with = "no_capabilities")]
    capabilities: Vec<String>,
    /// Take all capabilities away.
    #[arg(long)]
    no_capabilities: bool,
    /// The person or team that answers for it.
    #[arg(long)]
    owner: Option<String>,
    /// Where it runs.
    #[arg(long, value_name = "ENV", value_parser = vocabulary::deployment_env())]
    env: Option<DeploymentEnv>,
    /// Whether it is listed in the marketplace.
    #[arg(long)]
    public: Option<bool>,
    /// Change it only if it is still in this revision, as `agents get` prints it.
    #[arg(long, value_name = "REVISION", value_parser = vocabulary::revision)]
    if_match: Option<ETag>,
}

impl Run for Update {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let (target, expected) = (session.agent(self.target.agent)?, self.if_match.clone());
        let patch = self.patch();
        if patch == AgentPatch::default() {
            return Err(Failure::NothingToChange);
        }
        let agent = session
            .client
            .agents()
            .update(target, &patch, expected.as_ref())
            .await?;
        show(&mut session.out, &agent)?;
        Ok(Exit::Done)
    }
}

impl Update {
    fn patch(self) -> AgentPatch {
        AgentPatch {
            email: self.email,
            agent_type: self.agent_type,
            version: self.agent_version,
            capabilities: (self.no_capabilities || !self.capabilities.is_empty()).then_some(self.capabilities),
            owner: self.owner,
            deployment_env: self.env,
            is_public: self.public,
            status: None,
        }
    }
}

/// Suspends or reactivates an agent.
pub async fn move_to(status: AgentStatus, agent: AgentId, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let agent = session
        .client
        .agents()
        .update(agent, &AgentPatch::status(status), None)
        .await?;
    if session.out.is_json() {
        session.out.json(&agent.value)?;
    } else {
        session
            .out
            .line(&format!("{} ({}) is {} now", agent.agent_id, agent.email, agent.status))?;
    }
    Ok(Exit::Done)
}

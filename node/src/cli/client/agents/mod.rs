//! `agentidp agents`: the agents of the client's organization.

mod decommission;
mod get;
mod list;
mod register;
mod show;
mod suspend;
mod update;

use clap::{Args, Subcommand};
use sdk::AgentStatus;

use super::Run;
use super::agent_ref::AgentRef;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

/// What is to be done with agents.
#[derive(Args)]
pub struct AgentsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List agents.
    List(list::List),
    /// Show one agent.
    Get(Target),
    /// Register an agent; it can do nothing until it is given a credential.
    Register(register::Register),
    /// Change an agent.
    Update(update::Update),
    /// Kill an agent's live tokens and give it no new ones until it is reactivated.
    Suspend(suspend::Suspend),
    /// Let a suspended agent work again.
    Reactivate(Target),
    /// End an agent for ever: its credentials are revoked and its tokens killed.
    Decommission(decommission::Decommission),
}

/// Which agent.
#[derive(Args)]
pub struct Target {
    /// The agent's id, or `self`.
    #[arg(value_name = "AGENT")]
    agent: AgentRef,
}

impl Run for AgentsCommand {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::List(list) => list.run(session).await,
            Action::Get(target) => get::run(&target, session).await,
            Action::Register(register) => register.run(session).await,
            Action::Update(update) => update.run(session).await,
            Action::Suspend(suspend) => suspend.run(session).await,
            Action::Reactivate(target) => {
                let agent = session.agent(target.agent)?;
                update::move_to(AgentStatus::Active, agent, session).await
            }
            Action::Decommission(decommission) => decommission.run(session).await,
        }
    }
}

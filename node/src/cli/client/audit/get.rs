//! `agentidp audit get`.

use clap::Args;
use sdk::EventId;

use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::output::or_dash;
use crate::cli::client::session::Session;

/// Which event.
#[derive(Args)]
pub struct Get {
    /// The event's id.
    #[arg(value_name = "EVENT")]
    event: EventId,
}

impl Run for Get {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let event = session.client.audit().get(self.event).await?;
        if session.out.is_json() {
            session.out.json(&event)?;
            return Ok(Exit::Done);
        }
        session.out.page([
            ("event", event.event_id.to_string()),
            ("sequence", event.sequence.to_string()),
            ("time", event.timestamp.to_string()),
            ("action", event.action),
            ("outcome", event.outcome.to_string()),
            ("agent", or_dash(event.agent_id)),
            ("address", or_dash(event.ip_address)),
            ("software", or_dash(event.user_agent)),
            ("metadata", event.metadata.to_string()),
            ("organization", event.organization_id.to_string()),
            ("previous hash", event.previous_hash),
            ("hash", event.hash),
        ])?;
        Ok(Exit::Done)
    }
}

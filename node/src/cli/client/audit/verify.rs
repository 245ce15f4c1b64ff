//! `agentidp audit verify`.

use clap::Args;
use sdk::{Timestamp, Verification};

use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;

/// Which events are counted; the chain is walked as a whole.
#[derive(Args)]
pub struct Verify {
    /// Not before, such as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Not after.
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
}

impl Run for Verify {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let verification = session.client.audit().verify(self.from, self.to).await?;
        if session.out.is_json() {
            session.out.json(&verification)?;
        } else {
            session.out.line(&sentence(&verification))?;
        }
        Ok(if verification.verified {
            Exit::Done
        } else {
            Exit::Broken
        })
    }
}

fn sentence(verification: &Verification) -> String {
    let count = verification.checked_count;
    match (verification.verified, verification.broken_at_event_id) {
        (true, _) => format!("the chain is whole; {count} events checked"),
        (false, Some(event)) => format!("THE CHAIN IS BROKEN at event {event}; {count} events before it are whole"),
        (false, None) => format!("THE CHAIN IS BROKEN; {count} events are whole"),
    }
}

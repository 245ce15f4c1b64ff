//! `agentidp credentials list`.

use clap::Args;
use sdk::{Credential, CredentialStatus, Paging};

use super::Owner;
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::output::or_dash;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// Whose credentials, and which page of them.
#[derive(Args)]
pub struct List {
    #[command(flatten)]
    owner: Owner,
    /// Only credentials that stand there.
    #[arg(long, value_parser = vocabulary::credential_status())]
    status: Option<CredentialStatus>,
    /// The page, from 1.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
    /// The most credentials of a page.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
}

impl Run for List {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let agent = session.agent(self.owner.agent)?;
        let page = session
            .client
            .credentials(agent)
            .list(self.status, Paging::page(self.page, self.limit))
            .await?;
        if session.out.is_json() {
            session.out.json(&page)?;
            return Ok(Exit::Done);
        }
        session.out.table(
            ["CREDENTIAL", "STATUS", "EXPIRES", "SCOPES", "LAST USED", "CREATED"],
            page.data.iter().map(row),
        )?;
        if page.total > page.data.len() as u64 {
            session.out.line(&format!(
                "page {} with {} of {} credentials",
                page.page,
                page.data.len(),
                page.total
            ))?;
        }
        Ok(Exit::Done)
    }
}

fn row(credential: &Credential) -> [String; 6] {
    [
        credential.credential_id.to_string(),
        credential.status.to_string(),
        or_dash(credential.expires_at),
        credential.scopes.clone().unwrap_or_else(|| "all".to_owned()),
        or_dash(credential.last_used_at),
        credential.created_at.to_string(),
    ]
}

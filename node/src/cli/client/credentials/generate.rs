//! `agentidp credentials generate`.

use clap::Args;
use sdk::{NewCredential, Timestamp};

use super::Owner;
use super::issued::SecretPlace;
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// What the credential is to be like.
#[derive(Args)]
pub struct Generate {
    #[command(flatten)]
    owner: Owner,
    /// When it is to stop working, such as 2027-01-31T12:00:00Z [default: never].
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// A scope that tokens taken with it may hold; several may be given, or one text with spaces [default: all but
    /// admin:orgs for another agent; for oneself no more than making credentials takes].
    #[arg(long, value_name = "SCOPE", value_parser = vocabulary::scopes)]
    scope: Vec<String>,
    #[command(flatten)]
    place: SecretPlace,
}

impl Run for Generate {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let agent = session.agent(self.owner.agent)?;
        let new = NewCredential {
            expires_at: self.expires_at,
            scopes: names(&self.scope),
        };
        let place = self.place.open()?;
        match session.client.credentials(agent).generate(&new).await {
            Ok(issued) => place.take(&issued, &mut session.out)?,
            Err(error) => {
                place.discard();
                return Err(error.into());
            }
        }
        Ok(Exit::Done)
    }
}

/// The names in texts that hold one or several.
fn names(texts: &[String]) -> Option<Vec<String>> {
    let names: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split_whitespace())
        .map(str::to_owned)
        .collect();
    (!texts.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_come_one_by_one_or_all_at_once() {
        let names = |texts: &[&str]| names(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&[]), None);
        assert_eq!(
            names(&["a", "b  c"]),
            Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()])
        );
        assert_eq!(
            names(&[""]),
            Some(vec![]),
            "asking for nothing is not asking for everything"
        );
    }
}

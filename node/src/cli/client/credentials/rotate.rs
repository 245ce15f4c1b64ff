//! `agentidp credentials rotate`.

use std::time::Duration;

use clap::Args;
use sdk::{RotateCredential, Timestamp};

use super::Target;
use super::issued::SecretPlace;
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;

/// How the secret is to be replaced.
#[derive(Args)]
pub struct Rotate {
    #[command(flatten)]
    target: Target,
    /// When the credential is to stop working, such as 2027-01-31T12:00:00Z [default: as before].
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// For how long the old secret goes on working: a number with a unit, such as 90s, 10m or 24h, at most a day [default: it
    /// dies at once].
    #[arg(long, value_name = "DURATION", value_parser = overlap)]
    overlap: Option<u32>,
    #[command(flatten)]
    place: SecretPlace,
}

impl Run for Rotate {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let agent = session.agent(self.target.owner.agent)?;
        let rotation = RotateCredential {
            expires_at: self.expires_at,
            overlap_seconds: self.overlap,
        };
        let place = self.place.open()?;
        match session
            .client
            .credentials(agent)
            .rotate(self.target.credential, &rotation)
            .await
        {
            Ok(issued) => place.take(&issued, &mut session.out)?,
            Err(error) => {
                place.discard();
                return Err(error.into());
            }
        }
        Ok(Exit::Done)
    }
}

/// A duration in whole seconds.
fn overlap(text: &str) -> Result<u32, String> {
    let duration = vocabulary::duration(text)?;
    let is_allowed = duration <= Duration::from_secs(86_400) && duration.subsec_nanos() == 0;
    u32::try_from(duration.as_secs())
        .ok()
        .filter(|_| is_allowed)
        .ok_or_else(|| "must be whole seconds, at most 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_whole_seconds_of_at_most_a_day() {
        assert_eq!(overlap("10m"), Ok(600));
        assert_eq!(overlap("1day"), Ok(86_400));
        for bad in ["", "10", "1500ms", "25h", "-1s"] {
            assert!(overlap(bad).is_err(), "{bad:?}");
        }
    }
}

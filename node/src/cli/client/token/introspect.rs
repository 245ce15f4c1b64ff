//! `agentidp token introspect`: what the server knows of a token.

use sdk::Timestamp;
use sdk::tokens::Audience;

use super::TokenInput;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::output::or_dash;
use crate::cli::client::secret_source;
use crate::cli::client::session::Session;

/// Prints it. A token that is not active has an exit code of its own, so that a shell can tell.
pub async fn run(input: TokenInput, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let token = secret_source::token(input.token_file.as_deref())?;
    let answer = session.client.tokens().introspect(&token).await?;
    let exit = if answer.active { Exit::Done } else { Exit::Broken };
    if session.out.is_json() {
        session.out.json(&answer)?;
    } else if answer.active {
        session.out.page([
            ("active", "yes".to_owned()),
            ("agent", or_dash(answer.sub)),
            ("client", or_dash(answer.client_id)),
            ("organization", or_dash(answer.organization_id)),
            ("scope", or_dash(answer.scope)),
            ("audience", or_dash(answer.aud.map(audience))),
            ("issuer", or_dash(answer.iss)),
            ("issued", or_dash(answer.iat.map(seconds))),
            ("expires", or_dash(answer.exp.map(seconds))),
            ("token id", or_dash(answer.jti)),
        ])?;
    } else {
        session.out.line(
            "not active: it is expired or revoked, its agent is suspended, or it is not a token of this issuer",
        )?;
    }
    Ok(exit)
}

fn audience(audience: Audience) -> String {
    match audience {
        Audience::One(one) => one,
        Audience::Many(many) => many.join(", "),
    }
}

fn seconds(since_epoch: i64) -> Timestamp {
    Timestamp::from_millis(since_epoch.saturating_mul(1000))
}

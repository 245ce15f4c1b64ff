//! What a command works with.

use sdk::{AgentId, Client};

use super::agent_ref::AgentRef;
use super::failure::Failure;
use super::output::Output;
use super::streams::Ask;

/// A connection and a place for results.
pub struct Session<'a> {
    /// The way to the server.
    pub client: Client,
    /// Where results go.
    pub out: Output<'a>,
    /// The way to ask somebody, if there is somebody.
    pub ask: Option<Ask>,
}

impl<'a> Session<'a> {
    /// A session over a client, with nobody to ask.
    pub fn new(client: Client, out: Output<'a>) -> Self {
        Self { client, out, ask: None }
    }

    /// Goes on only if somebody at the terminal says so; `what` is what they should know.
    pub fn confirm(&self, what: &'static str) -> Result<(), Failure> {
        let Some(ask) = self.ask else {
            return Err(Failure::NotConfirmed(what));
        };
        let answer = ask(&format!("{what}. Type yes to go on: ")).map_err(Failure::Prompt)?;
        if answer.trim() == "yes" {
            Ok(())
        } else {
            Err(Failure::NotConfirmed(what))
        }
    }

    /// The client's own agent.
    pub fn own_agent(&self) -> Option<AgentId> {
        self.client.client_id()?.parse().ok()
    }

    /// The agent that somebody means.
    pub fn agent(&self, meant: AgentRef) -> Result<AgentId, Failure> {
        match meant {
            AgentRef::Id(id) => Ok(id),
            AgentRef::Own => self.own_agent().ok_or(Failure::NotAnAgent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::output::Format;

    #[test]
    fn only_a_typed_yes_confirms() {
        let confirmed = |ask: Option<Ask>| {
            let client = Client::builder("http://127.0.0.1:1").build().expect("a client");
            let mut bytes = Vec::new();
            let out = Output::new(&mut bytes, Format::Json);
            let session = Session {
                ask,
                ..Session::new(client, out)
            };
            session.confirm("it ends")
        };
        assert!(confirmed(Some(|_| Ok("yes\n".to_owned()))).is_ok());
        let answers: [Option<Ask>; 4] = [
            None,
            Some(|_| Ok("y\n".to_owned())),
            Some(|_| Ok(String::new())),
            Some(|question| Ok(question.to_owned())),
        ];
        for ask in answers {
            let failure = confirmed(ask).expect_err("not confirmed");
            assert_eq!(
                failure.to_string(),
                "it ends: repeat the command with --yes if you are sure"
            );
        }
    }
}

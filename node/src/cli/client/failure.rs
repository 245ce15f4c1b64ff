//! Why a client command failed, in sentences that say what to do, and the exit code that goes with each.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;

use sdk::{Error, Misconfiguration, TransportFailure};

use super::exit::Exit;
use super::output::clean;
use super::profile::ProfileError;
use crate::cli::complaint::Complaint;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server refused, did not answer, or answered nonsense.
    #[error("{}", describe(.error))]
    Server {
        /// What the sdk says; boxed, since it is by far the largest thing that a failure may hold.
        error: Box<Error>,
        /// Which server it was; empty until it is known.
        server: String,
    },
    /// Nobody said who we are.
    #[error("a client id is needed: give --client-id, set AGENTIDP_CLIENT_ID, or name a --profile that has one")]
    NoClientId,
    /// Nobody said the secret, and nobody can be asked.
    #[error(
        "a client secret is needed: set AGENTIDP_CLIENT_SECRET, give --client-secret-file, or run this on a terminal to be asked"
    )]
    NoSecret,
    /// A file can't be read.
    #[error("{path} can't be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file or the input holds nothing.
    #[error("{0} is empty; it must hold one line")]
    Empty(String),
    /// A file or the input holds more than one secret, or none.
    #[error("{what} must hold one line of at most {limit} bytes and nothing else")]
    NotOneLine {
        /// What was read.
        what: String,
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// The terminal can't be asked.
    #[error("the terminal can't be asked: {0}")]
    Prompt(io::Error),
    /// The profile is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// "self" was said by somebody who is no agent.
    #[error("`self` stands for the client's own agent, but the client id is not an agent's id; name the agent")]
    NotAnAgent,
    /// An update that changes nothing.
    #[error("there is nothing to change: give at least one of the options that `agentidp agents update --help` lists")]
    NothingToChange,
    /// A step that is hard to undo was not confirmed.
    #[error("{0}: repeat the command with --yes if you are sure")]
    NotConfirmed(&'static str),
    /// The secret could not be put where it should go.
    #[error("{} can't be written: {source}; nothing was made", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The secret was made and could not be kept.
    #[error("{} could not be written to the end: {source}; the secret is lost, so revoke credential {credential}", path.display())]
    SecretLost {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// The credential that nobody can use now.
        credential: sdk::CredentialId,
    },
    /// The output can't be written.
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Server {
            error: Box::new(error),
            server: String::new(),
        }
    }
}

impl Failure {
    /// The same failure, with the server named.
    #[must_use]
    pub fn at(self, name: &str) -> Self {
        match self {
            Self::Server { error, .. } => Self::Server {
                error,
                server: name.to_owned(),
            },
            other => other,
        }
    }

    /// Whether whoever reads the output has seen enough: `agentidp … | head`.
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Server { error, .. } => exit_of(error),
            Self::NoClientId | Self::NoSecret | Self::Unreadable { .. } => Exit::Usage,
            Self::Empty(_) | Self::NotOneLine { .. } => Exit::Usage,
            Self::Profile(_) | Self::NotAnAgent | Self::NothingToChange | Self::NotConfirmed(_) => Exit::Usage,
            Self::Prompt(_) | Self::Unwritable { .. } | Self::SecretLost { .. } | Self::Output(_) => Exit::Failed,
        }
    }

    /// What is told of it.
    pub fn complaint(&self) -> Complaint {
        match self {
            Self::Server { error, server } => Complaint {
                hint: hint(error, server),
                ..Complaint::new(code(error), describe(error))
            },
            Self::NotConfirmed(_) => Complaint::new("NOT_CONFIRMED", self),
            _ if self.exit() == Exit::Usage => Complaint::new("USAGE", self),
            _ => Complaint::new("FAILED", self),
        }
    }
}

fn code(error: &Error) -> &str {
    let of_kind = match error {
        Error::Transport(_) => "UNREACHABLE",
        Error::Misconfigured(_) => "USAGE",
        _ => "UNEXPECTED_ANSWER",
    };
    error.code().unwrap_or(of_kind)
}

/// How a command ends that the server did not carry out.
pub(in crate::cli) fn exit_of(error: &Error) -> Exit {
    match (error, error.status()) {
        (Error::Misconfigured(Misconfiguration::HttpClient(_)), _) => Exit::Failed,
        (Error::Misconfigured(_), _) => Exit::Usage,
        (Error::Transport(_) | Error::RetryAfter { .. }, _) => Exit::Unavailable,
        (Error::OAuth { error, .. }, _) if error == "invalid_scope" => Exit::Refused,
        (Error::Api { fields, .. }, Some(400)) if !fields.is_empty() => Exit::Usage,
        (_, Some(401 | 403)) => Exit::Refused,
        (_, Some(404 | 410)) => Exit::NotFound,
        (_, Some(409 | 412)) => Exit::Conflict,
        (_, Some(502..=504)) => Exit::Unavailable,
        _ => Exit::Failed,
    }
}

/// The sentence, each field that was refused, and under which id the server's log knows more.
pub(in crate::cli) fn describe(error: &Error) -> String {
    let mut text = clean(&error.to_string());
    if let Error::Api {
        fields, status, code, ..
    } = error
        && !fields.is_empty()
    {
        // The server's sentence points into the JSON of its answer, which is not to be seen here.
        text = format!("these values can't be used (HTTP {status}, {}):", clean(code));
        for field in fields {
            // Writing to a String can't fail.
            let _ = write!(text, "\n  {}: {}", clean(&field.field), clean(&field.reason));
        }
    }
    if let Some(id) = error.request_id() {
        let _ = write!(text, "\nrequest id: {id}");
    }
    text
}

/// What to do about an agent that was ended.
const FINAL: &str = "a decommissioned agent stays so; register a new one with `agentidp agents register`";

fn hint(error: &Error, server: &str) -> Option<String> {
    let text = match error {
        Error::Transport(error) if error.failure == TransportFailure::Connect => {
            format!("is a node running at {server}? start one with `agentidp dev`, or name another with --server or AGENTIDP_SERVER")
        }
        Error::Transport(_) => format!("the server is {server}; it may have done what was asked, so look before you repeat this"),
        Error::Malformed(_) => format!("the server is {server}; name another with --server or AGENTIDP_SERVER"),
        Error::Misconfigured(Misconfiguration::PlainHttp) => {
            "use an https address, or give --allow-plain-http if the network encrypts by itself".to_owned()
        }
        Error::Misconfigured(Misconfiguration::Issuer) => "see --server or AGENTIDP_SERVER".to_owned(),
        Error::RetryAfter { after: Some(after), .. } => format!("try again in {} s", after.as_secs()),
        Error::OAuth { error, .. } if error == "invalid_client" => {
            "check the client id and its secret; a lost secret is replaced by an administrator with `agentidp credentials rotate`".to_owned()
        }
        Error::OAuth { error, .. } if error == "invalid_scope" => {
            "these credentials do not allow this; use an administrator's".to_owned()
        }
        Error::Api { code, .. } if code == "AGENT_ALREADY_DECOMMISSIONED" => FINAL.to_owned(),
        Error::Api { code, .. } if code == "AGENT_NOT_ACTIVE" => {
            format!("if it is suspended, `agentidp agents reactivate` lets it work again; {FINAL}")
        }
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(status: u16, code: &str) -> Error {
        Error::Api {
            status,
            code: code.to_owned(),
            message: "m".to_owned(),
            fields: vec![],
            request_id: None,
        }
    }

    fn oauth(status: u16, error: &str) -> Error {
        Error::OAuth {
            status,
            error: error.to_owned(),
            description: "d".to_owned(),
            request_id: None,
        }
    }

    #[test]
    fn each_kind_of_refusal_has_its_exit_code() {
        let field = sdk::FieldError {
            field: "email".to_owned(),
            reason: "r".to_owned(),
        };
        let invalid = Error::Api {
            status: 400,
            code: "V".to_owned(),
            message: "m".to_owned(),
            fields: vec![field],
            request_id: None,
        };
        let busy = Error::RetryAfter {
            status: 429,
            code: "c".to_owned(),
            after: None,
            message: "m".to_owned(),
            request_id: None,
        };
        let cases = [
            (invalid, Exit::Usage),
            (api(400, "AGENT_NOT_ACTIVE"), Exit::Failed),
            (api(401, "INVALID_TOKEN"), Exit::Refused),
            (api(403, "FORBIDDEN"), Exit::Refused),
            (api(404, "AGENT_NOT_FOUND"), Exit::NotFound),
            (api(409, "AGENT_ALREADY_EXISTS"), Exit::Conflict),
            (api(412, "PRECONDITION_FAILED"), Exit::Conflict),
            (api(500, "INTERNAL_ERROR"), Exit::Failed),
            (oauth(401, "invalid_client"), Exit::Refused),
            (oauth(403, "unauthorized_client"), Exit::Refused),
            (oauth(400, "invalid_scope"), Exit::Refused),
            (oauth(400, "invalid_request"), Exit::Failed),
            (busy, Exit::Unavailable),
            (Misconfiguration::PlainHttp.into(), Exit::Usage),
        ];
        for (error, exit) in cases {
            assert_eq!(exit_of(&error), exit, "{error:?}");
        }
    }

    #[test]
    fn a_refusal_names_every_field_and_the_request() {
        let field = |name: &str| sdk::FieldError {
            field: name.to_owned(),
            reason: "must be better".to_owned(),
        };
        let error = Error::Api {
            status: 400,
            code: "VALIDATION_ERROR".to_owned(),
            message: "two fields".to_owned(),
            fields: vec![field("email"), field("version")],
            request_id: Some("r-7".to_owned()),
        };
        let expected = "these values can't be used (HTTP 400, VALIDATION_ERROR):\n  email: must be better\n  version: must be better\nrequest id: r-7";
        assert_eq!(Failure::from(error).at("http://x").to_string(), expected);
    }

    #[test]
    fn a_complaint_has_the_server_s_code_and_what_to_do() {
        let told = |error: Error| Failure::from(error).at("http://x").complaint();
        for code in ["AGENT_ALREADY_DECOMMISSIONED", "AGENT_NOT_ACTIVE"] {
            let complaint = told(api(409, code));
            assert_eq!(complaint.code, code);
            assert!(
                complaint.hint.is_some_and(|hint| hint.contains("agents register")),
                "{code}"
            );
        }
        let complaint = told(oauth(400, "invalid_scope"));
        assert!(complaint.code == "invalid_scope" && complaint.hint.is_some());
        assert_eq!(told(api(404, "AGENT_NOT_FOUND")).hint, None);
        assert_eq!(Failure::NoClientId.complaint().code, "USAGE");
        assert_eq!(Failure::NotConfirmed("it ends").complaint().code, "NOT_CONFIRMED");
    }

    #[test]
    fn what_the_server_says_can_not_move_the_cursor() {
        let error = Error::Api {
            status: 409,
            code: "X".to_owned(),
            message: "a\u{1b}[2Jb\nc".to_owned(),
            fields: vec![],
            request_id: None,
        };
        let text = Failure::from(error).to_string();
        assert!(!text.contains('\u{1b}') && !text.contains('\n'), "{text:?}");
    }
}

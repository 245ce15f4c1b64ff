//! Everything that can go wrong, as values. No error holds a secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The management API refused the request.
    #[error("{message} (HTTP {status}, {code})")]
    Api {
        /// The HTTP status.
        status: u16,
        /// The code to branch on, such as `AGENT_NOT_FOUND`.
        code: String,
        /// A sentence for people.
        message: String,
        /// Each field that was refused, if the request was not valid.
        fields: Vec<FieldError>,
        /// Under which the server's log knows the request.
        request_id: Option<String>,
    },
    /// An OAuth endpoint refused the request (RFC 6749 §5.2).
    #[error("{description} ({error})")]
    OAuth {
        /// The HTTP status.
        status: u16,
        /// The code to branch on, such as `invalid_client`.
        error: String,
        /// A sentence for people.
        description: String,
        /// Under which the server's log knows the request.
        request_id: Option<String>,
    },
    /// The server is busy or limits how often it may be asked (HTTP 429 and 503), and went on to do so for as many
    /// tries as the [`RetryPolicy`](crate::RetryPolicy) allows.
    #[error("{message} (HTTP {status}, {code})")]
    RetryAfter {
        /// The HTTP status.
        status: u16,
        /// The code to branch on, such as `RATE_LIMIT_EXCEEDED`.
        code: String,
        /// How long the server wants to be left alone, if it said.
        after: Option<Duration>,
        /// A sentence for people.
        message: String,
        /// Under which the server's log knows the request.
        request_id: Option<String>,
    },
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An answer came that an AgentIdP node does not give.
    #[error(transparent)]
    Malformed(#[from] MalformedResponse),
    /// The client can't do that as it was built.
    #[error(transparent)]
    Misconfigured(#[from] Misconfiguration),
}

/// One field of a request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name on the wire.
    pub field: String,
    /// What it must be.
    pub reason: String,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportFailure {
    /// No connection: the request was certainly not acted upon.
    Connect,
    /// No answer in time: the request may have been acted upon.
    Timeout,
    /// The connection broke: the request may have been acted upon.
    Broken,
}

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", match failure {
    TransportFailure::Connect => "the server can't be reached",
    TransportFailure::Timeout => "the server did not answer in time",
    TransportFailure::Broken => "the connection to the server broke",
})]
pub struct TransportError {
    /// How far it got.
    pub failure: TransportFailure,
    /// What the network said.
    pub detail: String,
}

/// An answer came that an AgentIdP node does not give; there may be something else at that address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedResponse {
    /// The body is larger than the client is willing to read.
    #[error("the server's answer is larger than {limit} bytes")]
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// The body is not the JSON that it should be.
    #[error("the server's answer (HTTP {status}) is not what an AgentIdP node answers: {detail}")]
    Json {
        /// The HTTP status.
        status: u16,
        /// Where it stopped making sense; never a part of the body.
        detail: String,
    },
    /// The server wants us elsewhere; redirects are not followed, since they would carry credentials away.
    #[error(
        "the server answered with a redirect (HTTP {status}), which is not followed; use the address that it leads to"
    )]
    Redirect {
        /// The HTTP status.
        status: u16,
    },
    /// The server failed without saying how.
    #[error("the server answered HTTP {status} without an explanation; is there an AgentIdP node at this address?")]
    Status {
        /// The HTTP status.
        status: u16,
        /// Under which the server's log knows the request.
        request_id: Option<String>,
    },
    /// The discovery document belongs to another issuer (RFC 8414 §3.3).
    #[error("the server says that it is the issuer {found}, and not the one that was asked for")]
    Issuer {
        /// Who it says it is.
        found: String,
    },
}

/// The client can't do that as it was built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misconfiguration {
    /// The issuer is not an address.
    #[error("the issuer must be an http or https URL without user, query and fragment, such as https://idp.example")]
    Issuer,
    /// The issuer's address would send secrets over the network in the clear.
    #[error("the issuer must be an https URL: plain http is only for this machine, unless it is allowed explicitly")]
    PlainHttp,
    /// A call needs a client id and a secret.
    #[error("this call needs credentials: build the client with a client id and a secret")]
    NoCredentials,
    /// The client id or the secret holds something that can't be sent.
    #[error("the client id and the secret must not be empty and not longer than 1024 bytes")]
    Credentials,
    /// The certificates of the private authority can't be read.
    #[error("the trusted certificates are not PEM: {0}")]
    Certificates(String),
    /// The HTTP library refused to start.
    #[error("the HTTP client can't start: {0}")]
    HttpClient(String),
}

impl Error {
    /// The HTTP status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } | Self::OAuth { status, .. } | Self::RetryAfter { status, .. } => Some(*status),
            Self::Malformed(MalformedResponse::Json { status, .. } | MalformedResponse::Redirect { status }) => {
                Some(*status)
            }
            Self::Malformed(MalformedResponse::Status { status, .. }) => Some(*status),
            _ => None,
        }
    }

    /// The code to branch on, if the server sent one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { code, .. } | Self::RetryAfter { code, .. } => Some(code),
            Self::OAuth { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Under which the server's log knows the request, if it told.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { request_id, .. } | Self::OAuth { request_id, .. } | Self::RetryAfter { request_id, .. } => {
                request_id.as_deref()
            }
            Self::Malformed(MalformedResponse::Status { request_id, .. }) => request_id.as_deref(),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport(_) | Self::RetryAfter { .. } => true,
            Self::Malformed(MalformedResponse::Status { status, .. }) => *status >= 500,
            Self::Api { status, .. } | Self::OAuth { status, .. } => *status >= 500,
            _ => false,
        }
    }
}

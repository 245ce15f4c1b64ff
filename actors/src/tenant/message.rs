//! What organizations are told.

use std::sync::Arc;
use std::time::Duration;

use domain::{CredentialId, Origin, Timestamp};
use futures::future::BoxFuture;
use protocol::oauth::{Grant, OAuthError, PresentedClient, TokenRequest};
use tokio::sync::oneshot;

use super::client_cache::WarmClient;
use super::requests::AuthenticatedClient;

/// A write with all that it needs; answers its caller itself.
pub(super) type Job = BoxFuture<'static, ()>;

/// A question, with what it takes to answer it.
pub(crate) struct Ask<Q, A> {
    pub question: Q,
    /// What is known of the client; `None` if it does not exist.
    pub client: Option<Arc<WarmClient>>,
    pub origin: Origin,
    pub sent: Duration,
    pub reply: oneshot::Sender<Result<A, OAuthError>>,
}

/// What an organization is told.
pub(crate) enum TenantMessage {
    Authorize(Ask<TokenRequest, Grant>),
    Authenticate(Ask<PresentedClient, AuthenticatedClient>),
    /// A credential was used at this time, and nothing had to be asked for it.
    Used(CredentialId, Timestamp),
    Write(Job),
    /// The write that was under way is over.
    Written,
    /// These uses could not be written down.
    UsageLost(Vec<(CredentialId, Timestamp)>),
    /// Some time has passed.
    Tick,
}

//! What is asked of organizations, and what is answered.

use std::time::Duration;

use domain::{AgentId, CredentialId, OrganizationId, Origin, Revision, ScopeSet, Timestamp, TokenFacts};
use protocol::oauth::Grant;

/// Who asks for a change: an agent that was authenticated, with what its token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose agent it is; nothing of another organization is seen or changed.
    pub organization: OrganizationId,
    /// The agent.
    pub agent: AgentId,
    /// The credential that its token was issued from: none that it makes may allow more.
    pub credential: CredentialId,
    /// The token that it showed, which is looked at once more when its write begins; `None` if it authenticated itself in
    /// this very call instead.
    pub token: Option<TokenFacts>,
    /// What its token allows.
    pub scopes: ScopeSet,
    /// From where it asks.
    pub origin: Origin,
}

/// A token may be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// What to issue.
    pub grant: Grant,
    /// What the token must carry: the revision that was seen before the decision began.
    pub revision: Revision,
}

/// A client that proved who it is and is in good standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticatedClient {
    /// Whose agent it is.
    pub organization: OrganizationId,
    /// The agent.
    pub agent: AgentId,
    /// What it proved it with.
    pub credential: CredentialId,
    /// What it may have with this credential.
    pub scopes: ScopeSet,
}

/// A credential that is to be made; already validated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewCredential {
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// If given, tokens from it hold at most these scopes. If not, they hold at most what its maker's credential allows.
    pub scopes: Option<ScopeSet>,
}

/// A secret that is to be replaced; already validated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotateCredential {
    /// When the credential stops working; if not given, when it did before.
    pub expires_at: Option<Timestamp>,
    /// For how long the old secret goes on working, at most [`domain::Credential::OVERLAP_SECONDS_MAX`]; if not given, it
    /// dies at once.
    pub overlap: Option<Duration>,
}

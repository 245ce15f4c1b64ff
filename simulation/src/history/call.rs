//! What clients ask for.

use super::ids::{AgentId, CredentialId, TokenId};

/// Where an agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It may have tokens.
    Active,
    /// It may not.
    Suspended,
}

/// How soon an operator wants other keys to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// When every verifier can know them.
    Ahead,
    /// At once; what the former keys have signed dies.
    Emergency,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST /oauth2/token` with a credential.
    Issue {
        /// Who asks.
        agent: AgentId,
        /// With what.
        credential: CredentialId,
    },
    /// `POST /oauth2/token` with a secret that a rotation has replaced.
    IssueWithOldSecret {
        /// The credential.
        credential: CredentialId,
    },
    /// `POST /oauth2/introspect`.
    Introspect(TokenId),
    /// A call that shows the token as its bearer.
    Present(TokenId),
    /// `POST /oauth2/revoke`.
    RevokeToken(TokenId),
    /// Registers an agent.
    Register,
    /// Suspends or reactivates an agent.
    SetStatus(AgentId, Status),
    /// Makes a secret for an agent.
    MakeCredential(AgentId),
    /// Gives a credential another secret.
    RotateCredential(AgentId, CredentialId),
    /// Revokes a credential.
    RevokeCredential(AgentId, CredentialId),
    /// An operator has keys replaced.
    RotateKeys(Rotation),
    /// Reads the public keys.
    ReadKeys,
    /// Reads the newest page of the audit log.
    ReadAudit,
    /// Asks whether the node is ready.
    AskReady,
}

impl Call {
    /// What it is called in a summary.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Issue { .. } => "issue",
            Self::IssueWithOldSecret { .. } => "issue with an old secret",
            Self::Introspect(_) => "introspect",
            Self::Present(_) => "present as bearer",
            Self::RevokeToken(_) => "revoke token",
            Self::Register => "register agent",
            Self::SetStatus(_, Status::Suspended) => "suspend agent",
            Self::SetStatus(_, Status::Active) => "reactivate agent",
            Self::MakeCredential(_) => "make credential",
            Self::RotateCredential(..) => "rotate credential",
            Self::RevokeCredential(..) => "revoke credential",
            Self::RotateKeys(Rotation::Ahead) => "rotate keys",
            Self::RotateKeys(Rotation::Emergency) => "replace keys",
            Self::ReadKeys => "read keys",
            Self::ReadAudit => "read audit",
            Self::AskReady => "ask whether ready",
        }
    }
}

//! Tokens, and revocations of them, that tests are about.

use domain::{
    AgentId, CredentialId, OrganizationId, ReplicatedChange, Revision, Revocation, Subject, Timestamp, TokenFacts,
    TokenFamily, TokenId,
};
use uuid::Uuid;

/// A token all of whose identifiers are `number`, issued before anything was revoked.
pub(crate) fn token(number: u128) -> TokenFacts {
    token_issued_at(Revision(0), number)
}

/// The same, issued in sight of everything up to a revision.
pub(crate) fn token_issued_at(issued_at: Revision, number: u128) -> TokenFacts {
    let id = Uuid::from_u128(number);
    TokenFacts {
        token: TokenId(id),
        family: TokenFamily(id),
        credential: CredentialId(id),
        agent: AgentId(id),
        organization: OrganizationId(id),
        issued_at,
    }
}

/// Revokes the token of this number alone, for longer than any test's clock runs.
pub(crate) fn revoke_token(number: u128) -> ReplicatedChange {
    revoke(Subject::Token(TokenId(Uuid::from_u128(number))))
}

/// Revokes for longer than any test's clock runs.
pub(crate) fn revoke(subject: Subject) -> ReplicatedChange {
    let forget_at = Timestamp::from_seconds(1_900_000_000);
    ReplicatedChange::Revoke(Revocation { subject, forget_at })
}

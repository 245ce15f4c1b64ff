//! What can be recorded.

use crate::named::named;

named! {
    /// What happened.
    Action {
        /// An agent was registered.
        AgentCreated = "agent.created",
        /// An agent's fields were changed.
        AgentUpdated = "agent.updated",
        /// An agent was suspended and its tokens killed.
        AgentSuspended = "agent.suspended",
        /// A suspended agent may work again.
        AgentReactivated = "agent.reactivated",
        /// An agent was ended for ever.
        AgentDecommissioned = "agent.decommissioned",
        /// A client secret was made.
        CredentialGenerated = "credential.generated",
        /// A client secret was replaced.
        CredentialRotated = "credential.rotated",
        /// A client secret was revoked and its tokens killed.
        CredentialRevoked = "credential.revoked",
        /// A token was issued.
        TokenIssued = "token.issued",
        /// A token was revoked.
        TokenRevoked = "token.revoked",
        /// A token was looked at by a caller who had not looked at it before.
        TokenIntrospected = "token.introspected",
        /// A token was exchanged.
        TokenExchanged = "token.exchanged",
        /// Client authentication failed.
        AuthFailed = "auth.failed",
        /// An organization was created.
        OrganizationCreated = "organization.created",
        /// An organization was changed.
        OrganizationUpdated = "organization.updated",
        /// A change was answered before these members had confirmed that it is in force.
        ClusterMemberMissed = "cluster.member.missed",
        /// The cluster was founded again from what was left of it.
        ClusterRestored = "cluster.restored",
        /// Signing keys were rotated.
        KeyRotated = "key.rotated",
    }
}

named! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was refused.
        Failure = "failure",
    }
}

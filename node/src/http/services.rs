//! What endpoints can use. Built once by the composition root; nothing in it is global.

use std::sync::Arc;

use actors::{AuditHandle, KeyRotationHandle, LimiterHandle, TenantsHandle};
use cluster::ClusterHandle;
use domain::ports::{Agents, AuditTrail, Clock, Credentials, Entropy, Organizations, Replication, RevocationView};

use super::health::Health;
use super::keys::Keys;
use super::oauth::seen::SeenTokens;
use super::operator_token::OperatorToken;
use super::verifier::TokenVerifier;
use crate::policy::AccessRules;
use crate::telemetry::HttpMeters;

/// Everything that an endpoint may need.
pub struct Services {
    /// Who we say we are: `iss` of every token, and the base of every URL in metadata.
    pub issuer: String,
    /// Decides about clients, agents and credentials.
    pub tenants: TenantsHandle,
    /// Hands out permits.
    pub limiter: LimiterHandle,
    /// Takes audit records and says when they are durable.
    pub audit: AuditHandle,
    /// Has signing keys replaced.
    pub key_rotation: KeyRotationHandle,
    /// Reads agents.
    pub agents: Arc<dyn Agents>,
    /// Reads organizations.
    pub organizations: Arc<dyn Organizations>,
    /// Reads credentials.
    pub credentials: Arc<dyn Credentials>,
    /// Reads the audit log.
    pub audit_trail: Arc<dyn AuditTrail>,
    /// The replicated state's members.
    pub cluster: ClusterHandle,
    /// What operators show.
    pub operator_token: OperatorToken,
    /// Changes the replicated state.
    pub replication: Arc<dyn Replication>,
    /// Reads the replicated state.
    pub revocations: Arc<dyn RevocationView>,
    /// The signing keys that are in force.
    pub keys: Arc<Keys>,
    /// Checks tokens.
    pub verifier: TokenVerifier,
    /// Which tokens have been introspected by whom.
    pub seen: SeenTokens,
    /// Which route needs which scope.
    pub access: AccessRules,
    /// How the node feels.
    pub health: Health,
    /// Counters.
    pub meters: HttpMeters,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

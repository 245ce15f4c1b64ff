//! What the actors must be given.

use std::sync::Arc;

use domain::ports::{
    Agents, AuditTrail, Clients, Clock, Credentials, Entropy, KeyMaker, Organizations, Outbox, Replication,
    RevocationView, SigningKeys,
};
use protocol::ClientSecrets;

use crate::meters::ActorMeters;
use crate::settings::ActorSettings;

/// Ports, settings and meters; all of it is chosen by the composition root.
pub struct Dependencies {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where agents are kept.
    pub agents: Arc<dyn Agents>,
    /// Where credentials are kept.
    pub credentials: Arc<dyn Credentials>,
    /// How clients are found.
    pub clients: Arc<dyn Clients>,
    /// Where organizations are kept.
    pub organizations: Arc<dyn Organizations>,
    /// Where the audit log is kept.
    pub audit_trail: Arc<dyn AuditTrail>,
    /// Where it is kept what must still happen.
    pub outbox: Arc<dyn Outbox>,
    /// Changes the replicated state.
    pub replication: Arc<dyn Replication>,
    /// Reads the replicated state.
    pub revocations: Arc<dyn RevocationView>,
    /// Looks at signing keys and changes them.
    pub signing_keys: Arc<dyn SigningKeys>,
    /// Makes signing keys.
    pub key_maker: Arc<dyn KeyMaker>,
    /// The installation's digest key.
    pub secrets: Arc<ClientSecrets>,
    /// Limits and times.
    pub settings: ActorSettings,
    /// What is counted.
    pub meters: ActorMeters,
}

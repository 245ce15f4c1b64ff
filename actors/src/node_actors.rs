//! All actors of one node: started together, stopped together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::audit::AuditHandle;
use crate::composition::{self, Composed};
use crate::dependencies::Dependencies;
use crate::error::ActorError;
use crate::key_rotation::KeyRotationHandle;
use crate::limiter::{LimiterHandle, LimiterKin};
use crate::outbox::OutboxHandle;
use crate::supervision::{ActorsHealth, Child, Family, FamilyMessage, Keeper, answer};
use crate::tenant::{TenantsHandle, TenantsParts};

/// The actors of one node. They live until [`NodeActors::shutdown`].
pub struct NodeActors {
    /// Asks organizations.
    pub tenants: TenantsHandle,
    /// Hands out permits.
    pub limiter: LimiterHandle,
    /// Takes audit records.
    pub audit: AuditHandle,
    /// Tells the relay what is finished.
    pub outbox: OutboxHandle,
    /// Has signing keys replaced.
    pub key_rotation: KeyRotationHandle,
    /// Tells whether all of them are well.
    pub health: ActorsHealth,
    pub(crate) keeper: Keeper,
    pub(crate) children: Vec<Arc<dyn Child>>,
    pub(crate) organizations: Arc<TenantsParts>,
    pub(crate) limiters: Arc<Family<LimiterKin>>,
}

impl NodeActors {
    /// Starts the supervisor and the permanent actors. What an earlier start of a node that is alone has left behind is
    /// finished before this returns.
    pub async fn start(dependencies: Dependencies) -> Result<Self, ActorError> {
        let Composed {
            root,
            tenants,
            limiter,
            audit,
            outbox,
            key_rotation,
            organizations,
            limiters,
        } = composition::compose(dependencies);
        outbox.finish_at_start().await;
        let (health, children) = (root.health.clone(), root.children.clone());
        Ok(Self {
            keeper: Keeper::start(root).await?,
            tenants,
            limiter,
            audit,
            outbox,
            key_rotation,
            health,
            children,
            organizations,
            limiters,
        })
    }

    /// Stops everything in order, so that nothing that was taken is lost: organizations finish their writes, then the
    /// audit log and the outbox are written. What is not done by the deadline is left to the next start.
    pub async fn shutdown(self, deadline: Duration) {
        let end = Instant::now() + deadline;
        let left = || end.saturating_duration_since(Instant::now());
        let (done, closed) = oneshot::channel();
        let parent = &self.organizations.family.parent;
        if parent.send(FamilyMessage::Close(done)).is_err() || answer(left(), closed).await.is_err() {
            tracing::warn!("organizations did not finish in time");
        }
        self.audit.close(left()).await;
        self.outbox.close(left()).await;
        self.keeper.stop().await;
    }
}

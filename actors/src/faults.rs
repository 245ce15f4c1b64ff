//! Fault injection for tests and the simulator: kills actors as a bug in them would, in the middle of whatever they do.

use domain::{AgentId, OrganizationId};

use crate::node_actors::NodeActors;
use crate::supervision::ActorKind;

/// Which actor is killed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The root supervisor, and with it all others.
    Supervisor,
    /// The audit writer.
    AuditWriter,
    /// The outbox relay.
    OutboxRelay,
    /// The key-rotation schedule.
    KeyRotation,
    /// The parent of the tenants, and with it all of them.
    Tenants,
    /// One organization.
    Tenant(OrganizationId),
    /// The parent of the limiters, and with it all of them.
    Limiters,
    /// One client's limiter.
    Limiter(AgentId),
}

impl NodeActors {
    /// Kills an actor, if it lives. Returns at once; it may take a moment to be dead.
    #[doc(hidden)]
    pub fn kill(&self, victim: Victim) {
        match victim {
            Victim::Supervisor => self.keeper.kill(),
            Victim::AuditWriter => self.kill_permanent(ActorKind::AuditWriter),
            Victim::OutboxRelay => self.kill_permanent(ActorKind::OutboxRelay),
            Victim::KeyRotation => self.kill_permanent(ActorKind::KeyRotation),
            Victim::Tenants => self.kill_permanent(ActorKind::Tenants),
            Victim::Limiters => self.kill_permanent(ActorKind::Limiters),
            Victim::Tenant(organization) => self.organizations.family.kill(organization),
            Victim::Limiter(client) => self.limiters.kill(client),
        }
    }

    fn kill_permanent(&self, kind: ActorKind) {
        self.children
            .iter()
            .filter(|child| child.kind() == kind)
            .for_each(|child| child.kill());
    }
}

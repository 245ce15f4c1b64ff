//! The kinds of actors that a node has.

/// A kind of actor, as metrics and health reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActorKind {
    /// Starts and restarts the others.
    Supervisor,
    /// Appends to the audit log.
    AuditWriter,
    /// Finishes what a crash interrupted.
    OutboxRelay,
    /// Parent of the tenants.
    Tenants,
    /// One organization.
    Tenant,
    /// Parent of the limiters.
    Limiters,
    /// One client's rate limits.
    Limiter,
    /// Moves signing keys on.
    KeyRotation,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [ActorKind; 8] = [
        ActorKind::Supervisor,
        ActorKind::AuditWriter,
        ActorKind::OutboxRelay,
        ActorKind::Tenants,
        ActorKind::Tenant,
        ActorKind::Limiters,
        ActorKind::Limiter,
        ActorKind::KeyRotation,
    ];

    /// The name in metrics and health reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supervisor => "supervisor",
            Self::AuditWriter => "audit_writer",
            Self::OutboxRelay => "outbox_relay",
            Self::Tenants => "tenants",
            Self::Tenant => "tenant",
            Self::Limiters => "limiters",
            Self::Limiter => "limiter",
            Self::KeyRotation => "key_rotation",
        }
    }
}

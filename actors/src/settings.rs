//! The limits and times of the actors. Every one has a default that suits a node of a few cores.

use std::time::Duration;

use domain::KeyTerms;

use crate::supervision::RestartPolicy;

/// Everything that can be set.
#[derive(Clone, Debug, Default)]
pub struct ActorSettings {
    /// See [`AuditSettings`].
    pub audit: AuditSettings,
    /// See [`LimiterSettings`].
    pub limiter: LimiterSettings,
    /// See [`TenantSettings`].
    pub tenant: TenantSettings,
    /// See [`OutboxSettings`].
    pub outbox: OutboxSettings,
    /// See [`KeyRotationSettings`].
    pub key_rotation: KeyRotationSettings,
    /// How often a failing actor is replaced before it is left alone for a while.
    pub restarts: RestartPolicy,
}

/// How audit records are grouped into transactions.
#[derive(Clone, Copy, Debug)]
pub struct AuditSettings {
    /// The most records of one transaction.
    pub batch_max: usize,
    /// How long a record may wait until as many others have come as the last transaction had; zero is not at all.
    pub batch_wait: Duration,
    /// How long a record that does not press may wait until one does.
    pub unhurried_wait: Duration,
    /// The most records that wait; beyond, records are refused.
    pub waiting_max: usize,
    /// How long a caller waits for its record to be durable.
    pub deadline: Duration,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            batch_max: 512,
            batch_wait: Duration::from_millis(2),
            unhurried_wait: Duration::from_millis(50),
            waiting_max: 16_384,
            deadline: Duration::from_secs(5),
        }
    }
}

/// How often a client may ask.
#[derive(Clone, Copy, Debug)]
pub struct LimiterSettings {
    /// Requests to the management API in a minute; 0 is no limit.
    pub requests_per_minute: u32,
    /// Token requests in a minute; 0 is no limit.
    pub token_requests_per_minute: u32,
    /// Introspections in a minute; 0 is no limit.
    pub introspect_per_minute: u32,
    /// Verifications of the audit chain in a minute; 0 is no limit.
    pub verify_per_minute: u32,
    /// The most clients that are counted apart; beyond, clients share one more limit between them.
    pub clients_max: usize,
    /// The most limiters that live at once. A client's permits outlive its limiter, which is needed once in a window.
    pub actors_max: usize,
    /// How often clients that have not asked for a while are forgotten.
    pub sweep: Duration,
    /// How long a new window may take to open before the request is refused.
    pub deadline: Duration,
}

impl Default for LimiterSettings {
    fn default() -> Self {
        Self {
            requests_per_minute: 100,
            token_requests_per_minute: 100,
            introspect_per_minute: 100,
            verify_per_minute: 30,
            clients_max: 65_536,
            actors_max: 1024,
            sweep: Duration::from_secs(15),
            deadline: Duration::from_secs(1),
        }
    }
}

/// How organizations are served.
#[derive(Clone, Copy, Debug)]
pub struct TenantSettings {
    /// The most clients that are kept warm, over all organizations; some 1.5 KB each.
    pub clients_max: usize,
    /// The most client ids that are remembered to be unknown.
    pub unknown_max: usize,
    /// How long a client id is remembered to be unknown.
    pub unknown_for: Duration,
    /// The most loads from the store that are under way for clients that are not warm.
    pub loads_max: usize,
    /// The most organizations with a living actor.
    pub tenants_max: usize,
    /// How long an organization that nobody asks for keeps its actor.
    pub idle_after: Duration,
    /// How often idle organizations are looked for, and what is due is written down.
    pub tick: Duration,
    /// The most decisions that wait in one organization.
    pub decisions_max: usize,
    /// The most writes that wait in one organization.
    pub writes_max: usize,
    /// How long a decision may take.
    pub decision_deadline: Duration,
    /// How long a client's look-up in the store may take.
    pub load_deadline: Duration,
    /// How long a write may take, its replication included.
    pub write_deadline: Duration,
    /// How many failed authentications of one client are recorded one by one in a minute; the rest is summed up.
    pub failures_recorded_per_minute: u32,
    /// How long the time of a credential's last use stays in memory before it is written down.
    pub usage_flush: Duration,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            clients_max: 100_000,
            unknown_max: 65_536,
            unknown_for: Duration::from_secs(3),
            loads_max: 1024,
            tenants_max: 10_000,
            idle_after: Duration::from_secs(300),
            tick: Duration::from_secs(10),
            decisions_max: 4096,
            writes_max: 256,
            decision_deadline: Duration::from_secs(1),
            load_deadline: Duration::from_secs(4),
            write_deadline: Duration::from_secs(8),
            failures_recorded_per_minute: 10,
            usage_flush: Duration::from_secs(45),
        }
    }
}

/// How the outbox is emptied.
#[derive(Clone, Copy, Debug)]
pub struct OutboxSettings {
    /// How long a finished entry waits for company before it is marked as complete.
    pub collect: Duration,
    /// The most finished entries that wait; beyond, they are left to the sweep.
    pub finished_max: usize,
    /// How often entries that stayed behind are looked for.
    pub sweep: Duration,
    /// How long a node must have seen an entry to be pending, by its own monotonic clock, to take it for left behind.
    /// Longer than [`TenantSettings::write_deadline`]: within that, counted from before its commit, a write is proposed
    /// (which the cluster gives up after 5 s, the 500 ms for silent members among them) and, if it kills tokens, marked,
    /// or it is not answered as done. So whatever is repeated was not answered, whoever writes and however clocks are set.
    pub grace: Duration,
    /// The most entries that are looked at together.
    pub page: u32,
    /// The most pending entries that are remembered from one look to the next; those beyond are looked at when there is
    /// room.
    pub remembered_max: usize,
    /// How long one call of the store or of the cluster may take.
    pub deadline: Duration,
    /// The longest pause between two tries while the store or the cluster is away.
    pub backoff_max: Duration,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            collect: Duration::from_millis(100),
            finished_max: 65_536,
            sweep: Duration::from_secs(1),
            grace: TenantSettings::default().write_deadline + Duration::from_secs(2),
            page: 256,
            remembered_max: 16_384,
            deadline: Duration::from_secs(10),
            backoff_max: Duration::from_secs(30),
        }
    }
}

/// When signing keys are replaced. The composition root sees to it that these can be kept together.
#[derive(Clone, Copy, Debug)]
pub struct KeyRotationSettings {
    /// For how long a key signs.
    pub rotation_interval: Duration,
    /// For how long it is published before.
    pub publish_ahead: Duration,
    /// For how long it is kept afterwards.
    pub retain: Duration,
    /// What is promised to whoever verifies tokens.
    pub terms: KeyTerms,
    /// How often the schedule looks at the ring, which is in memory.
    pub look_every: Duration,
    /// How long one step may take.
    pub deadline: Duration,
    /// The longest pause between two tries while the store or the cluster is away.
    pub backoff_max: Duration,
}

impl Default for KeyRotationSettings {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            rotation_interval: day * 90,
            publish_ahead: day,
            retain: KeyTerms::DEFAULT.kept_after_use(),
            terms: KeyTerms::DEFAULT,
            look_every: Duration::from_millis(500),
            deadline: Duration::from_secs(10),
            backoff_max: Duration::from_secs(30),
        }
    }
}

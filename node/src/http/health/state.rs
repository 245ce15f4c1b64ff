//! What health is told from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::ActorsHealth;
use cluster::{ClusterHandle, ClusterStatus};
use domain::SealingProgress;
use domain::ports::{Clock, RevocationView, SigningKeys as _};
use metrics::{Gauge, Histogram};
use serde::Serialize;
use storage::Stores;

use super::certificate_gauges::ShownCertificates;
use super::redis_probe::RedisProbe;
use crate::build_info::{COMMIT, VERSION};
use crate::telemetry::{KeyMeters, Meters, STORE_SECONDS};

/// A dependency that takes longer is degraded.
const SLOW: Duration = Duration::from_secs(1);
/// A dependency that takes longer is unreachable.
const DEADLINE: Duration = Duration::from_secs(3);

/// Whether a node should be sent requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It should.
    Ready,
    /// It should not: why.
    NotReady(&'static str),
}

/// How a dependency does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It answers.
    Healthy,
    /// It answers after more than a second.
    Degraded,
    /// It does not answer.
    Unreachable,
}

/// One dependency.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// How it does.
    pub status: Condition,
    /// How long it took to answer, in milliseconds.
    pub latency_ms: u64,
}

/// Knows how the node feels. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    stores: Stores,
    cluster: ClusterHandle,
    actors: ActorsHealth,
    redis: Option<RedisProbe>,
    clock: Arc<dyn Clock>,
    draining: Arc<AtomicBool>,
    removing: Arc<AtomicBool>,
    active_connections: Gauge,
    waiting_requests: Gauge,
    ping_seconds: Histogram,
    keys: KeyMeters,
    certificates: ShownCertificates,
    meters: Meters,
}

impl Health {
    /// Over everything that the node depends on.
    pub fn new(
        stores: Stores,
        cluster: ClusterHandle,
        actors: ActorsHealth,
        redis: Option<RedisProbe>,
        clock: Arc<dyn Clock>,
        certificates: ShownCertificates,
        meters: &Meters,
    ) -> Self {
        meters
            .gauge("build_info", &[("version", VERSION), ("commit", COMMIT)])
            .set(1.0);
        let (active_connections, waiting_requests) = (
            meters.gauge("db_pool_active_connections", &[]),
            meters.gauge("db_pool_waiting_requests", &[]),
        );
        Self {
            stores,
            cluster,
            actors,
            redis,
            clock,
            draining: Arc::default(),
            removing: Arc::default(),
            active_connections,
            waiting_requests,
            ping_seconds: meters.histogram(STORE_SECONDS, &[("operation", "ping")]),
            keys: KeyMeters::new(meters.clone()),
            certificates,
            meters: meters.clone(),
        }
    }

    /// The node is going down and wants no more requests.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// The node is about to be removed from its cluster, or is not after all.
    pub fn set_removing(&self, is_removing: bool) {
        self.removing.store(is_removing, Ordering::Release);
    }

    /// Whether the node should be sent requests. Looks at memory only.
    pub fn readiness(&self) -> Readiness {
        if self.draining.load(Ordering::Acquire) {
            Readiness::NotReady("draining")
        } else if self.removing.load(Ordering::Acquire) {
            Readiness::NotReady("removed from the cluster")
        } else if !self.actors.is_ready() {
            Readiness::NotReady("actors")
        } else if self.cluster.revision().is_err() {
            Readiness::NotReady("replication")
        } else {
            Readiness::Ready
        }
    }

    /// How the store does.
    pub async fn check_store(&self) -> Check {
        let ping = async {
            let took = self.stores.ping().await;
            took.map(|took| self.ping_seconds.record(took)).is_ok()
        };
        self.timed(ping).await
    }

    /// How Redis does, if there is one.
    pub async fn check_redis(&self) -> Option<Check> {
        match &self.redis {
            Some(redis) => Some(self.timed(redis.ping()).await),
            None => None,
        }
    }

    /// How the replicated state does.
    pub fn replication(&self) -> ClusterStatus {
        self.cluster.status()
    }

    /// How far a change of the master key has come.
    pub fn sealing(&self) -> SealingProgress {
        self.cluster.view().map(|ring| ring.sealing).unwrap_or_default()
    }

    /// Whether the view of revocations is recent enough to vouch for tokens.
    pub fn is_fresh(&self) -> bool {
        self.cluster.revision().is_ok()
    }

    /// Reads what is only read when somebody looks.
    pub async fn refresh_gauges(&self) {
        let pool = self.stores.pool_state();
        self.active_connections.set(f64::from(pool.active));
        self.waiting_requests.set(f64::from(pool.waiting));
        self.check_store().await;
        self.cluster.measure();
        if let Some(ring) = self.cluster.view() {
            self.keys.show(&ring, self.clock.now());
        }
        self.certificates.show(&self.meters, self.clock.now());
    }

    async fn timed(&self, answers: impl Future<Output = bool>) -> Check {
        let started = self.clock.monotonic();
        let answered = tokio::time::timeout(DEADLINE, answers).await.unwrap_or(false);
        let took = self.clock.monotonic().saturating_sub(started);
        let status = match answered {
            false => Condition::Unreachable,
            true if took > SLOW => Condition::Degraded,
            true => Condition::Healthy,
        };
        Check {
            status,
            latency_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

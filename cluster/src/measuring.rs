//! Brings a node's view of the cluster to its meters, when somebody looks at them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::Gauge;

use crate::meters::ClusterMeters;
use crate::network::Transport;
use crate::status::{Role, StatusWatch};

/// What is looked at, and where it goes.
pub(crate) struct Measuring {
    watch: StatusWatch,
    transport: Arc<dyn Transport>,
    meters: ClusterMeters,
    /// The gauges of the members that there are, or were since this node started.
    lags: Mutex<BTreeMap<u64, Gauge>>,
}

impl Measuring {
    pub(crate) fn new(watch: StatusWatch, transport: Arc<dyn Transport>, meters: ClusterMeters) -> Self {
        Self {
            watch,
            transport,
            meters,
            lags: Mutex::default(),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a float; terms, indexes and counts stay far below 2^53"
    )]
    pub(crate) fn measure(&self) {
        let (status, meters) = (self.watch.status(), &self.meters);
        meters.term.set(status.term as f64);
        meters
            .is_leader
            .set(if status.role == Role::Leader { 1.0 } else { 0.0 });
        meters.last_applied_index.set(status.last_applied.unwrap_or(0) as f64);
        meters.revocation_set_size.set(status.revocations as f64);
        let staleness = status.staleness;
        meters.revocation_staleness_seconds.set(if staleness == Duration::MAX {
            f64::INFINITY
        } else {
            staleness.as_secs_f64()
        });
        meters.peer_connections.set(self.transport.connections() as f64);
        self.measure_lags();
    }

    /// Only a leader knows how far the others are; elsewhere, and of who has left, nothing is known.
    #[expect(clippy::cast_precision_loss, reason = "a lag stays far below 2^53")]
    fn measure_lags(&self) {
        let mut gauges = self.lags.lock().unwrap_or_else(PoisonError::into_inner);
        let lags = self.watch.replication_lags();
        for (peer, gauge) in gauges.iter() {
            if !lags.contains_key(peer) {
                gauge.set(f64::NAN);
            }
        }
        for (peer, lag) in lags {
            let gauge_of = &self.meters.replication_lag_entries;
            gauges.entry(peer).or_insert_with(|| gauge_of(peer)).set(lag as f64);
        }
    }
}

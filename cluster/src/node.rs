//! A member of the cluster: opens its folder, joins the consensus, keeps its view fresh, and lets go of everything in
//! the right order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openraft::{Config, SnapshotPolicy};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::batching::Proposer;
use crate::config::{ClusterConfig, ClusterPorts, Execution};
use crate::error::ClusterError;
use crate::freshness::{Freshness, keep_fresh};
use crate::handle::{ClusterHandle, Parts};
use crate::log_store::{LogStore, RaftFolder};
use crate::network::{ENTRIES_PER_MESSAGE, Links, Receiving};
use crate::publish::Published;
use crate::raft_types::{Member, Raft};
use crate::state_machine::{Snapshots, StateAt, StateMachine};
use crate::ticking::{SteadyClock, keep_ticking};

/// How many entries that a snapshot covers stay in the log, for followers that are a little behind.
const ENTRIES_KEPT_BEHIND_SNAPSHOT: u64 = 1_000;
/// How long to wait before looking again whether there is a leader.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// A running member. Dropping it without [`ClusterNode::shutdown`] leaves its tasks to the runtime.
pub struct ClusterNode {
    handle: ClusterHandle,
    raft: Raft,
    log: LogStore,
    tasks: Vec<JoinHandle<()>>,
    folder: RaftFolder,
}

impl ClusterNode {
    /// Opens the node's folder and joins the cluster; a node that finds nothing founds a cluster of one. Returns when
    /// the node has a leader and a view that is proven to be recent, or fails after `start_deadline`.
    pub async fn start(config: ClusterConfig, ports: ClusterPorts) -> Result<Self, ClusterError> {
        let (node_id, deadline) = (config.node_id, config.start_deadline);
        let mut node = Self::launch(config, ports).await?;
        match node.begin(node_id, deadline).await {
            Ok(()) => Ok(node),
            Err(error) => {
                node.stop().await;
                Err(error)
            }
        }
    }

    /// Opens the node's folder and takes part, without waiting for anything.
    pub(crate) async fn launch(config: ClusterConfig, ports: ClusterPorts) -> Result<Self, ClusterError> {
        config.validate()?;
        let raft_config = Arc::new(raft_config(&config)?);
        let Opened {
            folder,
            log,
            snapshots,
            at,
        } = open(&config).await?;
        let published = Arc::new(Published::new(at.state.clone()));
        let snapshots = Arc::new(snapshots);
        let machine = StateMachine::new(at, published.clone(), snapshots.clone(), config.execution);
        let links = Links(ports.transport.clone());
        let raft = Raft::new(config.node_id, raft_config, links, log.clone(), machine)
            .await
            .map_err(|fatal| ClusterError::corrupt(folder.path(), fatal.to_string()))?;
        let receiving = Receiving::new(raft.clone(), snapshots);
        let (handle, tasks) = assemble(&config, &ports, raft.clone(), published, receiving);
        Ok(Self {
            handle,
            raft,
            log,
            tasks,
            folder,
        })
    }

    /// What reads and changes the replicated state.
    pub fn handle(&self) -> ClusterHandle {
        self.handle.clone()
    }

    /// Stops taking part, writes what is waiting and lets go of the folder. Handles answer with errors from now on.
    pub async fn shutdown(mut self) -> Result<(), ClusterError> {
        let failure = self.handle.status().failure;
        self.stop().await;
        failure.map_or(Ok(()), |failure| Err(ClusterError::Stopped(failure)))
    }

    async fn stop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        if let Err(error) = self.raft.shutdown().await {
            tracing::error!(%error, "the consensus did not end as it should");
        }
        self.log.close().await;
        tracing::info!(folder = %self.folder.path().display(), "the replicated log is closed");
    }

    async fn begin(&mut self, node_id: u64, deadline: Duration) -> Result<(), ClusterError> {
        let begun_at = Instant::now();
        let stopped = |error: &dyn std::fmt::Display| ClusterError::Stopped(error.to_string());
        if !self.raft.is_initialized().await.map_err(|error| stopped(&error))? {
            let alone = BTreeMap::from([(node_id, Member::default())]);
            self.raft.initialize(alone).await.map_err(|error| stopped(&error))?;
        } else if self.raft.voter_ids().eq([node_id]) {
            // Nobody else can lead: there is no need to wait for an election time-out.
            self.raft
                .trigger()
                .elect(false)
                .await
                .map_err(|error| stopped(&error))?;
        }
        while begun_at.elapsed() < deadline {
            if let Some(failure) = self.handle.status().failure {
                return Err(ClusterError::Stopped(failure));
            }
            if self.handle.refresh().await.is_ok() {
                return Ok(());
            }
            sleep(LOOK_AGAIN_AFTER).await;
        }
        Err(ClusterError::NoLeader { waited: deadline })
    }
}

/// The handle, and the tasks that serve it.
fn assemble(
    config: &ClusterConfig,
    ports: &ClusterPorts,
    raft: Raft,
    published: Arc<Published>,
    receiving: Receiving,
) -> (ClusterHandle, Vec<JoinHandle<()>>) {
    let freshness = Arc::new(Freshness::new(ports.clock.clone(), config.max_revocation_staleness));
    let latency = ports.meters.commit_latency_seconds.clone();
    let (proposer, batching) = Proposer::new(raft.clone(), config.proposal_deadline, latency);
    let steady_clock = Arc::new(SteadyClock::new(ports.clock.clone()));
    let handle = ClusterHandle::new(Parts {
        raft: raft.clone(),
        published: published.clone(),
        proposer: proposer.clone(),
        freshness: freshness.clone(),
        steady_clock: steady_clock.clone(),
        entropy: ports.entropy.clone(),
        master_keys: ports.master_keys.clone(),
        receiving,
    });
    let (measured, meters) = (handle.clone(), ports.meters.clone());
    let measure = move || measured.measure(&meters);
    let tasks = vec![
        tokio::spawn(batching.run()),
        tokio::spawn(keep_fresh(freshness, raft.clone(), config.freshness_interval, measure)),
        tokio::spawn(keep_ticking(
            steady_clock,
            published,
            proposer,
            raft,
            config.tick_interval,
        )),
    ];
    (handle, tasks)
}

struct Opened {
    folder: RaftFolder,
    log: LogStore,
    snapshots: Snapshots,
    at: StateAt,
}

async fn open(config: &ClusterConfig) -> Result<Opened, ClusterError> {
    let (data_dir, node_id, execution) = (config.data_dir.clone(), config.node_id, config.execution);
    let open = move || {
        let folder = RaftFolder::open(&data_dir, node_id)?;
        let (snapshots, latest) = Snapshots::open(folder.snapshots())?;
        let log = LogStore::open(&folder, execution)?;
        let at = latest.unwrap_or_else(StateAt::initial);
        log.check_continues(at.applied, folder.path())?;
        Ok(Opened {
            folder,
            log,
            snapshots,
            at,
        })
    };
    match execution {
        Execution::Inline => open(),
        Execution::Threads => tokio::task::spawn_blocking(open)
            .await
            .map_err(|error| ClusterError::Stopped(format!("opening the replicated log failed: {error}")))?,
    }
}

fn raft_config(config: &ClusterConfig) -> Result<Config, ClusterError> {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let chosen = Config {
        cluster_name: "agentidp".to_owned(),
        heartbeat_interval: millis(config.heartbeat),
        election_timeout_min: millis(config.election_timeout.0),
        election_timeout_max: millis(config.election_timeout.1),
        max_payload_entries: ENTRIES_PER_MESSAGE,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(config.snapshot_every),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT_BEHIND_SNAPSHOT,
        replication_lag_threshold: config.snapshot_every.saturating_mul(2),
        enable_pre_vote: Some(true),
        // The state is in memory: a node that led before it restarted must be confirmed by an election, or it would
        // lead with a state that lacks what it had applied.
        enable_leader_restore: Some(false),
        ..Config::default()
    };
    chosen.validate().map_err(|error| {
        tracing::error!(%error, "the consensus refuses its settings");
        ClusterError::Config("the consensus refuses them; see the log")
    })
}

#[cfg(test)]
mod tests;

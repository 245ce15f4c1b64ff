//! A member of the cluster: opens its folder, joins the consensus, keeps its view fresh, and lets go of everything in
//! the right order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::Entropy;
use openraft::{Config, SnapshotPolicy};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::admission::Admission;
use crate::barrier::Barrier;
use crate::batching::Proposer;
use crate::belonging::keep_belonging;
use crate::catching_up::{CatchingUp, keep_back};
use crate::command::BatchId;
use crate::compacting::keep_compact;
use crate::config::{ClusterConfig, ClusterPorts, Founding};
use crate::drain::Drain;
use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::Files;
use crate::finishing::keep_finishing;
use crate::freshness::{Freshness, keep_fresh};
use crate::giving_way::keep_giving_way;
use crate::greeted::Greeted;
use crate::handle::{ClusterHandle, Joining, Parts};
use crate::leader::LeaderLink;
use crate::log_store::{LogStore, RaftFolder};
use crate::measuring::Measuring;
use crate::network::{AboutItself, ENTRIES_PER_MESSAGE, Links, Peers, Receiving};
use crate::placing::keep_placing;
use crate::preferring::keep_preferring;
use crate::progress::BatchWatch;
use crate::promoting::keep_promoting;
use crate::publish::Published;
use crate::raft_types::{Member, Raft};
use crate::raising::Raising;
use crate::report::MemberReport;
use crate::state_machine::{Snapshots, StateAt, StateMachine};
use crate::status::StatusWatch;
use crate::ticking::{SteadyClock, keep_ticking};

/// How often a node that waits for others says so.
const SAY_AFTER: Duration = Duration::from_secs(10);
/// How long to wait before looking again whether there is a leader.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// A running member. Dropping it without [`ClusterNode::shutdown`] leaves its tasks to the runtime.
pub struct ClusterNode {
    handle: ClusterHandle,
    raft: Raft,
    log: LogStore,
    raising: Arc<Raising>,
    tasks: Vec<JoinHandle<()>>,
    folder: RaftFolder,
    catching_up: Arc<CatchingUp>,
    config: ClusterConfig,
}

impl ClusterNode {
    /// Opens the node's folder, takes part in its cluster, and waits until it is [ready](ClusterNode::ready). A node that
    /// finds nothing founds a cluster of one.
    pub async fn start(config: ClusterConfig, ports: ClusterPorts) -> Result<Self, ClusterError> {
        let node = Self::open(config, ports).await?;
        match node.ready().await {
            Ok(()) => Ok(node),
            Err(error) => {
                node.close().await;
                Err(error)
            }
        }
    }

    /// Opens the node's folder and takes part, without waiting for anything: the node answers the other members from now
    /// on, if what they say is brought to [`ClusterHandle::answer_peer`].
    pub async fn open(config: ClusterConfig, ports: ClusterPorts) -> Result<Self, ClusterError> {
        config.validate()?;
        let raft_config = raft_config(&config)?;
        let Opened {
            folder,
            catching_up,
            log,
            snapshots,
            at,
        } = open(&config, ports.files.clone()).await?;
        let raft_config = Arc::new(Config {
            enable_elect: !catching_up.is_under_way(),
            ..raft_config
        });
        let published = Arc::new(Published::new(&at, log.held()));
        let snapshots = Arc::new(snapshots);
        let machine = StateMachine::new(at, published.clone(), snapshots.clone());
        let peers = Peers::new(ports.transport.clone());
        let first = first_batch(config.node_id, ports.entropy.as_ref());
        let links = Links::new(peers.clone(), config.node_id, first.incarnation, config.execution);
        let raft = Box::pin(Raft::new(config.node_id, raft_config, links, log.clone(), machine))
            .await
            .map_err(|fatal| ClusterError::corrupt(folder.path(), fatal.to_string()))?;
        let greeted = Arc::new(Greeted {
            raft: raft.clone(),
            published,
            formats: config.formats,
            halt: Arc::default(),
        });
        let (handle, raising, tasks) = assemble(
            &config,
            &ports,
            &greeted,
            (peers, first),
            (snapshots, &log, &catching_up),
        );
        Ok(Self {
            handle,
            raft,
            log,
            raising,
            tasks,
            folder,
            catching_up,
            config,
        })
    }

    /// Waits until the node has a leader and a view that is proven to be recent. A node that is the whole cluster fails
    /// after `start_deadline`; one that depends on others, or waits to be added, goes on waiting and says so in the log.
    pub async fn ready(&self) -> Result<(), ClusterError> {
        let begun_at = Instant::now();
        self.found_or_elect().await?;
        let mut say_at = begun_at + SAY_AFTER;
        loop {
            if let Some(failure) = self.handle.status().failure {
                return Err(ClusterError::Stopped(failure));
            }
            if self.handle.refresh().await.is_ok() {
                // A node that is the whole cluster need not wait for anybody to agree.
                self.raising.raise().await;
                return self.correct_own_entry().await;
            }
            if self.is_alone() && begun_at.elapsed() >= self.config.start_deadline {
                return Err(ClusterError::NoLeader {
                    waited: self.config.start_deadline,
                });
            }
            if Instant::now() >= say_at {
                say_at += SAY_AFTER;
                self.say_what_it_waits_for();
            }
            sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// What reads and changes the replicated state.
    pub fn handle(&self) -> ClusterHandle {
        self.handle.clone()
    }

    /// Stops taking part, writes what is waiting and lets go of the folder. Handles answer with errors from now on.
    pub async fn shutdown(self) -> Result<(), ClusterError> {
        let failure = self.handle.status().failure;
        self.close().await;
        failure.map_or(Ok(()), |failure| Err(ClusterError::Stopped(failure)))
    }

    async fn close(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Err(error) = self.raft.shutdown().await {
            tracing::error!(%error, "the consensus did not end as it should");
        }
        self.log.close().await;
        tracing::info!(folder = %self.folder.path().display(), "the replicated log is closed");
    }

    async fn found_or_elect(&self) -> Result<(), ClusterError> {
        let node_id = self.config.node_id;
        let stopped = |error: &dyn std::fmt::Display| ClusterError::Stopped(error.to_string());
        if !self.raft.is_initialized().await.map_err(|error| stopped(&error))? {
            if self.config.founding == Founding::Alone {
                let alone = BTreeMap::from([(node_id, self.config.member())]);
                self.raft.initialize(alone).await.map_err(|error| stopped(&error))?;
            }
        } else if self.is_alone() {
            // Nobody else can lead: there is no need to wait for an election time-out.
            let electing = self.raft.trigger().elect(false).await;
            electing.map_err(|error| stopped(&error))?;
        }
        Ok(())
    }

    /// Whoever is alone may have moved: then those who join later must learn of it. A member of several that moves is
    /// added anew, since it can't change anything before it is heard.
    async fn correct_own_entry(&self) -> Result<(), ClusterError> {
        if !self.is_alone() {
            return Ok(());
        }
        let Member {
            address,
            region,
            wants_vote,
        } = self.config.member();
        let own = Joining {
            node_id: self.config.node_id,
            address,
            region,
            wants_vote,
            known_format: Some(self.config.formats.known()),
        };
        self.handle.add_member(own).await
    }

    fn is_alone(&self) -> bool {
        !self.catching_up.is_under_way() && self.raft.voter_ids().eq([self.config.node_id])
    }

    fn say_what_it_waits_for(&self) {
        if self.raft.voter_ids().next().is_none() {
            tracing::warn!("this node belongs to no cluster yet; it waits to be added: agentidp cluster join");
        } else {
            tracing::warn!("a majority of the cluster's members can't be reached; this node waits for them");
        }
    }
}

/// The handle, and the tasks that serve it.
fn assemble(
    config: &ClusterConfig,
    ports: &ClusterPorts,
    greeted: &Arc<Greeted>,
    (peers, first): (Peers, BatchId),
    (snapshots, log, catching_up): (Arc<Snapshots>, &LogStore, &Arc<CatchingUp>),
) -> (ClusterHandle, Arc<Raising>, Vec<JoinHandle<()>>) {
    let (raft, published) = (greeted.raft.clone(), greeted.published.clone());
    let admission = Admission::new(raft.clone(), peers.clone(), published.clone());
    let leader = LeaderLink::new(raft.clone(), peers, admission.clone());
    let raising = Arc::new(Raising {
        leader: leader.clone(),
        admission: admission.clone(),
        published: published.clone(),
        formats: config.formats,
        software: config.version.clone(),
        entropy: ports.entropy.clone(),
    });
    let freshness = Arc::new(Freshness::new(ports.clock.clone(), config.max_revocation_staleness));
    let latency = ports.meters.commit_latency_seconds.clone();
    let batches = BatchWatch::new(published.clone());
    let barrier = Barrier::new(leader.clone(), published.clone(), batches, config.barrier_limit);
    let (proposer, batching) = Proposer::new(
        (leader.clone(), barrier),
        (published.clone(), freshness.clone()),
        first,
        config.proposal_deadline,
        latency,
    );
    let steady_clock = Arc::new(SteadyClock::new(ports.clock.clone()));
    let watch = StatusWatch::new(greeted, freshness.clone());
    let (watched, clock, version) = (watch.clone(), ports.clock.clone(), config.version.clone());
    let started_at = clock.monotonic();
    let report = move || {
        let uptime = clock.monotonic().saturating_sub(started_at);
        MemberReport::new(&watched.status(), version.clone(), uptime)
    };
    let about = AboutItself {
        report: Box::new(report),
        master_keys: ports.master_keys.ids(),
    };
    let drain = Arc::new(Drain::new(freshness.clone()));
    let handle = ClusterHandle::new(Parts {
        leader: leader.clone(),
        published: published.clone(),
        proposer: proposer.clone(),
        freshness: freshness.clone(),
        measuring: Measuring::new(watch.clone(), ports.transport.clone(), ports.meters.clone()),
        watch,
        steady_clock: steady_clock.clone(),
        entropy: ports.entropy.clone(),
        master_keys: ports.master_keys.clone(),
        receiving: Receiving::new(admission.clone(), snapshots.clone(), greeted, about, drain.clone()),
        drain,
        greeted: greeted.clone(),
        snapshots,
    });
    let mut tasks = vec![
        tokio::spawn(batching.run()),
        tokio::spawn(keep_back(
            catching_up.clone(),
            freshness.clone(),
            raft.clone(),
            config.execution,
        )),
        tokio::spawn(keep_belonging(leader.clone(), freshness.clone(), greeted.halt.clone())),
        tokio::spawn(keep_fresh(
            freshness,
            (leader, published.clone()),
            config.freshness_interval,
        )),
        tokio::spawn(keep_ticking(
            steady_clock,
            published.clone(),
            proposer.clone(),
            raft.clone(),
            config.tick_interval,
        )),
        tokio::spawn(keep_placing(raft.clone(), published, proposer)),
        tokio::spawn(keep_promoting(raft.clone(), admission.clone())),
        tokio::spawn(keep_finishing(raft.clone())),
        tokio::spawn(keep_giving_way(raft.clone(), config.election_timeout.1)),
        tokio::spawn(keep_compact(log.clone(), raft.clone())),
        tokio::spawn(raising.clone().run()),
        tokio::spawn(halt_when_asked(greeted.clone())),
    ];
    if !config.preferred_leader_region.is_empty() {
        let region = config.preferred_leader_region.clone();
        tasks.push(tokio::spawn(keep_preferring(raft, region, config.lead_at_least)));
    }
    (handle, raising, tasks)
}

/// Ends a node's part in the consensus for good if it must not go on; its handle answers with errors from then on.
async fn halt_when_asked(greeted: Arc<Greeted>) {
    let reason = greeted.halt.asked().await;
    tracing::error!(reason, "this node stops taking part");
    if let Err(error) = greeted.raft.shutdown().await {
        tracing::error!(%error, "the consensus did not end as it should");
    }
}

/// The batches, and what else this start sends, are told from those of earlier ones by a random number.
fn first_batch(node_id: u64, entropy: &dyn Entropy) -> BatchId {
    let mut random = [0u8; 8];
    entropy.fill(&mut random);
    BatchId {
        node_id,
        incarnation: u64::from_le_bytes(random),
        number: 1,
    }
}

struct Opened {
    folder: RaftFolder,
    catching_up: Arc<CatchingUp>,
    log: LogStore,
    snapshots: Snapshots,
    at: StateAt,
}

async fn open(config: &ClusterConfig, files: Arc<dyn Files>) -> Result<Opened, ClusterError> {
    let (data_dir, node_id, execution) = (config.data_dir.clone(), config.node_id, config.execution);
    let (known, software) = (config.formats.known(), config.version.clone());
    let founding = config.founding;
    let open = move || {
        let folder = RaftFolder::open(files, &data_dir, node_id, &software)?;
        let (snapshots, log, at) = read(&folder, known, execution).map_err(|error| folder.explain(error))?;
        let begins = (log.is_untouched() && at.applied.is_none()).then_some(founding);
        let catching_up = Arc::new(CatchingUp::open(&folder, begins)?);
        folder.sign(&software)?;
        Ok(Opened {
            folder,
            catching_up,
            log,
            snapshots,
            at,
        })
    };
    let opened = execution.run(open).await;
    opened.map_err(|error| ClusterError::Stopped(format!("opening the replicated log failed: {error}")))?
}

/// Between which times the consensus is to draw how long a follower waits *beyond* the lease of its leader. The lease is
/// as long as the greater of the two, so that both together lie between the two election timeouts. The smaller one is
/// also how long the others may take to answer a candidate, so it is not as small as it could be.
fn patience(config: &ClusterConfig) -> Range<Duration> {
    let (shortest, longest) = config.election_timeout;
    let lease = longest / 2;
    let least = config.heartbeat + config.heartbeat / 10 + Duration::from_millis(1);
    let wait = shortest.saturating_sub(lease).max(lease / 2).max(least);
    wait..lease.max(wait + Duration::from_millis(1))
}

fn read(folder: &RaftFolder, known: u8, execution: Execution) -> Result<(Snapshots, LogStore, StateAt), ClusterError> {
    let log = LogStore::open(folder, known, execution)?;
    let (snapshots, latest) = match Snapshots::open(folder, known, execution) {
        // Nothing is lost: the log still has everything from the first entry on.
        Err(error @ ClusterError::CorruptLog { .. }) if log.is_complete() => {
            let damaged = Snapshots::set_aside(folder)?;
            tracing::warn!(%error, kept = %damaged.display(), "the snapshot is damaged; the state is made anew from the log");
            Snapshots::open(folder, known, execution)?
        }
        opened => opened?,
    };
    let at = latest.unwrap_or_else(StateAt::initial);
    log.check_continues(at.applied, folder.path())?;
    Ok((snapshots, log, at))
}

fn raft_config(config: &ClusterConfig) -> Result<Config, ClusterError> {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let patience = patience(config);
    let chosen = Config {
        cluster_name: "agentidp".to_owned(),
        heartbeat_interval: millis(config.heartbeat),
        election_timeout_min: millis(patience.start),
        election_timeout_max: millis(patience.end),
        max_payload_entries: ENTRIES_PER_MESSAGE,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(config.snapshot_every),
        max_in_snapshot_log_to_keep: config.entries_kept,
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

//! What stands before anything is served: the data directory, the master key, the store and the replicated state.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::{ClusterConfig, ClusterMeters, ClusterNode, ClusterPorts, Formats, Founding, MasterKeys, OsFiles};
use domain::Organization;
use storage::{EmbeddedStore, Execution, PostgresConfig, PostgresStore, Stores};
use tokio::time::timeout;

use super::error::StartError;
use super::machine::Machine;
use super::master_key::{self, MasterKeyPolicy};
use super::metered::metered;
use super::peer_link::{PeerLink, ServingPeers};
use crate::config::{Config, MemberRole, StoreConfig, StoreLocation};
use crate::http::operator_token::OperatorToken;
use crate::telemetry::{Meters, MetricsRecorder};

/// How long a node that stops waits for another leader.
const HAND_OVER_MAX: Duration = Duration::from_secs(2);

/// The replicated state's folder in the data directory.
const RAFT_FOLDER: &str = "raft";

/// An opened node that serves nobody yet.
pub struct Foundation {
    /// What the operator wants.
    pub config: Config,
    /// Time and randomness.
    pub machine: Machine,
    /// Counters.
    pub meters: Meters,
    /// What operators show.
    pub operator_token: OperatorToken,
    /// Rows.
    pub stores: Stores,
    /// Revocations and keys.
    pub cluster: ClusterNode,
    /// Other nodes, if this one has company.
    pub peers: Option<ServingPeers>,
}

impl Foundation {
    /// Opens everything; refuses with a reason that names the file and the way out.
    ///
    /// A node that finds nothing founds an installation of its own, or waits to be added to another's cluster. It opens
    /// when it has a leader and a recent view; see [`ClusterNode::ready`] for how long that may take.
    pub async fn open(
        config: Config,
        machine: Machine,
        policy: MasterKeyPolicy,
        founding: Founding,
    ) -> Result<Self, StartError> {
        let meters = Arc::new(MetricsRecorder::new().map_err(|error| StartError::Metrics(error.to_string()))?);
        prepare_data_directory(&config.cluster.data_dir)?;
        cluster::finish_restore(&OsFiles, &config.cluster.data_dir)?;
        let is_new = !config.cluster.data_dir.join(RAFT_FOLDER).exists();
        let joins = founding == Founding::Join && config.cluster.listen.is_some();
        if is_new && policy == MasterKeyPolicy::Require && !joins {
            return Err(StartError::NotInitialised);
        }
        // A log that was sealed with another key can't be opened with a fresh one.
        let policy = if is_new { policy } else { MasterKeyPolicy::Require };
        let master_keys = master_key::load(&config, policy, machine.entropy.as_ref())?;
        // If it can't be used, that is found out before a secret is made that is shown once.
        let operator_token = operator_token(&config, &machine)?;
        let stores = metered(open_stores(&config).await?, &meters, &machine.clock);
        stores.migrate().await?;
        // Found out before anything is founded: a cluster of one would be left behind, and stand in the way of joining.
        if is_new && founding == Founding::Alone && holds_installation(&stores).await? {
            stores.close().await;
            return Err(StartError::ForeignStore);
        }
        let foundation = match open_cluster(&config, &machine, &meters, master_keys, founding).await {
            Ok((cluster, peers)) => Self {
                config,
                machine,
                meters,
                operator_token,
                stores,
                cluster,
                peers,
            },
            Err(error) => {
                stores.close().await;
                return Err(error);
            }
        };
        if let Err(error) = foundation.begin().await {
            foundation.close().await?;
            return Err(error);
        }
        Ok(foundation)
    }

    /// Waits until it has a leader and a recent view, and finds out whether its master keys are the right ones.
    pub async fn begin(&self) -> Result<(), StartError> {
        self.cluster.ready().await?;
        self.check_master_key()
    }

    /// Finds out now whether the master keys open all that the replicated state holds, if it holds an installation.
    fn check_master_key(&self) -> Result<(), StartError> {
        let cluster = self.cluster.handle();
        if !cluster.is_bootstrapped() {
            return Ok(());
        }
        let opened = cluster.check_master_keys();
        opened.map_err(|error| master_key::explain(&self.config, error))
    }

    /// Lets another node lead, if this one does and there is one that can.
    pub async fn hand_over(&self) {
        let handle = self.cluster.handle();
        let handing_over = handle.hand_over(HAND_OVER_MAX);
        if timeout(HAND_OVER_MAX, handing_over).await.is_err() {
            tracing::warn!("no other node leads yet; the others elect one when this node is gone");
        }
    }

    /// Closes everything again. A node that was elected once more since it handed over does so again.
    pub async fn close(self) -> Result<(), StartError> {
        self.stores.close().await;
        self.hand_over().await;
        let closed = self.cluster.shutdown().await;
        if let Some(peers) = self.peers {
            peers.stop().await;
        }
        Ok(closed?)
    }
}

/// Whether the store belongs to an installation already.
pub async fn holds_installation(stores: &Stores) -> Result<bool, StartError> {
    let system = stores.organizations.find_by_slug(Organization::SYSTEM_SLUG).await?;
    Ok(system.is_some())
}

/// The operators' token from its file, which is made where there is none.
fn operator_token(config: &Config, machine: &Machine) -> Result<OperatorToken, StartError> {
    let path = config.operator_token_file();
    OperatorToken::open(&path, machine.entropy.as_ref()).map_err(|source| StartError::OperatorToken { path, source })
}

/// Opens the store that the configuration names.
pub async fn open_stores(config: &Config) -> Result<Stores, StartError> {
    match &config.store.location {
        StoreLocation::Embedded(path) => {
            let path = path
                .clone()
                .unwrap_or_else(|| StoreConfig::file_in(&config.cluster.data_dir));
            Ok(Stores::embedded(EmbeddedStore::open(&path, Execution::Threads)?))
        }
        StoreLocation::Postgres(url) => {
            let store = PostgresStore::connect(postgres_config(&config.store, url.clone())).await?;
            Ok(Stores::postgres(store))
        }
    }
}

fn postgres_config(store: &StoreConfig, url: domain::Secret) -> PostgresConfig {
    PostgresConfig {
        url,
        pool_max: store.pool_max,
        pool_min: store.pool_min,
        connect_timeout: store.connect_timeout,
        idle_timeout: store.idle_timeout,
        statement_timeout: store.statement_timeout,
    }
}

/// The settings of the replicated state.
pub fn cluster_config(config: &Config, founding: Founding) -> Result<ClusterConfig, StartError> {
    let section = &config.cluster;
    let formats = section
        .format_max
        .map(Formats::held_at)
        .transpose()?
        .unwrap_or_default();
    Ok(ClusterConfig {
        heartbeat: section.heartbeat,
        election_timeout: section.election_timeout,
        max_revocation_staleness: section.max_revocation_staleness,
        address: section.advertised(),
        region: section.region.clone(),
        preferred_leader_region: section.preferred_leader_region.clone(),
        wants_vote: section.role == MemberRole::Voter,
        founding,
        formats,
        ..ClusterConfig::new(section.node_id, section.data_dir.clone())
    })
}

/// Takes part in the cluster: the others are answered before anything of them is waited for.
async fn open_cluster(
    config: &Config,
    machine: &Machine,
    meters: &Meters,
    master_keys: MasterKeys,
    founding: Founding,
) -> Result<(ClusterNode, Option<ServingPeers>), StartError> {
    let link = PeerLink::bind(&config.cluster, machine).await?;
    let mut ports = ClusterPorts {
        meters: cluster_meters(meters),
        ..ClusterPorts::new(machine.clock.clone(), machine.entropy.clone(), master_keys)
    };
    if let Some(link) = &link {
        ports.transport = link.transport(machine);
    }
    let cluster = ClusterNode::open(cluster_config(config, founding)?, ports).await?;
    let peers = link.map(|link| link.serve(cluster.handle())).transpose()?;
    Ok((cluster, peers))
}

fn cluster_meters(meters: &Meters) -> ClusterMeters {
    let own = meters.clone();
    let lag_of = move |peer: u64| own.gauge("raft_replication_lag_entries", &[("peer", &peer.to_string())]);
    ClusterMeters {
        term: meters.gauge("raft_term", &[]),
        is_leader: meters.gauge("raft_is_leader", &[]),
        last_applied_index: meters.gauge("raft_last_applied_index", &[]),
        commit_latency_seconds: meters.histogram("raft_commit_latency_seconds", &[]),
        revocation_staleness_seconds: meters.gauge("revocation_staleness_seconds", &[]),
        revocation_set_size: meters.gauge("revocation_set_size", &[]),
        replication_lag_entries: Arc::new(lag_of),
        peer_connections: meters.gauge("raft_peer_connections", &[]),
    }
}

/// Makes the directory for its owner only, if there is none, and finds out now whether it can be written.
pub fn prepare_data_directory(path: &Path) -> Result<(), StartError> {
    let fail = |source| StartError::DataDirectory {
        path: path.to_owned(),
        source,
    };
    let is_new = !path.exists();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(fail)?;
    probe(path).map_err(fail)?;
    if is_new {
        // Nothing in here belongs into a repository, least of all the master key. What somebody else made may be one.
        std::fs::write(path.join(".gitignore"), b"*\n").map_err(fail)?;
    }
    Ok(())
}

/// Finds out, making nothing, whether the directory can be written, or made where there is none.
pub fn check_data_directory(path: &Path) -> Result<(), StartError> {
    let existing = path.ancestors().find(|folder| folder.exists());
    probe(existing.unwrap_or(Path::new("."))).map_err(|source| StartError::DataDirectory {
        path: path.to_owned(),
        source,
    })
}

/// Leaves nothing behind.
fn probe(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(".write-probe");
    std::fs::write(&file, b"probe")?;
    std::fs::remove_file(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_made_keeps_out_of_repositories_and_another_is_left_as_it_is() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let made = scratch.path().join("deep/data");
        let text = |path: &Path| std::fs::read_to_string(path.join(".gitignore")).ok();
        prepare_data_directory(&made).expect("it can be made");
        assert_eq!(text(&made).as_deref(), Some("*\n"));
        prepare_data_directory(scratch.path()).expect("it can be used");
        assert_eq!(text(scratch.path()), None);
        std::fs::write(made.join(".gitignore"), "/target\n").expect("it can be written");
        prepare_data_directory(&made).expect("it can be used again");
        assert_eq!(text(&made).as_deref(), Some("/target\n"));
    }
}

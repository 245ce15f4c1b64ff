//! A cluster whose majority is lost for good, founded again from what is left of it: a snapshot, or the folder of a node
//! that survived. Offline; the node that it is done on must not run.
//!
//! The new cluster has one member, and everything that the old one was: its identity, keys and revocations. But it is
//! another one: whoever was a member before is refused, by its lineage, and has to join anew. Its first revision is later
//! than any that the old cluster can have reached, so that "nothing issued before" means the same for tokens of both.

mod placing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::ports::Entropy;
use domain::{Revision, Timestamp};
use futures::StreamExt as _;
use openraft::RaftLogReader as _;
use uuid::Uuid;

pub use placing::finish_restore;

use crate::codec::NEWEST;
use crate::config::ClusterConfig;
use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::{Files as _, OpenFile, Opening, OsFiles};
use crate::log_store::stored::StoredLogId;
use crate::log_store::{LogStore, RaftFolder};
use crate::raft_types::{LogId, Membership, StoredMembership};
use crate::sealing::MasterKeys;
use crate::state::{Lineage, digest_key_context};
use crate::state_machine::{SnapshotFile, Snapshots, StateAt};

/// So many commands may be applied in a second, on average over the life of a cluster, before revisions of a restored
/// one could meet those of the one before: far more than any cluster can apply.
const REVISIONS_PER_SECOND: u64 = 1 << 20;
/// How far the clock may be behind what the cluster has seen of it.
const CLOCK_TOLERANCE_SECONDS: i64 = 600;

/// What becomes of the tokens that the lost cluster has issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuedTokens {
    /// They stay valid. What was revoked after the state that is restored was written is valid again.
    Keep,
    /// All of them are dead: nothing that was revoked comes back.
    Revoke,
}

/// What is left of a cluster. While it exists, nobody else has the folder of the node.
pub struct Remains {
    at: StateAt,
    source: PathBuf,
    /// The latest term that the lost cluster is known to have had.
    term: u64,
    _lock: Option<Arc<dyn OpenFile>>,
}

/// A cluster that was founded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What identifies the installation, as before.
    pub cluster_id: Uuid,
    /// How often it was restored.
    pub number: u64,
    /// The last revision that was found.
    pub found_revision: Revision,
    /// The first revision of the new cluster.
    pub first_revision: Revision,
    /// How many revocations are in force.
    pub revocations: usize,
    /// Where the node's former folder is now, if there was one.
    pub kept: Option<PathBuf>,
}

impl Remains {
    /// Reads the folder of a node that survived, all of it: what the node had not yet known to be decided is taken for
    /// decided, since it may have been.
    pub async fn of_folder(config: &ClusterConfig) -> Result<Self, ClusterError> {
        let folder = RaftFolder::open_existing(Arc::new(OsFiles), &config.data_dir, config.node_id)?;
        let read = async {
            let (_, latest) = Snapshots::open(&folder, NEWEST, Execution::Inline)?;
            let mut log = LogStore::open(&folder, NEWEST, Execution::Inline)?;
            let mut at = latest.unwrap_or_else(StateAt::initial);
            log.check_continues(at.applied, folder.path())?;
            let damaged = |error: std::io::Error| ClusterError::corrupt(folder.log(), error.to_string());
            let first = at.applied.map_or(0, |applied| applied.index + 1);
            let mut entries = log.entries_stream(first..).await;
            while let Some(entry) = entries.next().await {
                at.apply(&entry.map_err(damaged)?);
            }
            drop(entries);
            let vote = log.read_vote().await.map_err(damaged)?;
            log.close().await;
            Ok((at, vote.map_or(0, |vote| vote.leader_id.term)))
        };
        let (at, term) = read.await.map_err(|error| folder.explain(error))?;
        let source = folder.path().to_owned();
        Self::new(at, source, term, Some(folder.into_lock()))
    }

    /// Reads a snapshot that `agentidp cluster snapshot` has written.
    pub fn of_file(path: &Path) -> Result<Self, ClusterError> {
        let file = OsFiles
            .open(path, Opening::Existing)
            .map_err(|error| ClusterError::io(path, error))?;
        let at = SnapshotFile(file).read(NEWEST).map_err(|error| error.at(path))?;
        Self::new(at, path.to_owned(), 0, None)
    }

    /// Nobody else has the folder of the node from now on; for what was not read from there.
    pub fn lock(self, config: &ClusterConfig) -> Result<Self, ClusterError> {
        let lock = RaftFolder::lock_existing(&OsFiles, &config.data_dir)?;
        Ok(Self {
            _lock: self._lock.or(lock),
            ..self
        })
    }

    fn new(at: StateAt, source: PathBuf, term: u64, lock: Option<Arc<dyn OpenFile>>) -> Result<Self, ClusterError> {
        if at.state.identity().is_none() {
            return Err(ClusterError::NothingToRestore { path: source });
        }
        let last = at.applied.map_or(0, |applied| applied.leader_id.term);
        Ok(Self {
            at,
            source,
            term: term.max(last),
            _lock: lock,
        })
    }

    /// What identifies the installation.
    pub fn cluster_id(&self) -> Uuid {
        self.at
            .state
            .identity()
            .map_or(Uuid::nil(), |identity| identity.cluster_id)
    }

    /// The last revision that was found.
    pub fn revision(&self) -> Revision {
        self.at.state.revision()
    }

    /// How many revocations were found.
    pub fn revocations(&self) -> usize {
        self.at.state.revocation_count()
    }

    /// From where it was read.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Fails if the secrets in it are sealed with another master key.
    pub fn check(&self, master_keys: &MasterKeys) -> Result<(), ClusterError> {
        let Some(identity) = self.at.state.identity() else {
            return Ok(());
        };
        let context = digest_key_context(identity.cluster_id);
        Ok(master_keys.open(&context, &identity.digest_key).map(drop)?)
    }

    /// The first revision of a cluster that is founded again now: later than any that the lost one can have reached since.
    ///
    /// Fails if the clock is behind what the lost cluster has seen of it: then that could not be known.
    pub fn first_revision(&self, now: Timestamp) -> Result<Revision, ClusterError> {
        let seen = self.at.state.latest_time();
        if now.as_seconds() + CLOCK_TOLERANCE_SECONDS < seen.as_seconds() {
            return Err(ClusterError::ClockBehind { now, seen });
        }
        let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
        let by_clock = seconds.saturating_mul(REVISIONS_PER_SECOND);
        let found = self.revision().0;
        if by_clock <= found {
            return Err(ClusterError::ClockBehind { now, seen });
        }
        Ok(Revision(by_clock))
    }

    /// Founds the cluster again, with the node of this configuration as its only member.
    pub fn restore(
        self,
        config: &ClusterConfig,
        tokens: IssuedTokens,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Restored, ClusterError> {
        let first_revision = self.first_revision(now)?;
        let state = &self.at.state;
        let before = state.lineage();
        let lineage = Lineage {
            number: before.number + 1,
            id: random_id(entropy),
            restored_at: now,
            first_revision,
            tokens_since: match tokens {
                IssuedTokens::Keep => before.tokens_since,
                IssuedTokens::Revoke => first_revision,
            },
        };
        let at = self.founded(config, lineage)?;
        let restored = Restored {
            cluster_id: self.cluster_id(),
            number: lineage.number,
            found_revision: self.revision(),
            first_revision,
            revocations: at.state.revocation_count(),
            kept: None,
        };
        let kept = placing::place(config, &at, lineage.number)?;
        Ok(Restored { kept, ..restored })
    }

    /// The state of the new cluster, at the place in the log where it begins.
    fn founded(&self, config: &ClusterConfig, lineage: Lineage) -> Result<StateAt, ClusterError> {
        let index = self.at.applied.map_or(0, |applied| applied.index);
        let applied = LogId::from(StoredLogId {
            term: self.term + 1,
            leader: config.node_id,
            index: index + 1,
        });
        let member = crate::raft_types::Member {
            wants_vote: true,
            ..config.member()
        };
        let voters = std::collections::BTreeSet::from([config.node_id]);
        let members = std::collections::BTreeMap::from([(config.node_id, member)]);
        let membership = Membership::new(vec![voters], members).map_err(|error| {
            tracing::error!(%error, "a cluster of one was refused");
            ClusterError::Config("a cluster of one can't be made of them")
        })?;
        Ok(StateAt {
            applied: Some(applied),
            membership: StoredMembership::new(Some(applied), membership),
            state: self.at.state.restored(lineage, &config.version),
        })
    }
}

fn random_id(entropy: &dyn Entropy) -> Uuid {
    let mut random = [0u8; 16];
    entropy.fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid()
}

#[cfg(test)]
mod tests;

//! The replicated state: where this node keeps its part, and how patient it is.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// Section `cluster`.
#[derive(Clone)]
pub struct ClusterSection {
    /// This node's number, from 1.
    pub node_id: u64,
    /// Where the log, the snapshots and, by default, the embedded store are.
    pub data_dir: PathBuf,
    /// How often a leader says that it lives.
    pub heartbeat: Duration,
    /// How long a follower waits for that: drawn between the two.
    pub election_timeout: (Duration, Duration),
    /// How old the view of revocations may be before the node stops vouching for tokens.
    pub max_revocation_staleness: Duration,
}

impl ClusterSection {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let config = Self {
            node_id: reader.value("cluster.node_id", 1),
            data_dir: reader.value("cluster.data_dir", PathBuf::from("agentidp-data")),
            heartbeat: reader.value("cluster.heartbeat", Duration::from_millis(100)),
            election_timeout: reader.value(
                "cluster.election_timeout",
                (Duration::from_millis(500), Duration::from_secs(1)),
            ),
            max_revocation_staleness: reader.value("cluster.max_revocation_staleness", Duration::from_secs(5)),
        };
        if config.node_id == 0 {
            reader.mistake("cluster.node_id", "must be at least 1");
        }
        let (shortest, longest) = config.election_timeout;
        if config.heartbeat.is_zero() || config.heartbeat * 2 >= shortest || shortest >= longest {
            let reason =
                "must be a range that begins above twice cluster.heartbeat, or leaders would be deposed for nothing";
            reader.mistake("cluster.election_timeout", reason);
        }
        if config.max_revocation_staleness < Duration::from_millis(500) {
            reader.mistake(
                "cluster.max_revocation_staleness",
                "must be at least 500ms: freshness is confirmed four times a second",
            );
        }
        config
    }
}

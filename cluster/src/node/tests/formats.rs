//! Members of different versions: what one of them does not know is never in the log, and who can't follow stops.

use super::*;
use crate::codec::{NEWEST, OLDEST};
use crate::command::{Batch, Command};
use crate::files::OsFiles;
use crate::formats::Formats;
use crate::leader::propose_here;
use crate::log_store::{LogStore, RaftFolder};

/// What came with a format that no version knows yet.
const LATER: u8 = NEWEST + 1;

impl Trio {
    /// Starts a node as a process of another version would.
    async fn start_knowing(&mut self, node_id: u64, founding: Founding, formats: Formats) {
        let folder = tempfile::tempdir().unwrap();
        self.open_knowing(node_id, founding, formats, folder.path())
            .await
            .unwrap();
        self.folders.push(folder);
    }

    async fn open_knowing(
        &mut self,
        node_id: u64,
        founding: Founding,
        formats: Formats,
        folder: &Path,
    ) -> Result<(), ClusterError> {
        let config = ClusterConfig {
            founding,
            formats,
            address: format!("node-{node_id}"),
            version: format!("0.{}.0", formats.known()),
            ..config(node_id, folder)
        };
        let node = ClusterNode::open(config, ports(node_id, &self.hub)).await?;
        self.hub.members.lock().unwrap().insert(node_id, node.handle());
        if founding == Founding::Alone {
            node.ready().await?;
        }
        self.nodes.insert(node_id, node);
        Ok(())
    }

    /// A founder and a second member, both voters, of these versions.
    async fn pair(first: Formats, second: Formats) -> Self {
        let mut trio = Self {
            hub: Arc::new(Hub::default()),
            nodes: BTreeMap::new(),
            folders: Vec::new(),
        };
        trio.start_knowing(1, Founding::Alone, first).await;
        trio.start_knowing(2, Founding::Join, second).await;
        let joining = Joining {
            known_format: Some(second.known()),
            ..joining(2, "")
        };
        trio.handle(1).add_member(joining).await.unwrap();
        trio.handle(1).promote(2).await.unwrap();
        trio.all_fresh().await;
        trio
    }

    fn format(&self, node_id: u64) -> u8 {
        self.handle(node_id).status().format
    }

    async fn all_at(&self, format: u8) {
        self.until(|| {
            self.nodes
                .keys()
                .all(|node_id| self.format(*node_id) == format)
                .then_some(())
        })
        .await;
    }

    /// Stops a node, and starts it again as another version.
    async fn replace(&mut self, node_id: u64, formats: Formats) -> Result<(), ClusterError> {
        self.hub.members.lock().unwrap().remove(&node_id);
        self.nodes.remove(&node_id).unwrap().shutdown().await.unwrap();
        let folder = self.folders[usize::try_from(node_id).unwrap() - 1].path().to_owned();
        self.open_knowing(node_id, Founding::Join, formats, &folder).await
    }
}

/// A batch of what came with `format`, which is otherwise of no interest.
fn batch_of(format: u8) -> Batch {
    let software = "0.4.0".to_owned();
    Batch::numbered(1_000, vec![Command::RaiseFormat { to: format, software }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_one_is_at_its_newest_format_as_soon_as_it_is_ready() {
    let trio = Trio::found_alone().await;
    assert_eq!(trio.format(1), NEWEST);
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_adjacent_versions_work_together_and_go_on_when_the_last_is_replaced() {
    let mut trio = Trio::pair(Formats::knowing(OLDEST), Formats::default()).await;
    trio.revoke(1, 0..3).await;
    trio.revoke(2, 3..6).await;
    trio.all_have(&[1, 2], 6).await;
    // The newer one leads, and asks; the older one does not even know the question.
    trio.handle(1).transfer_leader(2).await.unwrap();
    trio.until(|| (trio.handle(2).status().role == Role::Leader).then_some(()))
        .await;
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!((trio.format(1), trio.format(2)), (OLDEST, OLDEST));
    let refused = trio.nodes[&2].raising.leader.propose(&batch_of(OLDEST)).await;
    assert!(refused.is_ok(), "what everybody knows is taken");

    trio.replace(1, Formats::default()).await.unwrap();
    trio.all_at(NEWEST).await;
    trio.revoke(1, 6..7).await;
    trio.all_have(&[1, 2], 7).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_away_or_held_back_keeps_the_format() {
    let mut trio = Trio::pair(Formats::held_at(OLDEST).unwrap(), Formats::held_at(OLDEST).unwrap()).await;
    trio.replace(2, Formats::default()).await.unwrap();
    trio.all_fresh().await;
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(trio.format(2), OLDEST, "node 1 is held back");
    // Held back, it can be replaced by the version before.
    trio.replace(1, Formats::knowing(OLDEST)).await.unwrap();
    trio.revoke(2, 0..1).await;
    trio.replace(1, Formats::default()).await.unwrap();
    trio.all_at(NEWEST).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_some_member_does_not_know_is_not_proposed() {
    let trio = Trio::pair(Formats::knowing(OLDEST), Formats::default()).await;
    let second = trio.handle(2);
    let later = Command::RaiseFormat {
        to: NEWEST,
        software: String::new(),
    };
    let reason = second.propose_one(later).await.unwrap_err().to_string();
    assert!(
        reason.contains("needs format 3") && reason.contains("the cluster is at 2"),
        "{reason}"
    );
    assert_eq!(trio.format(1), OLDEST);
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_know_the_format_is_not_added() {
    let trio = Trio::found_alone().await;
    for known_format in [Some(OLDEST), None] {
        let old = Joining {
            known_format,
            ..joining(2, "")
        };
        let refused = trio.handle(1).add_member(old).await.unwrap_err().to_string();
        assert!(
            refused.contains("node 2 knows formats of the replicated state up to 2, the cluster is at 3")
                && refused.contains(&format!("install agentidp version {}", env!("CARGO_PKG_VERSION"))),
            "{refused}"
        );
    }
    assert_eq!(trio.handle(1).members().len(), 1);
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_from_before_does_not_start_on_a_log_that_went_on() {
    let mut trio = Trio::found_alone().await;
    let newest = trio.replace(1, Formats::knowing(NEWEST)).await;
    newest.unwrap();
    let refused = trio.replace(1, Formats::knowing(OLDEST)).await.unwrap_err();
    assert!(
        matches!(&refused, ClusterError::NewerFormat { found: 3, known: 2, .. }),
        "{refused}"
    );
    let sentence = refused.to_string();
    assert!(
        sentence.contains("log.redb") && sentence.contains("install agentidp 0.3.0, which wrote it"),
        "{sentence}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_from_before_does_not_start_on_a_snapshot_that_went_on() {
    let mut trio = Trio::found_alone().await;
    // So many that the entry that raised the format has left the log.
    trio.revoke(1, 0..150).await;
    trio.until(|| (trio.handle(1).status().snapshot >= Some(100)).then_some(()))
        .await;
    let refused = trio.replace(1, Formats::knowing(OLDEST)).await.unwrap_err().to_string();
    assert!(
        refused.contains("state.snapshot was written in format 3, this version knows formats up to 2"),
        "{refused}"
    );
}

/// This never happens, since nobody proposes it: if it does all the same, the node stops and loses nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_is_sent_what_it_does_not_know_stops_and_says_what_to_install() {
    let trio = Trio::pair(Formats::default(), Formats::default()).await;
    trio.all_at(NEWEST).await;
    trio.revoke(1, 0..5).await;
    trio.all_have(&[1, 2], 5).await;
    let leader = trio.leader().await;
    let (follower, raft) = (3 - leader, trio.nodes[&leader].raft.clone());
    let before = trio.handle(follower).status().last_applied;
    let proposing = tokio::spawn(async move { propose_here(&raft, batch_of(LATER)).await.is_ok() });
    let failure = trio.handle(follower).failed().await.to_string();
    assert!(
        failure.contains("format 4 is newer than this version, which knows formats up to 3")
            && failure.contains("install agentidp"),
        "{failure}"
    );
    let status = trio.handle(follower).status();
    assert_eq!((status.last_applied, status.revocations), (before, 5));
    assert_eq!(status.role, Role::Stopped);
    let vouched = trio.until(|| trio.handle(follower).is_revoked(&token(1)).err());
    vouched.await;
    assert!(!proposing.is_finished(), "it can't be committed without the other one");
    proposing.abort();
    // Its folder is as good as before.
    let mut trio = trio;
    let folder = trio.folders[usize::try_from(follower).unwrap() - 1].path().to_owned();
    let stopped = trio.nodes.remove(&follower).unwrap().shutdown().await;
    assert!(matches!(stopped, Err(ClusterError::Stopped(_))), "{stopped:?}");
    let folder = RaftFolder::open(Arc::new(OsFiles), &folder, follower, "test").unwrap();
    LogStore::open(&folder, NEWEST, Execution::Inline).unwrap();
}

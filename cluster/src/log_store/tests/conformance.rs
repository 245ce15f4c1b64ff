//! The consensus library's suite for stores, over real files, with and without threads.

use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use tempfile::TempDir;

use super::*;
use crate::codec::NEWEST;
use crate::publish::Published;
use crate::state_machine::{Snapshots, StateAt, StateMachine};

struct Builder(Execution);

impl StoreBuilder<TypeConfig, LogStore, StateMachine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError<TypeConfig>> {
        let data_dir = tempfile::tempdir().expect("a temporary folder can be made");
        let folder = RaftFolder::open(Arc::new(OsFiles), data_dir.path(), 1, "test").expect("the folder is new");
        let (snapshots, _) = Snapshots::open(&folder, NEWEST, self.0).expect("the folder is new");
        let log = LogStore::open(&folder, NEWEST, self.0).expect("the log is new");
        let published = Arc::new(Published::new(&StateAt::initial(), log.held()));
        let machine = StateMachine::new(StateAt::initial(), published, Arc::new(snapshots));
        Ok((data_dir, log, machine))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_conform_with_threads() {
    Suite::test_all(Builder(Execution::Threads))
        .await
        .expect("every check of the suite passes");
}

#[tokio::test]
async fn the_stores_conform_inline() {
    Suite::test_all(Builder(Execution::Inline))
        .await
        .expect("every check of the suite passes");
}

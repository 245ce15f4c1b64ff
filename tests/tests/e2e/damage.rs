//! Damaged data: the node refuses to start, names what is damaged and the way out, and damages no more.

use std::path::{Path, PathBuf};

use e2e::node::FailedStart;
use e2e::store::{Store, files_under};
use e2e::{Backend, Node, on_both_stores};

on_both_stores!(
    a_damaged_raft_log_is_named,
    a_wrong_master_key_is_named,
    a_wrong_master_key_in_the_configuration_is_named,
    a_malformed_master_key_is_named,
    a_missing_master_key_is_named_and_not_made_anew,
    a_truncated_raft_log_is_named_or_was_only_the_unacknowledged_end,
);

/// A stopped node that held something.
async fn stopped(backend: Backend) -> Node {
    let mut node = Node::start(backend).await;
    let admin = node.admin().await;
    for _ in 0..3 {
        let client = admin.new_client().await;
        admin.set_status(&client.id, "suspended").await;
    }
    assert!(node.stop().await.success());
    node
}

async fn refusal(node: &Node) -> FailedStart {
    let failed = node.place.launch().await.expect_err("the node must not start");
    assert!(!failed.status.success(), "{failed:?}");
    assert!(!failed.output.contains("panicked"), "{failed:?}");
    failed
}

#[track_caller]
fn assert_names(failed: &FailedStart, path: &Path) {
    assert!(
        failed.output.contains(&path.display().to_string()),
        "{} is named in: {}",
        path.display(),
        failed.output
    );
}

/// Overwrites the middle third of a file.
fn scribble(path: &Path) {
    let mut bytes = std::fs::read(path).expect("the file is there");
    let third = bytes.len() / 3;
    bytes[third..2 * third].fill(0xAA);
    std::fs::write(path, bytes).expect("the file can be written");
}

fn raft_files(node: &Node) -> (PathBuf, Vec<PathBuf>) {
    let directory = node.place.data_dir().join("raft");
    let files: Vec<PathBuf> = files_under(&directory)
        .into_iter()
        .filter(|path| std::fs::metadata(path).is_ok_and(|file| file.len() > 64))
        .collect();
    assert!(!files.is_empty(), "{}", directory.display());
    (directory, files)
}

async fn a_damaged_raft_log_is_named(backend: Backend) {
    let node = stopped(backend).await;
    let (directory, files) = raft_files(&node);
    files.iter().for_each(|path| scribble(path));
    assert_names(&refusal(&node).await, &directory);
}

/// Where a log ends is not known from outside, so half of one looks like a crash during an append; but what was
/// acknowledged must not be taken for never said.
async fn a_truncated_raft_log_is_named_or_was_only_the_unacknowledged_end(backend: Backend) {
    let node = stopped(backend).await;
    let (directory, files) = raft_files(&node);
    for path in &files {
        let bytes = std::fs::read(path).expect("the file is there");
        std::fs::write(path, &bytes[..bytes.len() / 2]).expect("the file can be written");
    }
    match node.place.launch().await {
        Err(failed) => {
            assert!(!failed.status.success());
            assert_names(&failed, &directory);
        }
        Ok((_process, announcement)) => {
            assert!(
                announcement.0["clientSecret"].is_null(),
                "it must not make a new installation over the old one"
            );
            let form = [("grant_type", "client_credentials")];
            let _ = node
                .api()
                .post("/oauth2/token")
                .basic(&node.admin)
                .form(&form)
                .send()
                .await
                .expect(200);
        }
    }
}

async fn a_wrong_master_key_is_named(backend: Backend) {
    let (node, other) = (stopped(backend).await, stopped(backend).await);
    let (path, kept) = (master_key(&node), node.place.scratch.path("kept.key"));
    std::fs::rename(&path, &kept).expect("the file can be moved");
    std::fs::copy(master_key(&other), &path).expect("the file can be written");
    let failed = refusal(&node).await;
    assert!(
        failed.output.contains("start with the master key of that name"),
        "{failed:?}"
    );
    assert_names(&failed, &path);
    for key in [&path, &kept] {
        let text = std::fs::read_to_string(key).expect("the file is there");
        assert!(!failed.output.contains(text.trim()), "a key is nobody's business");
    }
    // Whoever follows the advice gets the installation back: the refusal changed nothing.
    std::fs::rename(&kept, &path).expect("the file can be moved");
    let (_process, _) = node.place.launch().await.expect("a start");
    node.check_it_works().await;
}

/// A key of the right form that was not in a file of the data directory: the setting is named that must be mended.
async fn a_wrong_master_key_in_the_configuration_is_named(backend: Backend) {
    let node = stopped(backend).await;
    let mut command = node.place.dev_command();
    command.env("AGENTIDP_KEYS__MASTER_KEY", "0123456789abcdef".repeat(4));
    let failed = node
        .place
        .launch_with(&mut command)
        .await
        .expect_err("the node must not start");
    assert!(
        !failed.status.success() && !failed.output.contains("panicked"),
        "{failed:?}"
    );
    assert!(failed.output.contains("keys.master_key"), "{failed:?}");
    assert!(!failed.output.contains("0123456789abcdef"), "{failed:?}");
}

async fn a_malformed_master_key_is_named(backend: Backend) {
    let node = stopped(backend).await;
    let path = master_key(&node);
    for text in ["", "too short", &"xy".repeat(32), &"ab".repeat(32)] {
        std::fs::write(&path, text).expect("the file can be written");
        assert_names(&refusal(&node).await, &path);
    }
}

async fn a_missing_master_key_is_named_and_not_made_anew(backend: Backend) {
    let node = stopped(backend).await;
    let path = master_key(&node);
    let kept = node.place.scratch.path("kept.key");
    std::fs::rename(&path, &kept).expect("the file can be moved");
    let failed = refusal(&node).await;
    assert!(failed.output.to_lowercase().contains("master key"), "{failed:?}");
    assert_names(&failed, &path);
    // The operator who finds the file again puts it back, and all is well.
    std::fs::rename(&kept, &path).expect("the file can be moved");
    let (_process, _) = node.place.launch().await.expect("a start");
    node.check_it_works().await;
}

fn master_key(node: &Node) -> PathBuf {
    let path = node.place.data_dir().join("master.key");
    assert!(path.exists(), "{}", path.display());
    path
}

/// SQLite's own side files would mend a damage of the main file, so they go as well.
fn sqlite_file(node: &Node) -> PathBuf {
    let Store::Embedded(_) = &node.place.store else {
        panic!("the embedded store was asked for")
    };
    let path = node.place.store.file();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_sqlite_file_is_named() {
    let node = stopped(Backend::Embedded).await;
    let path = sqlite_file(&node);
    scribble(&path);
    assert_names(&refusal(&node).await, &path);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_sqlite_file_is_named() {
    let node = stopped(Backend::Embedded).await;
    let path = sqlite_file(&node);
    let bytes = std::fs::read(&path).expect("the file is there");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("the file can be written");
    assert_names(&refusal(&node).await, &path);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_sqlite_file_is_named_and_left_alone() {
    let node = stopped(Backend::Embedded).await;
    let path = sqlite_file(&node);
    let text = "Dear diary, this is not a database.\n".repeat(500);
    std::fs::write(&path, &text).expect("the file can be written");
    assert_names(&refusal(&node).await, &path);
    assert_eq!(std::fs::read_to_string(&path).expect("text"), text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_of_another_program_is_named_and_left_alone() {
    let node = stopped(Backend::Embedded).await;
    let path = sqlite_file(&node);
    std::fs::remove_file(&path).expect("the file can be removed");
    let foreign = rusqlite::Connection::open(&path).expect("a new file");
    foreign
        .execute_batch("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup');")
        .expect("valid");
    drop(foreign);
    let before = std::fs::read(&path).expect("the file is there");
    assert_names(&refusal(&node).await, &path);
    assert_eq!(std::fs::read(&path).expect("the file is there"), before);
}

/// The store came from a backup, or was thrown away; the replicated state remembers an installation all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_gone_is_not_silently_made_anew() {
    let node = stopped(Backend::Embedded).await;
    let path = sqlite_file(&node);
    std::fs::remove_file(&path).expect("the file can be removed");
    let failed = refusal(&node).await;
    assert_names(&failed, &node.place.data_dir());
}

//! What a folder refuses.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::files::OsFiles;

fn open(data_dir: &Path, node_id: u64) -> Result<RaftFolder, ClusterError> {
    RaftFolder::open(Arc::new(OsFiles), data_dir, node_id, "1.2.3")
}

fn refusal(data_dir: &Path) -> ClusterError {
    open(data_dir, 1).map(|_| ()).expect_err("it must be refused")
}

fn created() -> tempfile::TempDir {
    let data_dir = tempfile::tempdir().unwrap();
    drop(open(data_dir.path(), 1).unwrap());
    data_dir
}

fn set_identity(data_dir: &Path, text: &str) {
    std::fs::write(data_dir.join("raft/IDENTITY"), text).unwrap();
}

#[test]
fn a_folder_says_whose_it_is() {
    let data_dir = created();
    let text = std::fs::read_to_string(data_dir.path().join("raft/IDENTITY")).unwrap();
    assert_eq!(
        text,
        "An AgentIdP node's replicated log, last written by agentidp 1.2.3. Do not change or copy.\nformat 1\nnode 1\n"
    );
    drop(open(data_dir.path(), 1).unwrap());
    let foreign = open(data_dir.path(), 2).map(|_| ()).expect_err("another node's");
    assert!(
        matches!(
            foreign,
            ClusterError::ForeignFolder {
                found: 1,
                expected: 2,
                ..
            }
        ),
        "{foreign}"
    );
}

#[test]
fn a_folder_is_open_once() {
    let data_dir = created();
    let first = open(data_dir.path(), 1).unwrap();
    assert!(matches!(refusal(data_dir.path()), ClusterError::Locked { .. }));
    drop(first);
    drop(open(data_dir.path(), 1).unwrap());
}

#[test]
fn a_later_format_is_refused_by_its_number_alone() {
    let data_dir = created();
    set_identity(data_dir.path(), "Written by the future.\nformat 2\nsomething else\n");
    assert!(matches!(
        refusal(data_dir.path()),
        ClusterError::NewerFormat { found: 2, known: 1, .. }
    ));
}

#[test]
fn an_identity_that_is_not_one_is_refused_with_the_way_out() {
    let data_dir = created();
    for text in [
        "",
        "x\n",
        "x\nformat one\nnode 1\n",
        "x\nformat 1\n",
        "x\nformat 1\nnode 1\nmore\n",
        "x\nnode 1\nformat 1\n",
    ] {
        set_identity(data_dir.path(), text);
        let sentence = refusal(data_dir.path()).to_string();
        assert!(
            sentence.contains("IDENTITY is not readable") && sentence.contains("agentidp cluster remove 1"),
            "{sentence}"
        );
        assert!(sentence.contains(data_dir.path().to_str().unwrap()), "{sentence}");
    }
    std::fs::write(data_dir.path().join("raft/IDENTITY"), [0xff, 0xfe]).unwrap();
    assert!(matches!(refusal(data_dir.path()), ClusterError::CorruptLog { .. }));
}

#[test]
fn a_log_without_identity_and_an_identity_without_log_are_refused() {
    let data_dir = created();
    std::fs::remove_file(data_dir.path().join("raft/IDENTITY")).unwrap();
    std::fs::write(data_dir.path().join("raft/log.new"), "half of a log").unwrap();
    drop(open(data_dir.path(), 1).expect("an empty log is what an interrupted creation leaves behind"));
    std::fs::create_dir_all(data_dir.path().join("raft/snapshots")).unwrap();
    std::fs::write(data_dir.path().join("raft/snapshots/state.snapshot"), "x").unwrap();
    std::fs::remove_file(data_dir.path().join("raft/IDENTITY")).unwrap();
    assert!(refusal(data_dir.path()).to_string().contains("IDENTITY is missing"));

    let data_dir = created();
    std::fs::remove_file(data_dir.path().join("raft/log.redb")).unwrap();
    assert!(refusal(data_dir.path()).to_string().contains("the log is missing"));
}

#[test]
fn nobody_else_may_look_into_the_folder_also_if_it_was_open_before() {
    let data_dir = tempfile::tempdir().unwrap();
    let raft = data_dir.path().join("raft");
    std::fs::create_dir(&raft).unwrap();
    std::fs::set_permissions(&raft, Permissions::from_mode(0o755)).unwrap();
    drop(open(data_dir.path(), 1).unwrap());
    let mode = std::fs::metadata(&raft).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

//! What is refused to be opened, with a sentence that names the file; and what survives a restart.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use domain::ports::StoreError;
use domain::{Action, AgentFilter, OrganizationId, Page};
use rusqlite::Connection;
use storage::conformance::world::Tenant;
use storage::{EmbeddedStore, Execution, Stores, conformance};
use uuid::Uuid;

use super::{Place, open};

/// The refusal's sentence, which must name the file; the file must be as it was.
#[track_caller]
fn refused(path: &Path) -> String {
    let before = fs::read(path).ok();
    let mut sentences = Vec::new();
    for execution in [Execution::Threads, Execution::Inline] {
        let error = match EmbeddedStore::open(path, execution) {
            Ok(_) => panic!("{} was opened", path.display()),
            Err(error) => error,
        };
        assert!(
            matches!(error, StoreError::Corrupt(_) | StoreError::Unavailable(_)),
            "{error:?}"
        );
        sentences.push(error.to_string());
    }
    assert!(sentences[0].contains(&path.display().to_string()), "{}", sentences[0]);
    assert_eq!(sentences[0], sentences[1]);
    assert!(fs::read(path).ok() == before, "what is refused is not touched");
    sentences.remove(0)
}

/// A closed store with something in it.
async fn filled(place: &Place) {
    let stores = open(&place.path(), Execution::Threads);
    for _ in 0..3 {
        conformance::audit_trail::a_large_batch_is_one_chain(&stores).await;
    }
    stores.close().await;
}

fn raw(path: &Path) -> Connection {
    Connection::open(path).expect("SQLite opens any path")
}

#[test]
fn a_file_of_garbage_is_refused() {
    let place = Place::new();
    for garbage in [&b"garbage"[..], &[0; 4096], &[0xff; 100_000], b"SQLite format 3"] {
        fs::write(place.path(), garbage).expect("a writable folder");
        refused(&place.path());
    }
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let place = Place::new();
    filled(&place).await;
    let whole = fs::read(place.path()).expect("the file is there");
    for length in [
        1,
        99,
        100,
        1000,
        4096,
        whole.len() / 2,
        whole.len() - 4096,
        whole.len() - 1,
    ] {
        fs::write(place.path(), &whole[..length]).expect("a writable folder");
        refused(&place.path());
    }
}

#[tokio::test]
async fn a_file_with_a_damaged_header_or_page_is_refused() {
    let place = Place::new();
    filled(&place).await;
    let whole = fs::read(place.path()).expect("the file is there");
    for range in [0..16, 16..24, 100..108, whole.len() / 2..whole.len() / 2 + 4096] {
        let mut damaged = whole.clone();
        damaged[range.clone()].fill(0xa5);
        fs::write(place.path(), &damaged).expect("a writable folder");
        refused(&place.path());
    }
}

#[test]
fn a_folder_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path()).expect("a writable folder");
    refused(&place.path());
}

#[test]
fn a_path_in_a_folder_that_is_not_there_is_refused() {
    let place = Place::new();
    refused(&place.path().join("store.db"));
    assert!(!place.path().exists());
}

#[test]
fn a_file_of_another_program_is_refused() {
    let place = Place::new();
    let other = raw(&place.path());
    other
        .execute_batch("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('https://example.org')")
        .expect("plain SQL");
    drop(other);
    assert!(refused(&place.path()).contains("another program"));
    raw(&place.path())
        .pragma_update(None, "application_id", 0x0f05_5112)
        .expect("a known pragma");
    assert!(refused(&place.path()).contains("another program"));
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let place = Place::new();
    filled(&place).await;
    let present: i32 = raw(&place.path())
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a known pragma");
    for version in [present + 1, 1000, i32::MAX, -1] {
        raw(&place.path())
            .pragma_update(None, "user_version", version)
            .expect("a known pragma");
        assert!(refused(&place.path()).contains("newer version"));
    }
    raw(&place.path())
        .pragma_update(None, "user_version", present)
        .expect("a known pragma");
    open(&place.path(), Execution::Threads).close().await;
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let place = Place::new();
    fs::write(place.path(), b"").expect("a writable folder");
    let stores = open(&place.path(), Execution::Threads);
    conformance::agents::an_agent_is_found_as_it_was_registered(&stores).await;
    stores.close().await;
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let place = Place::new();
    let mut stores = open(&place.path(), Execution::Threads);
    let mut tenant = furnished(&stores).await;
    for execution in [Execution::Inline, Execution::Threads, Execution::Inline] {
        let before = tenant.snapshot().await;
        stores.close().await;
        stores = open(&place.path(), execution);
        tenant = tenant.seen_through(&stores);
        assert_eq!(tenant.snapshot().await, before);
        tenant.append(vec![tenant.record(Action::TokenIssued)]).await;
    }
    assert_eq!(tenant.events().await.len(), 6);
}

#[tokio::test]
async fn what_was_written_is_there_after_an_abrupt_end() {
    let place = Place::new();
    let stores = open(&place.path(), Execution::Threads);
    let tenant = furnished(&stores).await;
    let before = tenant.snapshot().await;
    // The file and its write-ahead log as they are now, which is how an end of the process would leave them.
    let copy = Place::new();
    for suffix in ["", "-wal"] {
        let name = |place: &Place| format!("{}{suffix}", place.path().display());
        fs::copy(name(&place), name(&copy)).expect("the file is there");
    }
    let copied = open(&copy.path(), Execution::Threads);
    assert_eq!(tenant.seen_through(&copied).snapshot().await, before);
    copied.close().await;
    stores.close().await;
}

/// An organization with an agent and a credential.
async fn furnished(stores: &Stores) -> Tenant {
    let tenant = Tenant::new(stores).await;
    tenant.stored(tenant.registered().await.agent_id).await;
    tenant
}

#[tokio::test]
async fn a_closed_store_answers_with_a_refusal() {
    for execution in [Execution::Threads, Execution::Inline] {
        let place = Place::new();
        let stores = open(&place.path(), execution);
        stores.ping().await.expect("it is open");
        stores.close().await;
        stores.close().await;
        let refusal = stores.ping().await.expect_err("it is closed");
        assert!(refusal.is_transient(), "{refusal}");
        let refusal = stores.audit_trail.append(vec![]).await;
        assert!(refusal.is_ok(), "nothing to do is always done");
        let refusal = stores.outbox.complete(&[]).await.expect_err("it is closed");
        assert!(refusal.is_transient(), "{refusal}");
    }
}

#[tokio::test]
async fn only_the_owner_can_read_the_file() {
    let place = Place::new();
    let stores = open(&place.path(), Execution::Threads);
    conformance::agents::an_unknown_agent_is_not_found(&stores).await;
    let mut files = 0;
    for file in place.folder.path().read_dir().expect("a folder") {
        let file = file.expect("an entry");
        let mode = file.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
        files += 1;
    }
    assert!(files >= 2, "the write-ahead log is beside the file");
    stores.close().await;
}

/// The first form of the file had no folded owners, and folded every text at every search.
#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date_and_searched() {
    let place = Place::new();
    let file = raw(&place.path());
    file.execute_batch(include_str!("../../../src/embedded/schema.sql"))
        .expect("the first version's schema");
    file.execute_batch(
        "PRAGMA application_id = 0x41674944; PRAGMA user_version = 1;
         INSERT INTO organizations VALUES (zeroblob(16), 'Old', 'old', 'active', 'free', 3600, 'EdDSA', 0, 0, 1);
         INSERT INTO agents VALUES (zeroblob(16), zeroblob(16), 'old@agents.example', 'custom', '1', '[\"resume:read\"]',
             'ÄRZTE Team', 'staging', 'active', 0, NULL, 0, 0, 1)",
    )
    .expect("rows of that version");
    drop(file);
    for _start in 0..2 {
        let stores = open(&place.path(), Execution::Threads);
        for (q, count) in [("ärzte", 1), ("OLD@", 1), ("resume", 1), ("1", 0)] {
            let filter = AgentFilter {
                q: Some(q.to_owned()),
                ..AgentFilter::default()
            };
            let found = stores
                .agents
                .list(OrganizationId(Uuid::nil()), &filter, Page::default());
            assert_eq!(found.await.expect("the store answers").total, count, "{q}");
        }
        stores.close().await;
    }
}

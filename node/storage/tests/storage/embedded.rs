//! The embedded store: the suite in both ways of execution, and what can happen to a file.

mod files;
mod tampering;

use std::path::{Path, PathBuf};

use storage::{EmbeddedStore, Execution, Stores};
use tempfile::TempDir;

/// A store in a folder of its own, which goes with it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }
}

fn open(path: &Path, execution: Execution) -> Stores {
    Stores::embedded(EmbeddedStore::open(path, execution).expect("a file of ours, or none"))
}

macro_rules! on_threads {
    ($($module:ident { $($name:ident)+ })+) => {
        mod threads {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let place = super::super::Place::new();
                    let stores = super::super::open(&place.path(), storage::Execution::Threads);
                    storage::conformance::$module::$name(&stores).await;
                    stores.close().await;
                })+
            })+
        }
    };
}

macro_rules! inline {
    ($($module:ident { $($name:ident)+ })+) => {
        mod inline {
            $(mod $module {
                $(#[tokio::test]
                async fn $name() {
                    let place = super::super::Place::new();
                    let stores = super::super::open(&place.path(), storage::Execution::Inline);
                    storage::conformance::$module::$name(&stores).await;
                    stores.close().await;
                })+
            })+
        }
    };
}

storage::conformance_suite!(on_threads);
storage::conformance_suite!(inline);

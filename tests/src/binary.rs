//! Finds the program under test.

use std::path::PathBuf;

use crate::settings;

/// The path of `agentidp`: as told, or beside the running test in the target folder.
#[allow(clippy::disallowed_methods, reason = "asks where the test itself lies")]
pub fn path() -> PathBuf {
    if let Some(path) = settings::binary() {
        return path;
    }
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/<profile>/deps");
    let binary = folder.join("agentidp");
    assert!(
        binary.exists(),
        "{} is missing: cargo build -p node, or set AGENTIDP_BIN",
        binary.display()
    );
    binary
}

//! What the runner tells the tests: the only place that reads the environment.
#![allow(
    clippy::disallowed_methods,
    reason = "this is where the tests read their environment"
)]

use std::path::PathBuf;

/// A URL of a PostgreSQL superuser, who makes a throw-away database for each node.
pub fn postgres_url() -> Option<String> {
    text("AGENTIDP_TEST_POSTGRES_URL")
}

/// A URL of a Redis that nobody else uses.
pub fn redis_url() -> Option<String> {
    text("AGENTIDP_TEST_REDIS_URL")
}

/// The binary under test, if it is not the one beside the tests.
pub fn binary() -> Option<PathBuf> {
    text("AGENTIDP_BIN").map(PathBuf::from)
}

/// The file that skipped tests are noted in, so that the runner can count them.
pub fn skipped_list() -> Option<PathBuf> {
    text("AGENTIDP_TEST_SKIPPED").map(PathBuf::from)
}

/// Whether the long forms of tests are wanted.
pub fn is_long() -> bool {
    text("AGENTIDP_TEST_LONG").is_some()
}

/// The cargo that runs the tests.
pub fn cargo() -> String {
    text("CARGO").unwrap_or_else(|| "cargo".to_owned())
}

/// The `PATH` that child processes get.
pub fn search_path() -> String {
    text("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

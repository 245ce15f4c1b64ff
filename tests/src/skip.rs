//! Tests that can't run on this machine say so, and are counted as skipped, not as passed.

use std::io::Write;

use crate::settings;

/// Why the PostgreSQL half of a test did not run.
pub const WITHOUT_POSTGRES: &str = "AGENTIDP_TEST_POSTGRES_URL is not set; ./tests/run starts a server and sets it";

/// Notes that a test did not run; the caller returns at once.
#[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn note(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    if let Some(path) = settings::skipped_list() {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        let mut file = opened.expect("the runner's list of skipped tests can be written");
        // One write, so that tests in parallel don't mix their lines.
        file.write_all(format!("{test}: {reason}\n").as_bytes())
            .expect("the list of skipped tests can be written");
    }
}

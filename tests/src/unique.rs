//! Names that no other test in this run uses.

use std::sync::atomic::{AtomicU32, Ordering};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The next number in this process.
pub fn number() -> u32 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// `prefix`, this process's id and a number, in characters that every namespace takes.
pub fn name(prefix: &str) -> String {
    format!("{prefix}_{}_{}", std::process::id(), number())
}

/// An e-mail address that nobody has.
pub fn email() -> String {
    format!("agent-{}-{}@agents.example", std::process::id(), number())
}

//! Whole clusters under faults, judged by what their clients saw.
//!
//! Clients (`workload`) write down every call and its answer (`history`), and pure functions judge that (`invariants`). The
//! same clients and judges serve the suite over real networks.

use std::time::Duration;

pub mod cli;
pub mod conduct;
pub mod faults;
pub mod history;
pub mod invariants;
mod lock;
mod micros;
pub mod plan;
pub mod random;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod timeline;
pub mod workload;
pub mod world;

/// How old a node's view of revocations may be before it stops to vouch for tokens, in the clusters that are judged.
pub const MAX_STALENESS_SECONDS: u64 = 5;

/// How much slower or faster than true time a node's monotonic clock may run, in thousandths.
pub const DRIFT_PER_MILLE_MAX: u64 = 10;

/// After how much true time a node must have stopped to vouch for tokens: it measures by its own clock.
pub const SILENT_AFTER: Duration = Duration::from_millis(MAX_STALENESS_SECONDS * (1_000 + DRIFT_PER_MILLE_MAX));

/// How long it may take after all is well until somebody has finished what was interrupted: a write is left alone for ten
/// seconds, and whoever has failed to finish one pauses for thirty at most.
pub const FINISHED_AFTER: Duration = Duration::from_secs(45);

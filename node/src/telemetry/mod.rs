//! Logs and metrics. Nothing is global but the log subscriber that the binary installs: each node has its own recorder,
//! and inner crates are given handles.

mod http_meters;
mod key_meters;
mod logging;
mod recorder;

pub use http_meters::HttpMeters;
pub use key_meters::KeyMeters;
pub use logging::{LogFilter, init_logging};
pub use recorder::{Meters, MetricsRecorder};

/// How long operations of the store take; the label is `operation`.
pub const STORE_SECONDS: &str = "db_query_duration_seconds";

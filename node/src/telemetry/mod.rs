//! Logs and metrics. Nothing is global but the log subscriber that the binary installs: each node has its own recorder,
//! and inner crates are given handles.

mod http_meters;
mod logging;
mod recorder;

pub use http_meters::HttpMeters;
pub use logging::{LogFilter, init_logging};
pub use recorder::{Meters, MetricsRecorder};

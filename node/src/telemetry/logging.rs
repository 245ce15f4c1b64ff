//! Log lines: pretty for people, JSON for machines, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::config::{LogFormat, TelemetryConfig};

/// Libraries that narrate their work at the level that we use for an operator's news.
const CHATTY: &[&str] = &["openraft", "redb", "hyper", "h2", "rustls", "tokio_postgres", "ractor"];

/// Warns of what is as it should be, or was told already: of each reply of its own storage that an election has overtaken; and
/// of each message that a member did not get, many times a second, where our own connections say once that it is away. What
/// fails there is told to its caller, who logs it.
const CRIES_WOLF: &[&str] = &[
    "openraft::core::raft_core",
    "openraft::core::heartbeat",
    "openraft::engine::handler::replication_handler",
    "openraft::replication",
];

/// Which lines are written, changed while the process runs.
pub struct LogFilter(reload::Handle<Targets, Registry>);

impl LogFilter {
    /// Puts another level in force.
    pub fn replace(&self, config: &TelemetryConfig) {
        // It fails only if this process logs with another subscriber, which then is nobody's to change.
        let _ = self.0.reload(filter(config));
    }
}

/// Installs the process's log subscriber. A second call changes nothing, so that a process may hold several nodes.
pub fn init_logging(config: &TelemetryConfig) -> LogFilter {
    let (filter, handle) = reload::Layer::new(filter(config));
    let is_json = match config.log_format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if is_json {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).boxed()
    };
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
    LogFilter(handle)
}

fn filter(config: &TelemetryConfig) -> Targets {
    let wanted: Targets = config
        .log_level
        .parse()
        .unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    // Libraries tell their warnings only, unless the operator names them.
    let mut filter = Targets::new();
    for library in CHATTY {
        filter = filter.with_target(*library, tracing::Level::WARN);
    }
    if !wanted.iter().any(|(target, _)| target.starts_with("openraft")) {
        for part in CRIES_WOLF {
            filter = filter.with_target(*part, tracing::Level::ERROR);
        }
    }
    if let Some(level) = wanted.default_level() {
        filter = filter.with_default(level);
    }
    filter.with_targets(wanted)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn libraries_tell_warnings_and_one_that_cries_wolf_only_errors_unless_it_is_named() {
        let filter = |log_level: &str| {
            filter(&TelemetryConfig {
                log_format: LogFormat::Json,
                log_level: log_level.to_owned(),
            })
        };
        let usual = filter("info");
        assert!(usual.would_enable("node::app", &Level::INFO));
        assert!(!usual.would_enable("openraft::engine", &Level::INFO));
        assert!(usual.would_enable("openraft::engine", &Level::WARN));
        assert!(!usual.would_enable(CRIES_WOLF[0], &Level::WARN));
        assert!(usual.would_enable(CRIES_WOLF[0], &Level::ERROR));
        assert!(filter("info,openraft=debug").would_enable(CRIES_WOLF[0], &Level::DEBUG));
    }
}

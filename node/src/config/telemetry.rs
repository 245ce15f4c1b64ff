//! Logs.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::reader::Reader;
use super::value::Value;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines: a JSON object a line.
    Json,
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
}

impl Value for LogFormat {
    const EXPECTED: &'static str = "pretty, json or auto";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "pretty" => Some(LogFormat::Pretty),
            "json" => Some(LogFormat::Json),
            "auto" => Some(LogFormat::Auto),
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            LogFormat::Pretty => "pretty",
            LogFormat::Json => "json",
            LogFormat::Auto => "auto",
        }
        .to_owned()
    }
}

/// Section `telemetry`.
#[derive(Clone)]
pub struct TelemetryConfig {
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which lines are written: a level, or directives such as `info,node::http=debug`.
    pub log_level: String,
}

impl TelemetryConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let config = Self {
            log_format: reader.value("telemetry.log_format", LogFormat::Auto),
            log_level: reader.value("telemetry.log_level", "info".to_owned()),
        };
        if !is_log_level(&config.log_level) {
            reader.mistake(
                "telemetry.log_level",
                "must be error, warn, info, debug or trace, or directives such as info,node::http=debug",
            );
        }
        config
    }
}

/// A word that is no level would be taken for a target's name, and nearly every line would be missing.
fn is_log_level(text: &str) -> bool {
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    let is_named = |directive: &str| directive.contains('=') || is_level(directive.trim());
    text.split(',').all(is_named) && text.parse::<Targets>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_level_is_a_level_or_names_targets_with_levels() {
        for text in [
            "info",
            "TRACE",
            "off",
            "warn,node::http=debug",
            "node=info",
            "info, node=debug",
        ] {
            assert!(is_log_level(text), "{text}");
        }
        for text in ["noisy", "", "info,node", "node=loud", "info,,debug"] {
            assert!(!is_log_level(text), "{text}");
        }
    }
}

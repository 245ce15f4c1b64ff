//! Logs.

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
        if config
            .log_level
            .parse::<tracing_subscriber::filter::targets::Targets>()
            .is_err()
        {
            reader.mistake(
                "telemetry.log_level",
                "must be error, warn, info, debug or trace, or directives such as info,node::http=debug",
            );
        }
        config
    }
}

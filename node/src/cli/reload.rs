//! SIGHUP: reads the configuration again and puts in force what a running node can change, the log level and the
//! certificate. The policies are compiled in, so there is nothing to reload of them.

use std::path::PathBuf;

use super::server_options::{Overrides, load};
use crate::app::Running;
use crate::config::{Config, ConfigError, Effective, Environment};
use crate::telemetry::{LogFilter, init_logging};

/// The only setting that is put in force without a restart. Files that a setting names are another matter.
const RELOADED: &str = "telemetry.log_level";

/// Where the configuration came from, and what of it is in force.
pub struct Reload {
    file: Option<PathBuf>,
    environment: Environment,
    overrides: Overrides,
    in_force: Vec<Effective>,
    log_filter: LogFilter,
}

impl Reload {
    /// Reads the configuration for the first time, and starts to log as it says.
    pub fn first(
        file: Option<PathBuf>,
        environment: &Environment,
        overrides: Overrides,
    ) -> Result<(Config, Self), ConfigError> {
        let (config, in_force) = load(file.as_ref(), environment, &overrides)?;
        let reload = Self {
            file,
            environment: environment.clone(),
            overrides,
            in_force,
            log_filter: init_logging(&config.telemetry),
        };
        Ok((config, reload))
    }

    /// Reads it again. A bad one changes nothing, and the certificate is read all the same.
    pub fn again(&self, running: &Running) {
        match load(self.file.as_ref(), &self.environment, &self.overrides) {
            Ok((config, wanted)) => {
                self.log_filter.replace(&config.telemetry);
                tracing::info!(
                    log_level = config.telemetry.log_level,
                    "the configuration was read again"
                );
                let waiting = waiting_for_restart(&self.in_force, &wanted);
                if !waiting.is_empty() {
                    tracing::warn!(
                        keys = waiting.join(", "),
                        "these settings have changed and need a restart"
                    );
                }
            }
            Err(error) => tracing::error!(%error, "the configuration can't be used; the former one stays in force"),
        }
        running.reload_certificate();
    }
}

/// The keys whose values differ and are not put in force. Secrets are masked in both, so a changed one is not noticed.
fn waiting_for_restart<'a>(in_force: &[Effective], wanted: &'a [Effective]) -> Vec<&'a str> {
    let differs = |new: &&Effective| {
        new.key != RELOADED && !in_force.iter().any(|old| old.key == new.key && old.value == new.value)
    };
    wanted
        .iter()
        .filter(differs)
        .map(|setting| setting.key.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str, value: &str) -> Effective {
        Effective {
            key: key.to_owned(),
            value: value.to_owned(),
            origin: "default".to_owned(),
        }
    }

    #[test]
    fn what_needs_a_restart_is_named() {
        let old = [setting(RELOADED, "info"), setting("a.b", "1"), setting("a.c", "1")];
        let new = [setting(RELOADED, "debug"), setting("a.b", "1"), setting("a.c", "2")];
        assert_eq!(waiting_for_restart(&old, &new), ["a.c"]);
        assert!(waiting_for_restart(&old, &old).is_empty());
    }
}

//! Configuration: one TOML file, overridden by the environment, overridden by flags. One struct for each topic.
//!
//! All mistakes are reported at once. A key that nobody reads is a mistake too, and the nearest key that exists is named.

mod audit;
mod cluster;
mod environment;
mod error;
mod keys;
mod limits;
mod reader;
mod redis;
mod server;
mod source;
mod store;
mod telemetry;
mod value;

use std::path::PathBuf;

pub use audit::AuditConfig;
pub use cluster::{ClusterSection, ClusterTls, MemberRole};
pub use environment::Environment;
pub use error::{ConfigError, Mistake};
pub use keys::KeysConfig;
pub use limits::LimitsConfig;
pub use reader::{DEFAULT, Effective, Reader};
pub use redis::RedisConfig;
pub use server::{OperatorTls, ServerConfig, callable};
pub use source::Source;
pub use store::{StoreConfig, StoreLocation};
pub use telemetry::{LogFormat, TelemetryConfig};

/// Everything that an operator can set.
#[derive(Clone)]
pub struct Config {
    /// Listeners, limits and time-outs of the front end.
    pub server: ServerConfig,
    /// Where rows are kept.
    pub store: StoreConfig,
    /// Shared counters, if there are any.
    pub redis: RedisConfig,
    /// The replicated state.
    pub cluster: ClusterSection,
    /// Signing keys and the master key.
    pub keys: KeysConfig,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// How audit records are grouped.
    pub audit: AuditConfig,
    /// Logs.
    pub telemetry: TelemetryConfig,
}

impl Config {
    /// Reads the layers, the later ones winning over the earlier. Returns what is in force of every key beside the
    /// configuration itself.
    pub fn load(layers: Vec<Source>) -> Result<(Config, Vec<Effective>), ConfigError> {
        let (config, effective, mistakes) = Self::inspect(layers);
        if mistakes.is_empty() {
            Ok((config, effective))
        } else {
            Err(ConfigError { mistakes })
        }
    }

    /// As [`Config::load`], for whoever looks for more mistakes: where there is one, the default stands in.
    pub fn inspect(layers: Vec<Source>) -> (Config, Vec<Effective>, Vec<Mistake>) {
        let mut reader = Reader::new(layers);
        let config = Config {
            server: ServerConfig::read(&mut reader),
            store: StoreConfig::read(&mut reader),
            redis: RedisConfig::read(&mut reader),
            cluster: ClusterSection::read(&mut reader),
            keys: KeysConfig::read(&mut reader),
            limits: LimitsConfig::read(&mut reader),
            audit: AuditConfig::read(&mut reader),
            telemetry: TelemetryConfig::read(&mut reader),
        };
        let staleness = config.cluster.max_revocation_staleness;
        config.keys.check_staleness(&mut reader, staleness);
        config.show_derived(&mut reader);
        let (effective, mistakes) = reader.finish();
        (config, effective, mistakes)
    }

    /// Shows what follows from several keys.
    fn show_derived(&self, reader: &mut Reader) {
        let data_dir = &self.cluster.data_dir;
        if self.server.public_url.is_none() {
            reader.show("server.public_url", self.server.default_issuer(self.server.listen));
        }
        if self.server.operator_token_file.is_none() {
            let file = self.operator_token_file();
            reader.show("server.operator_token_file", file.display().to_string());
        }
        reader.show("cluster.advertise", self.cluster.advertised());
        if self.keys.master_key.is_none() {
            let file = KeysConfig::file_in(data_dir);
            reader.show("keys.master_key", format!("in {}", file.display()));
        }
        reader.show("store.url", self.store.location.describe(data_dir));
    }

    /// Where the operators' token is.
    pub fn operator_token_file(&self) -> PathBuf {
        let given = self.server.operator_token_file.clone();
        given.unwrap_or_else(|| self.cluster.data_dir.join("operator.token"))
    }
}

#[cfg(test)]
mod tests;

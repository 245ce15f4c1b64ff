//! How a node is to be started.

use std::process::Command;

use crate::backend::Backend;
use crate::node::{Node, Place};
use crate::{binary, settings};

/// What a node is told. By default nothing but where to listen, and to admit as many requests as come.
#[derive(Clone)]
pub struct NodeOptions {
    pub(crate) backend: Backend,
    settings: Vec<(String, String)>,
}

impl NodeOptions {
    /// On this store, without rate limits.
    pub fn on(backend: Backend) -> Self {
        Self {
            backend,
            settings: Vec::new(),
        }
        .set("limits.requests_per_minute", 0)
        .set("limits.verify_per_minute", 0)
    }

    /// With a key of the configuration, such as `server.body_limit`, set through the environment.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        let name = format!("AGENTIDP_{}", key.replace('.', "__").to_ascii_uppercase());
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.to_string()));
        self
    }

    /// Starts a node on a fresh store and an empty data directory.
    pub async fn start(self) -> Node {
        Node::first(Place::fresh(self).await).await
    }

    /// The program with these settings and nothing else in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare_command(arguments);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The program with an environment that says nothing.
pub fn bare_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::path());
    command
        .args(arguments)
        .env_clear()
        .env("PATH", settings::search_path())
        .env("RUST_BACKTRACE", "1");
    command
}

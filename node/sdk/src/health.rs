//! How a node feels: `/health` and below.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::Client;
use crate::error::Error;
use crate::transport::Call;

/// Asks a node how it feels. These calls need no credentials and are never repeated: "no" is an answer here.
pub struct Health<'a> {
    client: &'a Client,
}

/// A node's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    /// The HTTP status: 200 when all is well, 207 when something is degraded, 503 when it is not.
    #[serde(skip)]
    pub http_status: u16,
    /// The node's word for it.
    #[serde(default)]
    pub status: String,
    /// What was looked at, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub checks: Map<String, Value>,
    /// What else the node tells.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl HealthReport {
    /// Whether all is well.
    pub fn is_healthy(&self) -> bool {
        self.http_status == 200
    }
}

impl<'a> Health<'a> {
    pub(crate) fn of(client: &'a Client) -> Self {
        Self { client }
    }

    /// Whether the process lives.
    pub async fn live(&self) -> Result<HealthReport, Error> {
        self.ask("/health").await
    }

    /// Whether the node can take requests now.
    pub async fn ready(&self) -> Result<HealthReport, Error> {
        self.ask("/health/ready").await
    }

    /// How each thing feels that the node depends on.
    pub async fn detailed(&self) -> Result<HealthReport, Error> {
        self.ask("/health/detailed").await
    }

    async fn ask(&self, path: &str) -> Result<HealthReport, Error> {
        let answer = self.client.send_in_public(Call::get(path).never_repeated()).await?;
        match answer.status() {
            http_status @ (200 | 207 | 503) => Ok(HealthReport {
                http_status,
                ..answer.any_json()?
            }),
            _ => answer.json(),
        }
    }
}

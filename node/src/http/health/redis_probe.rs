//! Whether Redis answers, if operators run one.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::app::StartError;
use crate::config::RedisConfig;

/// How long Redis may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that is made when it is first used, and made again when it was lost.
#[derive(Clone)]
pub struct RedisProbe(ConnectionManager);

impl RedisProbe {
    /// Connects nowhere yet: what Redis keeps may be lost, so a node starts without it. `None` if none is configured;
    /// fails if the URL can't be one.
    pub fn new(config: &RedisConfig) -> Result<Option<Self>, StartError> {
        let Some(url) = &config.url else { return Ok(None) };
        // The library's message may repeat the URL, which may hold a password: only its kind is told.
        let fail = |error: redis::RedisError| StartError::Redis(error.category().to_owned());
        let client = redis::Client::open(url.expose()).map_err(fail)?;
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(1);
        ConnectionManager::new_lazy_with_config(client, settings)
            .map(|manager| Some(Self(manager)))
            .map_err(fail)
    }

    /// Whether it answers now.
    pub async fn ping(&self) -> bool {
        let mut connection = self.0.clone();
        redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
    }

    /// Tells the operator if it does not answer.
    pub async fn warn_if_lost(self) {
        if !self.ping().await {
            tracing::warn!("Redis does not answer; the node serves without it and goes on trying");
        }
    }
}

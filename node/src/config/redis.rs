//! Redis, if operators run one.

use domain::Secret;

use super::reader::Reader;

/// Section `redis`.
#[derive(Clone)]
pub struct RedisConfig {
    /// Where it is; may hold a password.
    pub url: Option<Secret>,
}

impl RedisConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let url = reader.secret("redis.url");
        if url
            .as_ref()
            .is_some_and(|url| !url.expose().starts_with("redis://") && !url.expose().starts_with("unix://"))
        {
            reader.mistake("redis.url", "must be redis://host:port or unix:///path");
        }
        Self { url }
    }
}

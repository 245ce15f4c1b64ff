//! Rate limits for each client, in requests a minute. Zero is no limit.

use super::reader::Reader;

/// Section `limits`.
#[derive(Clone, Copy)]
pub struct LimitsConfig {
    /// Requests to the management API.
    pub requests_per_minute: u32,
    /// Token requests.
    pub token_requests_per_minute: u32,
    /// Introspections.
    pub introspect_per_minute: u32,
    /// Verifications of the audit chain.
    pub verify_per_minute: u32,
}

impl LimitsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let requests_per_minute = reader.value("limits.requests_per_minute", 100);
        Self {
            requests_per_minute,
            token_requests_per_minute: reader.value("limits.token_requests_per_minute", requests_per_minute),
            introspect_per_minute: reader.value("limits.introspect_per_minute", requests_per_minute),
            verify_per_minute: reader.value("limits.verify_per_minute", 30),
        }
    }
}

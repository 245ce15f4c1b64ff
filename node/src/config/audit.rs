//! How audit records are grouped into transactions.

use std::time::Duration;

use super::reader::Reader;

/// Section `audit`.
#[derive(Clone, Copy)]
pub struct AuditConfig {
    /// The most records of one transaction.
    pub batch_max: u32,
    /// How long a record may wait until as many others have come as the last transaction had.
    pub batch_wait: Duration,
}

impl AuditConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let config = Self {
            batch_max: reader.value("audit.batch_max", 512),
            batch_wait: reader.value("audit.batch_wait", Duration::from_millis(2)),
        };
        if !(1..=4096).contains(&config.batch_max) {
            reader.mistake("audit.batch_max", "must be between 1 and 4096");
        }
        if config.batch_wait > Duration::from_millis(100) {
            reader.mistake("audit.batch_wait", "must be at most 100ms: every token waits for it");
        }
        config
    }
}

//! From when to when a certificate is valid.

use std::time::Duration;

use domain::Timestamp;

use crate::error::ClusterError;

/// The last second that a certificate can name (RFC 5280 §4.1.2.5).
const LAST_SECOND: i64 = 253_402_300_799;

/// The time in which a certificate is valid, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: Timestamp,
    /// The last moment.
    pub not_after: Timestamp,
}

impl Validity {
    /// How far the clocks of nodes may be apart: a certificate is valid a little before it was made.
    const CLOCK_SKEW: Duration = Duration::from_secs(300);

    /// From `now` (and a little before, for clocks that lag) for `lifetime`.
    pub fn starting(now: Timestamp, lifetime: Duration) -> Self {
        Self {
            not_before: now.minus(Self::CLOCK_SKEW),
            not_after: now.plus(lifetime),
        }
    }

    pub(super) fn write_to(self, params: &mut rcgen::CertificateParams) -> Result<(), ClusterError> {
        let (from, until) = (self.not_before.as_seconds(), self.not_after.as_seconds());
        if from < 0 || until > LAST_SECOND || from >= until {
            return Err(ClusterError::Certificate(
                "it must become valid after 1970, and end after that and before the year 10000".to_owned(),
            ));
        }
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + Duration::from_secs(from.unsigned_abs());
        params.not_after = epoch + Duration::from_secs(until.unsigned_abs());
        Ok(())
    }
}

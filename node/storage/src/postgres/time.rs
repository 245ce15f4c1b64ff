//! Times on the wire: `timestamptz` counts microseconds from 2000-01-01, a [`Timestamp`] milliseconds from 1970-01-01.

use std::error::Error;

use bytes::BytesMut;
use domain::Timestamp;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// 2000-01-01T00:00:00Z in milliseconds since the Unix epoch.
const POSTGRES_EPOCH_MS: i64 = 946_684_800_000;

/// A time as a parameter or a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl ToSql for Time {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let micros = self
            .0
            .as_millis()
            .checked_sub(POSTGRES_EPOCH_MS)
            .and_then(|millis| millis.checked_mul(1000));
        // The ends of the range mean "infinity" there.
        let micros = micros.filter(|micros| *micros > i64::MIN && *micros < i64::MAX);
        micros
            .ok_or("a time is too far away for PostgreSQL")?
            .to_sql(&Type::INT8, out)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Time {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_sql(&Type::INT8, raw)?;
        let millis = micros.div_euclid(1000).checked_add(POSTGRES_EPOCH_MS);
        Ok(Self(Timestamp::from_millis(millis.ok_or("a time is too far away")?)))
    }

    accepts!(TIMESTAMPTZ);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_as_it_went_and_the_furthest_are_refused() {
        for millis in [
            0,
            -1,
            1,
            946_684_800_000,
            1_700_000_000_007,
            -62_135_596_800_000,
            253_402_300_799_999,
        ] {
            let (time, mut wire) = (Time(Timestamp::from_millis(millis)), BytesMut::new());
            time.to_sql(&Type::TIMESTAMPTZ, &mut wire).unwrap();
            assert_eq!(Time::from_sql(&Type::TIMESTAMPTZ, &wire).unwrap(), time);
        }
        for millis in [i64::MIN, i64::MAX] {
            assert!(
                Time(Timestamp::from_millis(millis))
                    .to_sql(&Type::TIMESTAMPTZ, &mut BytesMut::new())
                    .is_err()
            );
        }
    }
}

//! How values become bytes: the only module that knows the codec.
//!
//! Every encoding begins with its *format*: the oldest one in which all that it holds is known. A version that knows
//! less refuses it instead of misreading it; one that knows more reads it. Enums are encoded by the position of their
//! variants: variants are only ever added at the end, and one that is added to what is replicated gets a new format.
//!
//! | format | what came with it |
//! |---|---|
//! | 2 | revocations, keys, invitations, ticks |
//! | 3 | the agreement on a format itself, clusters that were restored |
//!
//! There is nothing older: no version that wrote format 1 was ever released.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first format, which every version knows.
pub(crate) const OLDEST: u8 = 2;
/// The latest format that this version knows.
pub(crate) const NEWEST: u8 = 3;
/// No single value is larger than this, encoded; a length that claims more is refused before memory is taken.
pub(crate) const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why bytes are not a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecError {
    /// They were written by a later version.
    #[error("format {found} is newer than this version, which knows formats up to {known}")]
    Newer {
        /// Its format.
        found: u8,
        /// The latest that is known here.
        known: u8,
    },
    /// They are no encoding of the expected type.
    #[error("{0}")]
    Malformed(String),
}

/// The bytes of a value that every version knows.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    encode_as(OLDEST, value)
}

/// The bytes of a value that came with a format.
pub(crate) fn encode_as<T: Serialize>(format: u8, value: &T) -> Vec<u8> {
    let bytes = vec![format];
    let mut writer = Appending(bytes);
    bincode::serde::encode_into_writer(value, &mut writer, bincode::config::standard())
        .expect("our types have no map with unknown length and memory does not fail");
    writer.0
}

/// The value of bytes, all of them.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    decode_up_to(NEWEST, bytes)
}

/// The value of bytes, by one who knows formats up to `known`.
pub(crate) fn decode_up_to<T: DeserializeOwned>(known: u8, bytes: &[u8]) -> Result<T, CodecError> {
    let (format, body) = bytes
        .split_first()
        .ok_or_else(|| CodecError::Malformed("nothing there".to_owned()))?;
    if *format > known {
        return Err(CodecError::Newer { found: *format, known });
    }
    if *format < OLDEST {
        return Err(CodecError::Malformed(format!(
            "nothing was ever written in format {format}"
        )));
    }
    let config = bincode::config::standard().with_limit::<VALUE_BYTES_MAX>();
    let (value, read) =
        bincode::serde::decode_from_slice(body, config).map_err(|error| CodecError::Malformed(error.to_string()))?;
    if read != body.len() {
        return Err(CodecError::Malformed(format!("{} bytes too many", body.len() - read)));
    }
    Ok(value)
}

struct Appending(Vec<u8>);

impl bincode::enc::write::Writer for Appending {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_comes_back_and_foreign_versions_and_leftovers_are_refused() {
        let value = (7u64, "seven".to_owned(), Some(vec![1u8, 2]));
        let bytes = encode(&value);
        assert_eq!(decode::<(u64, String, Option<Vec<u8>>)>(&bytes), Ok(value));
        assert_eq!(bytes[0], OLDEST);
        let in_format = |format: u8| [&[format], &bytes[1..]].concat();
        let later = CodecError::Newer {
            found: NEWEST + 1,
            known: NEWEST,
        };
        assert_eq!(
            decode::<(u64, String, Option<Vec<u8>>)>(&in_format(NEWEST + 1)),
            Err(later)
        );
        for format in OLDEST..=NEWEST {
            assert!(decode::<(u64, String, Option<Vec<u8>>)>(&in_format(format)).is_ok());
        }
        for format in 0..OLDEST {
            assert!(matches!(
                decode::<(u64, String)>(&in_format(format)),
                Err(CodecError::Malformed(_))
            ));
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(matches!(
            decode::<(u64, String, Option<Vec<u8>>)>(&longer),
            Err(CodecError::Malformed(_))
        ));
        assert!(matches!(decode::<u64>(&[]), Err(CodecError::Malformed(_))));
    }

    #[test]
    fn a_length_that_claims_too_much_is_refused_before_memory_is_taken() {
        // 0xfd announces a 64-bit length.
        let claim = [&[OLDEST, 0xfd][..], &u64::MAX.to_le_bytes()].concat();
        assert!(matches!(decode::<Vec<u8>>(&claim), Err(CodecError::Malformed(_))));
        let just_over = [
            &[OLDEST, 0xfc][..],
            &u32::try_from(VALUE_BYTES_MAX + 1).unwrap().to_le_bytes(),
        ]
        .concat();
        assert!(matches!(decode::<Vec<u8>>(&just_over), Err(CodecError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<Vec<crate::command::Command>>(&bytes);
        }
    }
}

//! The frame round everything that is written: a mark, a kind, a number, a length and a checksum over all of it. The kind
//! and the number say which record it is, so that none is taken for another.

/// "This is a record of ours", at the beginning of each.
pub(crate) const MARK: [u8; 8] = *b"\xf1AIDP\r\n\x01";
/// Bytes before the body: mark, kind, number, length, checksum.
pub(crate) const HEADER_BYTES: usize = 8 + 1 + 8 + 4 + 4;

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// What it is; whoever writes decides.
    pub(crate) kind: u8,
    /// Its number in the order of writing.
    pub(crate) number: u64,
    /// What it says.
    pub(crate) body: &'a [u8],
}

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the record is cut off")]
    CutOff,
    #[error("the record has no beginning")]
    NoMark,
    #[error("the record's checksum does not match")]
    Checksum,
    #[error("there are bytes after the record")]
    Excess,
}

/// The bytes of a record.
pub(crate) fn write(frame: Frame<'_>) -> Vec<u8> {
    let length = u32::try_from(frame.body.len()).expect("a record is shorter than 4 GiB: the codec limits it");
    let mut bytes = Vec::with_capacity(HEADER_BYTES + frame.body.len());
    bytes.extend_from_slice(&MARK);
    bytes.push(frame.kind);
    bytes.extend_from_slice(&frame.number.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&checksum(&bytes[8..], frame.body).to_be_bytes());
    bytes.extend_from_slice(frame.body);
    bytes
}

/// The record at the beginning of `bytes`, and how many bytes it takes.
pub(crate) fn read_first(bytes: &[u8]) -> Result<(Frame<'_>, usize), FrameError> {
    let header = bytes.get(..HEADER_BYTES).ok_or(FrameError::CutOff)?;
    if header[..8] != MARK {
        return Err(FrameError::NoMark);
    }
    let number = u64::from_be_bytes(header[9..17].try_into().expect("eight bytes"));
    let length = u32::from_be_bytes(header[17..21].try_into().expect("four bytes")) as usize;
    let expected = u32::from_be_bytes(header[21..25].try_into().expect("four bytes"));
    let body = bytes[HEADER_BYTES..].get(..length).ok_or(FrameError::CutOff)?;
    if checksum(&header[8..21], body) != expected {
        return Err(FrameError::Checksum);
    }
    Ok((
        Frame {
            kind: header[8],
            number,
            body,
        },
        HEADER_BYTES + length,
    ))
}

/// The record that `bytes` are, all of them.
pub(crate) fn read(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let (frame, length) = read_first(bytes)?;
    if length == bytes.len() {
        Ok(frame)
    } else {
        Err(FrameError::Excess)
    }
}

/// How long the body is of the record whose header this is; for readers of streams.
pub(crate) fn body_length(header: &[u8; HEADER_BYTES]) -> Result<usize, FrameError> {
    if header[..8] != MARK {
        return Err(FrameError::NoMark);
    }
    Ok(u32::from_be_bytes(header[17..21].try_into().expect("four bytes")) as usize)
}

fn checksum(header: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_comes_back(kind: u8, number: u64, body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let frame = Frame { kind, number, body: &body };
            let bytes = write(frame);
            prop_assert_eq!(read(&bytes), Ok(frame));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
            let _ = read(&[&MARK[..], &bytes].concat());
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = write(Frame {
            kind: 3,
            number: 77,
            body: b"what was said",
        });
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&altered).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(read(&[&bytes[..], b"x"].concat()), Err(FrameError::Excess));
    }
}

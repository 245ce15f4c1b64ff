//! Takes messages apart by their lengths as bytes come in.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;

/// Bytes of the length before each message.
const LENGTH_BYTES: usize = 4;
/// How much is read at once: memory is taken as bytes arrive, not as a length promises them.
const READ_BYTES: usize = 64 * 1024;

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("it closed the connection")]
    Closed,
    #[error("it closed the connection in the middle of a message")]
    CutOff,
    #[error("it announced a message of {length} bytes; {length_max} are allowed")]
    TooLong { length: usize, length_max: usize },
    #[error("{0}")]
    Broken(io::Error),
}

/// The first message in `buffer`, if all of it is there.
pub(super) fn take_message(buffer: &mut BytesMut, length_max: usize) -> Result<Option<Bytes>, ReadError> {
    let Some(prefix) = buffer.first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*prefix) as usize;
    if length > length_max {
        return Err(ReadError::TooLong { length, length_max });
    }
    if buffer.len() < LENGTH_BYTES + length {
        return Ok(None);
    }
    buffer.advance(LENGTH_BYTES);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// Reads messages from a stream.
pub(super) struct MessageReader<R> {
    stream: R,
    buffer: BytesMut,
    length_max: usize,
    heard_at: Instant,
}

impl<R: AsyncRead + Unpin> MessageReader<R> {
    pub(super) fn new(stream: R, length_max: usize) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            length_max,
            heard_at: Instant::now(),
        }
    }

    /// Allows longer messages from now on.
    pub(super) fn set_length_max(&mut self, length_max: usize) {
        self.length_max = length_max;
    }

    /// The stream, without what was read of it already.
    pub(super) fn into_inner(self) -> R {
        self.stream
    }

    /// When bytes came in last.
    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// The next message. Dropped half way, it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Bytes, ReadError> {
        loop {
            if let Some(message) = take_message(&mut self.buffer, self.length_max)? {
                if message.len() > READ_BYTES {
                    // The next message must not keep the memory of this one.
                    self.buffer = BytesMut::from(&self.buffer[..]);
                }
                return Ok(message);
            }
            self.buffer.reserve(READ_BYTES);
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) if self.buffer.is_empty() => return Err(ReadError::Closed),
                Ok(0) => return Err(ReadError::CutOff),
                Ok(_) => self.heard_at = Instant::now(),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(ReadError::Closed),
                Err(error) => return Err(ReadError::Broken(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_length(body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
    }

    #[tokio::test]
    async fn messages_are_taken_apart_and_cuts_are_noticed() {
        let bytes = [with_length(b"one"), with_length(b""), with_length(b"three")].concat();
        let mut reader = MessageReader::new(bytes.as_slice(), 5);
        assert_eq!(reader.next().await.unwrap(), "one");
        assert_eq!(reader.next().await.unwrap(), "");
        assert_eq!(reader.next().await.unwrap(), "three");
        assert!(matches!(reader.next().await, Err(ReadError::Closed)));
        for cut in [1, 4, 6] {
            let mut reader = MessageReader::new(&bytes[..cut], 5);
            assert!(matches!(reader.next().await, Err(ReadError::CutOff)), "{cut}");
        }
        let mut reader = MessageReader::new(bytes.as_slice(), 2);
        assert!(matches!(reader.next().await, Err(ReadError::TooLong { length: 3, .. })));
    }

    #[tokio::test]
    async fn a_long_promise_takes_no_memory() {
        let bytes = u32::MAX.to_be_bytes();
        let mut reader = MessageReader::new(bytes.as_slice(), usize::MAX);
        assert!(matches!(reader.next().await, Err(ReadError::CutOff)));
        assert!(reader.buffer.capacity() <= 2 * READ_BYTES);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_are_never_read_twice(bytes: Vec<u8>, length_max in 0usize..300) {
            let mut buffer = BytesMut::from(bytes.as_slice());
            let mut taken = 0;
            while let Ok(Some(message)) = take_message(&mut buffer, length_max) {
                prop_assert!(message.len() <= length_max);
                taken += LENGTH_BYTES + message.len();
            }
            prop_assert_eq!(taken + buffer.len(), bytes.len());
        }

        #[test]
        fn messages_come_back_however_they_are_cut(bodies: Vec<Vec<u8>>, piece in 1usize..20) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|body| with_length(body)).collect();
            let (mut buffer, mut messages) = (BytesMut::new(), Vec::new());
            for piece in bytes.chunks(piece) {
                buffer.extend_from_slice(piece);
                while let Some(message) = take_message(&mut buffer, 1_000).unwrap() {
                    messages.push(message.to_vec());
                }
            }
            prop_assert_eq!(messages, bodies);
        }
    }
}

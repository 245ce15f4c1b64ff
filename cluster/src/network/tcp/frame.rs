//! What two nodes say to each other once they know each other: a kind, a number, and for some kinds a payload.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// Bytes before the payload: kind and number.
const HEAD_BYTES: usize = 1 + 8;

/// One thing said. Its number tells to which request an answer belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Asks for something.
    Request(u64, Bytes),
    /// What was asked for.
    Answer(u64, Bytes),
    /// The request was not carried out, and why.
    Unwilling(u64, String),
    /// Is anybody there?
    Ping,
    /// Yes.
    Pong,
    /// Make another connection for what comes next.
    Goodbye,
}

/// Why a message is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("it sent a message that is cut off")]
    CutOff,
    #[error("it sent a message of the unknown kind {0}")]
    Kind(u8),
    #[error("it sent a message with more in it than belongs there")]
    Excess,
}

impl Frame {
    /// Appends the message, its length first.
    pub(super) fn write_to(&self, out: &mut BytesMut) {
        let (kind, number, payload): (u8, u64, &[u8]) = match self {
            Frame::Request(number, payload) => (1, *number, payload),
            Frame::Answer(number, payload) => (2, *number, payload),
            Frame::Unwilling(number, reason) => (3, *number, reason.as_bytes()),
            Frame::Ping => (4, 0, &[]),
            Frame::Pong => (5, 0, &[]),
            Frame::Goodbye => (6, 0, &[]),
        };
        let length = HEAD_BYTES + payload.len();
        out.reserve(4 + length);
        out.put_u32(u32::try_from(length).expect("payloads are shorter than 4 GiB: senders check them"));
        out.put_u8(kind);
        out.put_u64(number);
        out.put_slice(payload);
    }

    /// The frame of a message without its length.
    pub(super) fn read(mut body: Bytes) -> Result<Self, FrameError> {
        if body.len() < HEAD_BYTES {
            return Err(FrameError::CutOff);
        }
        let (kind, number) = (body.get_u8(), body.get_u64());
        let frame = match kind {
            1 => return Ok(Frame::Request(number, body)),
            2 => return Ok(Frame::Answer(number, body)),
            3 => return Ok(Frame::Unwilling(number, String::from_utf8_lossy(&body).into_owned())),
            4 => Frame::Ping,
            5 => Frame::Pong,
            6 => Frame::Goodbye,
            unknown => return Err(FrameError::Kind(unknown)),
        };
        if body.is_empty() {
            Ok(frame)
        } else {
            Err(FrameError::Excess)
        }
    }

    /// How many bytes a payload may have in a message of at most `body_bytes_max`.
    pub(super) const fn payload_bytes_max(body_bytes_max: usize) -> usize {
        body_bytes_max - HEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_back(frame: &Frame) -> Result<Frame, FrameError> {
        let mut bytes = BytesMut::new();
        frame.write_to(&mut bytes);
        let length = bytes.get_u32() as usize;
        assert_eq!(length, bytes.len());
        Frame::read(bytes.freeze())
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let read = |bytes: &'static [u8]| Frame::read(Bytes::from_static(bytes));
        assert_eq!(read(b""), Err(FrameError::CutOff));
        assert_eq!(read(&[1, 0, 0, 0, 0, 0, 0, 0]), Err(FrameError::CutOff));
        assert_eq!(read(&[0; 9]), Err(FrameError::Kind(0)));
        assert_eq!(read(&[7; 9]), Err(FrameError::Kind(7)));
        assert_eq!(read(&[4, 0, 0, 0, 0, 0, 0, 0, 0, 1]), Err(FrameError::Excess));
    }

    proptest! {
        #[test]
        fn frames_come_back(number: u64, payload: Vec<u8>, reason: String) {
            let payload = Bytes::from(payload);
            for frame in [
                Frame::Request(number, payload.clone()),
                Frame::Answer(number, payload),
                Frame::Unwilling(number, reason),
                Frame::Ping,
                Frame::Pong,
                Frame::Goodbye,
            ] {
                prop_assert_eq!(read_back(&frame), Ok(frame));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(kind in 0u8..9, bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Frame::read(Bytes::from(bytes.clone()));
            let _ = Frame::read(Bytes::from([&[kind], bytes.as_slice()].concat()));
        }
    }
}

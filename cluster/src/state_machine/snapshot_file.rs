//! The bytes of a snapshot: a sequence of framed parts, the first of which says where in the log it was taken. Every
//! part has a checksum and a number, so that a snapshot that is cut off, damaged or mixed up is never believed.

use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StateAt;
use crate::codec::{self, CodecError};
use crate::files::{FileCursor, OpenFile};
use crate::log_store::frame::{self, Frame, HEADER_BYTES};
use crate::log_store::stored::{StoredLogId, StoredMembersAt};
use crate::raft_types::LogId;
use crate::state::{ImagePart, Restoring};

/// What the frames of a snapshot say that they are.
const KIND: u8 = 16;

/// A snapshot that is open for reading.
#[derive(Debug)]
pub(crate) struct SnapshotFile(pub(crate) Arc<dyn OpenFile>);

/// Where in the log a snapshot was taken.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    applied: Option<StoredLogId>,
    members: StoredMembersAt,
}

/// Why bytes are not a snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("the snapshot cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the snapshot is of format {found}, this version knows formats up to {known}; install a later one here")]
    Newer { found: u8, known: u8 },
    #[error("part {part} of the snapshot is damaged: {detail}")]
    Damaged { part: u64, detail: String },
}

/// Writes all parts, in the format that the members have agreed on.
pub(crate) fn write(out: &mut impl Write, at: &StateAt) -> io::Result<()> {
    let place = Place {
        applied: at.applied.as_ref().map(StoredLogId::from),
        members: (&at.membership).into(),
    };
    let format = at.state.agreement().format();
    write_part(out, format, 0, &place)?;
    for (number, part) in (1..).zip(at.state.parts()) {
        write_part(out, format, number, &part)?;
    }
    Ok(())
}

fn write_part<T: Serialize>(out: &mut impl Write, format: u8, number: u64, part: &T) -> io::Result<()> {
    out.write_all(&frame::write(Frame {
        kind: KIND,
        number,
        body: &codec::encode_as(format, part),
    }))
}

/// Reads and verifies all parts.
pub(crate) fn read(mut input: impl Read, known: u8) -> Result<StateAt, SnapshotError> {
    let mut number = 0;
    let place: Place = read_part(&mut input, known, number)?;
    let mut restoring = Restoring::default();
    loop {
        number += 1;
        let part: ImagePart = read_part(&mut input, known, number)?;
        let is_end = part == ImagePart::End;
        restoring.add(part).map_err(|error| damaged(number, error))?;
        if is_end {
            break;
        }
    }
    if input.read(&mut [0u8])? != 0 {
        return Err(damaged(number + 1, "there should be no further part"));
    }
    Ok(StateAt {
        applied: place.applied.map(LogId::from),
        membership: place.members.try_into().map_err(|error: String| damaged(0, error))?,
        state: restoring.finish().map_err(|error| damaged(number, error))?,
    })
}

fn read_part<T: serde::de::DeserializeOwned>(
    input: &mut impl Read,
    known: u8,
    number: u64,
) -> Result<T, SnapshotError> {
    let mut bytes = vec![0u8; HEADER_BYTES];
    read_exact(input, &mut bytes, number)?;
    let header = bytes.as_slice().try_into().expect("it was made as long as a header");
    let length = frame::body_length(header).map_err(|error| damaged(number, error))?;
    if length > codec::VALUE_BYTES_MAX {
        return Err(damaged(number, "it claims to be longer than any part"));
    }
    bytes.resize(HEADER_BYTES + length, 0);
    read_exact(input, &mut bytes[HEADER_BYTES..], number)?;
    let record = frame::read(&bytes).map_err(|error| damaged(number, error))?;
    if record.kind != KIND || record.number != number {
        return Err(damaged(number, "another part stands in its place"));
    }
    codec::decode_up_to(known, record.body).map_err(|error| match error {
        CodecError::Newer { found, known } => SnapshotError::Newer { found, known },
        CodecError::Malformed(detail) => damaged(number, detail),
    })
}

fn read_exact(input: &mut impl Read, bytes: &mut [u8], part: u64) -> Result<(), SnapshotError> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(part, "it is cut off"),
        _ => SnapshotError::Io(error),
    })
}

fn damaged(part: u64, detail: impl ToString) -> SnapshotError {
    SnapshotError::Damaged {
        part,
        detail: detail.to_string(),
    }
}

impl SnapshotFile {
    /// Reads and verifies all parts, from the beginning.
    pub(crate) fn read(&self, known: u8) -> Result<StateAt, SnapshotError> {
        read(
            io::BufReader::with_capacity(256 * 1024, FileCursor::at(&self.0, 0)),
            known,
        )
    }
}

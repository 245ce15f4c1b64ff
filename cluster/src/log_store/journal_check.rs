//! How far the database's journal goes: the greatest round of which an intact record is in it, wherever the database
//! itself would stop reading.

use std::path::Path;

use memchr::memmem;

use super::frame;
use crate::error::ClusterError;

/// The greatest number of an intact record in any journal file of the database in `path`; `None` if there is none.
pub(crate) fn last_round_in(path: &Path) -> Result<Option<u64>, ClusterError> {
    let folder = match std::fs::read_dir(path) {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ClusterError::io(path, error)),
    };
    let mut last = None;
    for file in folder {
        let file = file.map_err(|error| ClusterError::io(path, error))?.path();
        if file.extension().is_some_and(|extension| extension == "jnl") {
            let bytes = std::fs::read(&file).map_err(|error| ClusterError::io(&file, error))?;
            last = last.max(last_round(&bytes));
        }
    }
    Ok(last)
}

fn last_round(bytes: &[u8]) -> Option<u64> {
    let mut last = None;
    let mut position = 0;
    while let Some(found) = memmem::find(&bytes[position..], &frame::MARK) {
        let start = position + found;
        match frame::read_first(&bytes[start..]) {
            Ok((record, length)) => {
                last = last.max(Some(record.number));
                position = start + length;
            }
            Err(_) => position = start + frame::MARK.len(),
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_store::frame::Frame;

    fn record(number: u64) -> Vec<u8> {
        frame::write(Frame {
            kind: 1,
            number,
            body: b"an entry",
        })
    }

    #[test]
    fn records_are_found_wherever_they_are() {
        assert_eq!(last_round(b"nothing of ours"), None);
        let mut bytes = [
            b"\x01\x02junk".as_slice(),
            &record(3),
            b"\0\0\0",
            &record(9),
            &record(7),
            b"rest",
        ]
        .concat();
        assert_eq!(last_round(&bytes), Some(9));
        let ninth = memmem::find(&bytes, &record(9)).expect("it is there");
        bytes[ninth + 30] ^= 1;
        assert_eq!(last_round(&bytes), Some(7), "a damaged record does not count");
        bytes.truncate(ninth + 3);
        assert_eq!(last_round(&bytes), Some(3));
    }

    #[test]
    fn no_folder_is_no_round() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(last_round_in(&folder.path().join("absent")), Ok(None)));
        std::fs::write(folder.path().join("1.jnl"), record(5)).unwrap();
        std::fs::write(folder.path().join("other"), record(8)).unwrap();
        assert!(matches!(last_round_in(folder.path()), Ok(Some(5))));
    }
}

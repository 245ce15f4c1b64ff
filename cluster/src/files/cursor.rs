//! A place in a file, for what is read or written from the beginning to the end.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::OpenFile;

/// Reads or writes on from a place, and is then behind what was read or written.
pub(crate) struct FileCursor {
    file: Arc<dyn OpenFile>,
    offset: u64,
}

impl FileCursor {
    pub(crate) fn at(file: &Arc<dyn OpenFile>, offset: u64) -> Self {
        Self {
            file: file.clone(),
            offset,
        }
    }
}

impl Read for FileCursor {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.offset, bytes)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl Write for FileCursor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

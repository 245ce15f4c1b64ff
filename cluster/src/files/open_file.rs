//! A file that is open.

use std::fmt::Debug;
use std::io;

/// A file that is open, for everybody who has a copy of the pointer; it has no position of its own.
pub trait OpenFile: Debug + Send + Sync {
    /// Reads bytes from a place on and says how many; fewer than there is room for only if the file ends, or for no
    /// reason, and none only if it ends.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Writes all these bytes from a place on. The file becomes as long as that takes, with zeros between.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// How many bytes it has.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has none.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|length| length == 0)
    }

    /// Cuts it off, or makes it longer with zeros.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Makes durable what was written, and the length. Its name is up to [`Files::sync_folder`](super::Files::sync_folder).
    fn sync(&self) -> io::Result<()>;

    /// Locks it until the last copy of this pointer is gone; false if it is locked already, whoever opened it.
    fn try_lock(&self) -> io::Result<bool>;

    /// Reads as many bytes as there is room for; an error if the file ends before.
    fn read_exact_at(&self, mut offset: u64, mut bytes: &mut [u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.read_at(offset, bytes) {
                Ok(0) => {
                    let ended = io::ErrorKind::UnexpectedEof;
                    return Err(io::Error::new(ended, "failed to fill whole buffer"));
                }
                Ok(read) => {
                    offset += read as u64;
                    bytes = &mut bytes[read..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

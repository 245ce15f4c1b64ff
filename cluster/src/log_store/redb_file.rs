//! A file of the [port](crate::files) as redb wants it.

use std::io;
use std::sync::Arc;

use redb::StorageBackend;

use crate::files::OpenFile;

/// The file that the database is in. It is locked by whoever opened it, since redb would lock single bytes, which not
/// every disk has.
#[derive(Debug)]
pub(super) struct RedbFile(pub(super) Arc<dyn OpenFile>);

impl StorageBackend for RedbFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }
}

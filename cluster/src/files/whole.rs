//! Files that are read and written as a whole, or in pieces.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::{FileCursor, Files, OpenFile, Opening};

/// What is in a file.
pub(crate) fn read_whole(files: &dyn Files, path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let file = files.open(path, Opening::Existing)?;
    FileCursor::at(&file, 0).read_to_end(&mut content)?;
    Ok(content)
}

/// The bytes of a file from a place on; fewer than `length_max` only if it ends.
pub(crate) fn read_piece(file: &Arc<dyn OpenFile>, offset: u64, length_max: u64) -> io::Result<Vec<u8>> {
    let mut piece = Vec::new();
    FileCursor::at(file, offset).take(length_max).read_to_end(&mut piece)?;
    Ok(piece)
}

/// Writes a file so that there is either the former one or the whole new one, whatever happens.
pub(crate) fn replace_file(files: &dyn Files, path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let file = files.open(&temporary, Opening::Emptied)?;
    file.write_at(0, content)?;
    file.sync()?;
    files.rename(&temporary, path)?;
    files.sync_folder(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::OsFiles;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("file.txt");
        replace_file(&OsFiles, &name, b"the first").unwrap();
        replace_file(&OsFiles, &name, b"second").unwrap();
        assert_eq!(read_whole(&OsFiles, &name).unwrap(), b"second");
        let files = OsFiles.list(folder.path()).unwrap();
        assert_eq!(files, [name], "nothing else is left");
    }
}

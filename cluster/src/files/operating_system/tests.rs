//! What the port promises, of real files.

use super::*;
use crate::files::{read_piece, read_whole};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_folder_is_made_for_its_owner_with_those_that_it_is_in() {
    let folder = folder();
    let inner = folder.path().join("a/b");
    OsFiles.create_folder(&inner).unwrap();
    assert_eq!(mode(&inner), 0o700);
    fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
    OsFiles.create_folder(&inner).unwrap();
    assert_eq!(mode(&inner), 0o700, "also if it was there");
    fs::write(inner.join("file"), "x").unwrap();
    assert_eq!(OsFiles.list(&inner).unwrap(), [inner.join("file")]);
    assert!(OsFiles.remove_folder(&inner).is_err(), "it is not empty");
    OsFiles.remove_file(&inner.join("file")).unwrap();
    OsFiles.remove_folder(&inner).unwrap();
    OsFiles.sync_folder(folder.path()).unwrap();
    assert!(!OsFiles.exists(&inner).unwrap() && OsFiles.exists(&folder.path().join("a")).unwrap());
    let missing = OsFiles.list(&inner).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_file_is_opened_as_it_is_or_empty_and_only_read_if_it_must_be_there() {
    let folder = folder();
    let path = folder.path().join("file");
    let missing = OsFiles.open(&path, Opening::Existing).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    OsFiles
        .open(&path, Opening::Kept)
        .unwrap()
        .write_at(0, b"text")
        .unwrap();
    assert_eq!(read_whole(&OsFiles, &path).unwrap(), b"text");
    let existing = OsFiles.open(&path, Opening::Existing).unwrap();
    assert!(existing.write_at(0, b"other").is_err());
    assert_eq!(OsFiles.open(&path, Opening::Kept).unwrap().len().unwrap(), 4);
    assert!(OsFiles.open(&path, Opening::Emptied).unwrap().is_empty().unwrap());
}

#[test]
fn bytes_are_where_they_were_written_and_the_file_ends_where_it_was_cut() {
    let folder = folder();
    let file = OsFiles.open(&folder.path().join("file"), Opening::Kept).unwrap();
    file.write_at(3, b"abc").unwrap();
    file.sync().unwrap();
    let mut bytes = [9; 8];
    assert_eq!(file.read_at(0, &mut bytes).unwrap(), 6);
    assert_eq!(&bytes, b"\0\0\0abc\x09\x09");
    assert_eq!(file.read_at(6, &mut bytes).unwrap(), 0);
    let beyond = file.read_exact_at(0, &mut bytes).unwrap_err();
    assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    file.set_len(4).unwrap();
    file.set_len(6).unwrap();
    file.read_exact_at(1, &mut bytes[..5]).unwrap();
    assert_eq!(&bytes[..5], b"\0\0a\0\0");
    assert_eq!(read_piece(&file, 2, 3).unwrap(), b"\0a\0");
    assert_eq!(read_piece(&file, 5, 3).unwrap(), b"\0");
}

#[test]
fn a_file_that_lost_its_name_is_still_there_for_who_has_it_open() {
    let folder = folder();
    let (path, other) = (folder.path().join("file"), folder.path().join("other"));
    let file = OsFiles.open(&path, Opening::Emptied).unwrap();
    file.write_at(0, b"first").unwrap();
    let second = OsFiles.open(&other, Opening::Emptied).unwrap();
    second.write_at(0, b"second").unwrap();
    OsFiles.rename(&other, &path).unwrap();
    assert_eq!(read_whole(&OsFiles, &path).unwrap(), b"second");
    assert_eq!(read_piece(&file, 0, 10).unwrap(), b"first");
    assert!(!OsFiles.exists(&other).unwrap());
}

#[test]
fn a_lock_is_held_until_the_last_copy_is_gone() {
    let folder = folder();
    let open = || OsFiles.open(&folder.path().join("LOCK"), Opening::Kept).unwrap();
    let (first, second) = (open(), open());
    assert!(first.try_lock().unwrap());
    assert!(!second.try_lock().unwrap());
    let copy = first.clone();
    drop(first);
    assert!(!second.try_lock().unwrap());
    drop(copy);
    assert!(second.try_lock().unwrap());
}

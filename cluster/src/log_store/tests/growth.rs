//! How large the log's file gets: as large as what is in it, not as what ever was.

use super::*;
use crate::codec;
use crate::log_store::disk::{DiskChange, LogDisk, Slot};
use crate::log_store::redb_disk::{COMPACT_FROM_BYTES, RedbDisk};

const ENTRY_BYTES: usize = 64 * 1024;

fn put(index: u64) -> DiskChange {
    DiskChange::PutEntry {
        index,
        body: vec![7; ENTRY_BYTES],
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[test]
fn the_room_of_entries_that_were_given_up_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let disk = RedbDisk::open(&OsFiles, &path).unwrap();
    let mut largest = 0;
    for round in 0..40 {
        let changes: Vec<DiskChange> = (round * 10..round * 10 + 10).map(put).collect();
        disk.write(&changes).unwrap();
        if round >= 2 {
            disk.write(&[DiskChange::RemoveEntries((round - 2) * 10..=(round - 2) * 10 + 9)])
                .unwrap();
        }
        if round == 10 {
            largest = length(&path);
        }
    }
    let written = 400 * ENTRY_BYTES as u64;
    assert!(largest < written / 2, "{largest} of {written}");
    assert!(length(&path) <= largest, "{} after {largest}", length(&path));
}

#[test]
fn a_file_that_was_large_is_made_smaller_when_it_is_opened_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let disk = RedbDisk::open(&OsFiles, &path).unwrap();
    let entries = 2 * COMPACT_FROM_BYTES / ENTRY_BYTES as u64;
    for first in (0..entries).step_by(64) {
        disk.write(&(first..first + 64).map(put).collect::<Vec<_>>()).unwrap();
    }
    let vote = DiskChange::PutSlot {
        slot: Slot::Vote,
        body: codec::encode(&7u64),
    };
    // What is left lies at the end of the file.
    disk.write(&[DiskChange::RemoveEntries(0..=entries - 3), vote]).unwrap();
    drop(disk);
    let before = length(&path);
    assert!(before > COMPACT_FROM_BYTES, "{before}");
    let disk = RedbDisk::open(&OsFiles, &path).unwrap();
    drop(disk);
    assert!(length(&path) < before / 4, "{} of {before}", length(&path));
    let disk = RedbDisk::open(&OsFiles, &path).unwrap();
    assert_eq!(disk.bounds().unwrap(), Some(entries - 2..=entries - 1));
    assert_eq!(disk.entries(entries - 1..=entries - 1).unwrap()[0].1.len(), ENTRY_BYTES);
    assert_eq!(disk.slot(Slot::Vote).unwrap(), Some(codec::encode(&7u64)));
}

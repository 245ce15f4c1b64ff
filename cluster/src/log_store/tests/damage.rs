//! What a log says after damage and after power was lost, on the very bytes that redb writes.

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::codec;
use crate::files::OpenFile;
use crate::held::Held;
use crate::log_store::disk::{DiskChange, LogDisk};
use crate::log_store::loading;
use crate::log_store::redb_disk::RedbDisk;
use crate::log_store::stored::StoredEntry;

/// What storage writes at once or not at all.
const SECTOR: usize = 512;
const NAME: &str = "the log under test";

fn path() -> &'static std::path::Path {
    std::path::Path::new(NAME)
}

fn put(index: u64) -> DiskChange {
    DiskChange::PutEntry {
        index,
        body: StoredEntry::from(&entry(index)).to_bytes(),
    }
}

/// Storage as a machine has it: what was written is lost in part if power fails before it is synchronized.
#[derive(Clone, Debug, Default)]
struct Storage(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    durable: Vec<u8>,
    seen: Vec<u8>,
    unsynchronized: Vec<(usize, Vec<u8>)>,
    writes_left: Option<usize>,
}

impl Storage {
    fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            durable: bytes.clone(),
            seen: bytes,
            ..Platter::default()
        })))
    }

    fn fail_after(&self, writes: usize) {
        self.0.lock().unwrap().writes_left = Some(writes);
    }

    /// The bytes after power was lost: of each write that was not synchronized, some sectors made it, in any order.
    fn after_power_loss(&self, mut luck: impl FnMut() -> bool) -> Vec<u8> {
        let platter = self.0.lock().unwrap();
        let mut bytes = platter.durable.clone();
        for (offset, data) in &platter.unsynchronized {
            for (number, sector) in data.chunks(SECTOR).enumerate() {
                let at = offset + number * SECTOR;
                if luck() {
                    bytes.resize(bytes.len().max(at + sector.len()), 0);
                    bytes[at..at + sector.len()].copy_from_slice(sector);
                }
            }
        }
        // The length of a file is changed before the data that it makes room for.
        bytes.resize(bytes.len().max(platter.seen.len()), 0);
        bytes
    }
}

impl Platter {
    fn spend(&mut self) -> io::Result<()> {
        let Some(left) = &mut self.writes_left else {
            return Ok(());
        };
        *left = left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("the power is off"))?;
        Ok(())
    }
}

impl OpenFile for Storage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().seen.len() as u64)
    }
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let platter = self.0.lock().unwrap();
        let found = platter.seen.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let length = found.len().min(out.len());
        out[..length].copy_from_slice(&found[..length]);
        Ok(length)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.spend()?;
        platter.seen.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.spend()?;
        platter.durable = platter.seen.clone();
        platter.unsynchronized.clear();
        Ok(())
    }
    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.spend()?;
        let start = usize::try_from(offset).unwrap();
        platter.seen[start..start + data.len()].copy_from_slice(data);
        platter.unsynchronized.push((start, data.to_vec()));
        Ok(())
    }
}

/// How many entries, from 0 on, a log has; or why it is refused.
fn entries_of(bytes: Vec<u8>) -> Result<u64, ClusterError> {
    let disk = RedbDisk::on(Arc::new(Storage::of(bytes)), path())?;
    let index = loading::load(&disk, path(), codec::NEWEST, &Held::default())?;
    Ok(index.last.map_or(0, |last| last.index + 1))
}

/// The bytes of a log of `count` entries, each a round of its own; as it is after it was closed, or after a crash.
fn log_of(count: u64, closed: bool) -> Vec<u8> {
    let storage = Storage::default();
    let disk = RedbDisk::on(Arc::new(storage.clone()), path()).unwrap();
    (0..count).for_each(|index| disk.write(&[put(index)]).unwrap());
    let crashed = storage.0.lock().unwrap().durable.clone();
    drop(disk);
    if closed {
        storage.0.lock().unwrap().durable.clone()
    } else {
        crashed
    }
}

#[test]
fn no_flipped_bit_hides_an_entry_of_a_log_that_was_closed() {
    let whole = log_of(200, true);
    assert_eq!(entries_of(whole.clone()).unwrap(), 200);
    let mut refused = 0;
    for position in positions(&whole) {
        let mut altered = whole.clone();
        altered[position] ^= 1 << (position % 8);
        match entries_of(altered) {
            Ok(count) => assert_eq!(count, 200, "byte {position}"),
            Err(ClusterError::CorruptLog { path: named, .. }) => {
                assert_eq!(named, path());
                refused += 1;
            }
            Err(other) => panic!("byte {position}: {other}"),
        }
    }
    assert!(refused > 100, "{refused} were refused");
}

/// Of a log that was not closed, damage to the very last round cannot be told from a round that was never finished.
#[test]
fn no_flipped_bit_hides_more_than_the_last_round_of_a_log_that_crashed() {
    let whole = log_of(300, false);
    assert_eq!(entries_of(whole.clone()).unwrap(), 300);
    let (mut refused, mut last_missing) = (0, 0);
    for position in positions(&whole) {
        let mut altered = whole.clone();
        altered[position] ^= 1 << (position % 8);
        match entries_of(altered) {
            Ok(count) => {
                assert!(count >= 299, "byte {position}: {count} entries");
                last_missing += u32::from(count == 299);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(
        refused > 100 && last_missing > 10,
        "{refused} were refused, {last_missing} lack the last round"
    );
}

/// Every so many bytes that are not padding; prime, so that all parts of a record are met.
fn positions(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte != 0)
        .map(|(position, _)| position)
        .step_by(47)
}

#[test]
fn a_log_that_is_cut_off_or_foreign_is_refused() {
    let whole = log_of(200, true);
    for length in [1, 100, 4_096, whole.len() / 2] {
        assert!(
            matches!(
                entries_of(whole[..length].to_vec()),
                Err(ClusterError::CorruptLog { .. })
            ),
            "{length} bytes"
        );
    }
    assert!(matches!(
        entries_of(b"SQLite format 3\0 or something else".repeat(1_000)),
        Err(ClusterError::CorruptLog { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn what_was_acknowledged_survives_the_loss_of_power(
        rounds in 1..30u64,
        fail_after in 0..200usize,
        luck in proptest::collection::vec(any::<bool>(), 1..400),
    ) {
        let storage = Storage::default();
        let disk = RedbDisk::on(Arc::new(storage.clone()), path()).unwrap();
        storage.fail_after(fail_after);
        let acknowledged = (0..rounds).take_while(|index| disk.write(&[put(*index)]).is_ok()).count() as u64;
        let mut luck = luck.iter().cycle();
        let bytes = storage.after_power_loss(|| *luck.next().unwrap());
        // Closing writes too; what it writes comes after the loss of power.
        drop(disk);
        let found = entries_of(bytes).expect("a torn round is no damage");
        prop_assert!(found == acknowledged || found == acknowledged + 1, "{} of {}", found, acknowledged);
    }
}

#[test]
fn entries_that_are_missing_or_swapped_are_noticed() {
    let with = |changes: &[DiskChange]| {
        let storage = Storage::default();
        let disk = RedbDisk::on(Arc::new(storage), path()).unwrap();
        (0..10).for_each(|index| disk.write(&[put(index)]).unwrap());
        disk.write(changes).unwrap();
        loading::load(&disk, path(), codec::NEWEST, &Held::default()).map(|index| index.last.map(|last| last.index))
    };
    assert_eq!(with(&[]).unwrap(), Some(9));
    assert_eq!(with(&[DiskChange::RemoveEntries(8..=9)]).unwrap(), Some(7));
    let refusals = [
        (DiskChange::RemoveEntries(4..=4), "entry 4 is missing"),
        (DiskChange::RemoveEntries(0..=2), "the first entry is 3, it should be 0"),
        (
            DiskChange::PutEntry {
                index: 5,
                body: vec![1, 2, 3],
            },
            "entry 5: ",
        ),
        (
            DiskChange::PutEntry {
                index: 5,
                body: Vec::new(),
            },
            "entry 5: ",
        ),
    ];
    for (change, reason) in refusals {
        let sentence = with(&[change]).map(|_| ()).unwrap_err().to_string();
        assert!(sentence.contains(reason), "{sentence}");
    }
    let DiskChange::PutEntry { body, .. } = put(6) else {
        unreachable!("put makes an entry")
    };
    let sentence = with(&[DiskChange::PutEntry { index: 5, body }])
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(sentence.contains("says of itself that it is entry 6"), "{sentence}");
    let newer = DiskChange::PutEntry {
        index: 5,
        body: vec![codec::NEWEST + 1, 0, 0],
    };
    assert!(matches!(
        with(&[newer]),
        Err(ClusterError::NewerFormat { found: 4, known: 3, .. })
    ));
}

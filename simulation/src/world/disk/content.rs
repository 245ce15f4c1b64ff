//! What is in a file: as it is seen, as it is for good, and what was done in between.

use std::sync::{Mutex, MutexGuard};

use crate::lock::lock;
use crate::random::Random;

/// What a disk writes at once, or not at all, in bytes.
const SECTOR: usize = 512;

/// A file's content.
#[derive(Default)]
pub(super) struct Content(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// What was done since it was last synchronized.
    pending: Vec<Change>,
    is_locked: bool,
}

enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Content {
    pub(super) fn read_at(&self, offset: u64, bytes: &mut [u8]) -> usize {
        let inner = self.lock();
        let rest = inner.seen.get(place(offset)..).unwrap_or_default();
        let length = rest.len().min(bytes.len());
        bytes[..length].copy_from_slice(&rest[..length]);
        length
    }

    pub(super) fn write_at(&self, offset: u64, bytes: &[u8]) {
        let inner = &mut *self.lock();
        write(&mut inner.seen, place(offset), bytes);
        inner.pending.push(Change::Write(place(offset), bytes.to_vec()));
    }

    pub(super) fn len(&self) -> u64 {
        self.lock().seen.len() as u64
    }

    pub(super) fn set_len(&self, length: u64) {
        let inner = &mut *self.lock();
        inner.seen.resize(place(length), 0);
        inner.pending.push(Change::Length(place(length)));
    }

    pub(super) fn sync(&self) {
        let inner = &mut *self.lock();
        for change in inner.pending.drain(..) {
            match change {
                Change::Write(offset, bytes) => write(&mut inner.durable, offset, &bytes),
                Change::Length(length) => inner.durable.resize(length, 0),
            }
        }
    }

    /// Of what was done since the last synchronization any part may be there.
    pub(super) fn lose_power(&self, random: &mut Random) {
        let inner = &mut *self.lock();
        // All, nothing, or some: each is as likely, so that all three are tried.
        let kept_per_mille = *random.pick(&[0, 500, 1_000]).expect("there are three");
        for change in inner.pending.drain(..) {
            match change {
                Change::Length(length) if random.happens(kept_per_mille) => inner.durable.resize(length, 0),
                Change::Length(_) => {}
                Change::Write(offset, bytes) => {
                    for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                        if random.happens(kept_per_mille) {
                            write(&mut inner.durable, offset + number * SECTOR, sector);
                        }
                    }
                }
            }
        }
        inner.seen = inner.durable.clone();
        inner.is_locked = false;
    }

    /// A bit flips in a byte that is not 0: most of a file may be room that nobody reads. Answers in which.
    pub(super) fn rot(&self, random: &mut Random) -> Option<u64> {
        let inner = &mut *self.lock();
        let length = inner.durable.len().min(inner.seen.len());
        if length == 0 {
            return None;
        }
        let first = random.below(length);
        let is_written = |place: &usize| inner.durable[*place] != 0;
        let place = (first..length).chain(0..first).find(is_written)?;
        let bit = 1 << random.below(8);
        inner.durable[place] ^= bit;
        inner.seen[place] ^= bit;
        u64::try_from(place).ok()
    }

    pub(super) fn try_lock(&self) -> bool {
        !std::mem::replace(&mut self.lock().is_locked, true)
    }

    pub(super) fn unlock(&self) {
        self.lock().is_locked = false;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("simulated files are small")
}

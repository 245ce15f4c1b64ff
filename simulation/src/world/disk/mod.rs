//! A machine's disk, which outlives its process and loses, when power is lost, what was not synchronized: as real ones do,
//! not all of it and not in order, and a piece of it may be written half.

mod content;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use cluster::{Files, OpenFile, Opening};

use self::content::Content;
use crate::lock::lock;
use crate::random::Random;

/// Files and folders by name; a folder has no content.
type Names = BTreeMap<PathBuf, Option<Arc<Content>>>;

/// A disk. Copies are the same one.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    seen: Names,
    durable: Names,
    /// How often a process has come to its end: files that were opened before have no effect any more.
    process: u64,
    is_full: bool,
}

impl Disk {
    /// What a process that starts now sees of it.
    pub fn mount(&self) -> Arc<dyn Files> {
        Arc::new(Mount {
            disk: self.clone(),
            process: self.lock().process,
        })
    }

    /// The process is gone: nothing that it still has open changes anything.
    pub fn process_ends(&self) {
        self.lock().process += 1;
    }

    /// Power is lost.
    pub fn lose_power(&self, random: &mut Random) {
        let state = &mut *self.lock();
        // A journal of names keeps their order, so either the latest changes of a folder are there or they are not.
        let folders: Vec<PathBuf> = folders(&state.seen);
        for folder in folders {
            if random.happens(500) {
                sync_names(state, &folder);
            }
        }
        state.seen = state.durable.clone();
        for content in state.seen.values().flatten() {
            content.lose_power(random);
        }
    }

    /// Everything is removed. The process has ended before.
    pub fn wipe(&self) {
        let mut state = self.lock();
        state.seen.clear();
        state.durable.clear();
    }

    /// A bit of one of the files of this name flips, where something is written. Answers in which byte; `None` if there is no
    /// such file.
    pub fn rot(&self, name: &str, random: &mut Random) -> Option<u64> {
        let state = self.lock();
        let named = state.seen.iter().filter(|(path, _)| path.ends_with(name));
        let mut contents = named.filter_map(|(_, content)| content.as_ref());
        contents.next()?.rot(random)
    }

    /// Whether files can become longer from now on.
    pub fn set_full(&self, is_full: bool) {
        self.lock().is_full = is_full;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// The state, for a process that is still there.
    fn alive(&self, process: u64) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if state.process == process {
            Ok(state)
        } else {
            Err(io::Error::other("the process is gone"))
        }
    }
}

fn folders(names: &Names) -> Vec<PathBuf> {
    names
        .iter()
        .filter(|(_, content)| content.is_none())
        .map(|(path, _)| path.clone())
        .collect()
}

fn sync_names(state: &mut State, folder: &Path) {
    let is_inside = |name: &Path| name.parent() == Some(folder);
    state.durable.retain(|name, _| !is_inside(name));
    let inside = state.seen.iter().filter(|(name, _)| is_inside(name));
    state
        .durable
        .extend(inside.map(|(name, content)| (name.clone(), content.clone())));
}

/// A disk, as one process sees it.
struct Mount {
    disk: Disk,
    process: u64,
}

impl Mount {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        self.disk.alive(self.process)
    }
}

impl Files for Mount {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state()?;
        for folder in path.ancestors() {
            state.seen.insert(folder.to_owned(), None);
            state.durable.insert(folder.to_owned(), None);
        }
        Ok(())
    }

    fn open(&self, path: &Path, how: Opening) -> io::Result<Arc<dyn OpenFile>> {
        let mut state = self.state()?;
        let content = match state.seen.get(path) {
            Some(Some(content)) => content.clone(),
            Some(None) => return Err(io::ErrorKind::IsADirectory.into()),
            None if how == Opening::Existing => return Err(io::ErrorKind::NotFound.into()),
            None if state.is_full => return Err(io::ErrorKind::StorageFull.into()),
            None => {
                let content = Arc::<Content>::default();
                state.seen.insert(path.to_owned(), Some(content.clone()));
                content
            }
        };
        if how == Opening::Emptied {
            content.set_len(0);
        }
        Ok(Arc::new(Handle {
            disk: self.disk.clone(),
            process: self.process,
            content,
            holds_lock: AtomicBool::default(),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state()?;
        let moved: Vec<PathBuf> = state
            .seen
            .keys()
            .filter(|name| name.starts_with(from))
            .cloned()
            .collect();
        if moved.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        for name in moved {
            let rest = name.strip_prefix(from).map(Path::to_owned).unwrap_or_default();
            let renamed = if rest.as_os_str().is_empty() {
                to.to_owned()
            } else {
                to.join(rest)
            };
            if let Some(content) = state.seen.remove(&name) {
                state.seen.insert(renamed, content);
            }
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let removed = self.state()?.seen.remove(path);
        removed.map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.remove_file(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.state()?.seen.contains_key(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state()?;
        if !state.seen.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(state
            .seen
            .keys()
            .filter(|name| name.parent() == Some(path))
            .cloned()
            .collect())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        sync_names(&mut *self.state()?, path);
        Ok(())
    }
}

/// An open file.
struct Handle {
    disk: Disk,
    process: u64,
    content: Arc<Content>,
    holds_lock: AtomicBool,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    /// Refuses what would make the file longer on a full disk.
    fn check(&self, length: u64) -> io::Result<()> {
        let is_full = self.disk.alive(self.process)?.is_full;
        if is_full && length > self.content.len() {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }
}

impl OpenFile for Handle {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.check(0)?;
        Ok(self.content.read_at(offset, bytes))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.check(offset + bytes.len() as u64)?;
        self.content.write_at(offset, bytes);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.check(0)?;
        Ok(self.content.len())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.check(length)?;
        self.content.set_len(length);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.check(0)?;
        self.content.sync();
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.check(0)?;
        if self.holds_lock.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let is_mine = self.content.try_lock();
        self.holds_lock.store(is_mine, Ordering::Relaxed);
        Ok(is_mine)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.holds_lock.load(Ordering::Relaxed) {
            self.content.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "/raft";
    const FILE: &str = "/raft/log";

    fn disk() -> (Disk, Arc<dyn Files>) {
        let disk = Disk::default();
        let files = disk.mount();
        files.create_folder(Path::new(FOLDER)).expect("made");
        (disk, files)
    }

    fn content(files: &dyn Files) -> Option<Vec<u8>> {
        let file = files.open(Path::new(FILE), Opening::Existing).ok()?;
        let mut bytes = vec![0; usize::try_from(file.len().expect("known")).expect("small")];
        file.read_exact_at(0, &mut bytes).expect("read");
        Some(bytes)
    }

    #[test]
    fn what_was_synchronized_outlives_any_loss_of_power() {
        for seed in 0..50 {
            let (disk, files) = disk();
            let file = files.open(Path::new(FILE), Opening::Kept).expect("opened");
            file.write_at(0, &[7; 5_000]).expect("written");
            file.sync().expect("synchronized");
            files.sync_folder(Path::new(FOLDER)).expect("synchronized");
            file.write_at(4_000, &[9; 5_000]).expect("written");
            disk.process_ends();
            disk.lose_power(&mut Random::seeded(seed));
            let kept = content(disk.mount().as_ref()).expect("the name was synchronized");
            assert_eq!(kept[..4_000], [7; 4_000]);
        }
    }

    #[test]
    fn what_was_not_synchronized_is_kept_lost_or_torn() {
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let (disk, files) = disk();
            let file = files.open(Path::new(FILE), Opening::Kept).expect("opened");
            files.sync_folder(Path::new(FOLDER)).expect("synchronized");
            file.write_at(0, &[7; 4_096]).expect("written");
            disk.process_ends();
            disk.lose_power(&mut Random::seeded(seed));
            let kept = content(disk.mount().as_ref()).expect("the name was synchronized");
            lengths.insert(kept.iter().filter(|byte| **byte == 7).count());
        }
        assert!(
            lengths.contains(&0) && lengths.contains(&4_096) && lengths.len() > 4,
            "{lengths:?}"
        );
    }

    #[test]
    fn a_process_that_is_gone_changes_nothing_and_holds_no_lock() {
        let (disk, files) = disk();
        let file = files.open(Path::new(FILE), Opening::Kept).expect("opened");
        assert!(file.try_lock().expect("asked"));
        disk.process_ends();
        assert!(file.write_at(0, b"late").is_err() && file.sync().is_err());
        drop(file);
        let next = disk.mount().open(Path::new(FILE), Opening::Kept).expect("opened");
        assert!(next.is_empty().expect("known") && next.try_lock().expect("asked"));
    }

    #[test]
    fn rot_flips_one_bit_of_what_is_written_for_good_and_a_wiped_disk_is_empty() {
        for seed in 0..20 {
            let (disk, files) = disk();
            let file = files.open(Path::new(FILE), Opening::Kept).expect("opened");
            file.set_len(4_096).expect("made longer");
            file.write_at(1_000, &[1; 100]).expect("written");
            file.sync().expect("synchronized");
            files.sync_folder(Path::new(FOLDER)).expect("synchronized");
            let before = content(files.as_ref()).expect("it is there");
            let place = disk.rot("log", &mut Random::seeded(seed)).expect("there is a file");
            assert!((1_000..1_100).contains(&place), "{place}");
            disk.process_ends();
            disk.lose_power(&mut Random::seeded(seed));
            let after = content(disk.mount().as_ref()).expect("it is there");
            let flipped: u32 = before
                .iter()
                .zip(&after)
                .map(|(one, other)| (one ^ other).count_ones())
                .sum();
            assert_eq!((flipped, after.len()), (1, before.len()));
            assert_eq!(disk.rot("another", &mut Random::seeded(seed)), None);
            disk.wipe();
            assert!(!disk.mount().exists(Path::new(FOLDER)).expect("asked"));
        }
    }

    #[test]
    fn on_a_full_disk_files_do_not_grow() {
        let (disk, files) = disk();
        let file = files.open(Path::new(FILE), Opening::Kept).expect("opened");
        file.write_at(0, &[1; 100]).expect("written");
        disk.set_full(true);
        assert!(file.write_at(50, &[2; 50]).is_ok());
        let refused = file.write_at(50, &[2; 51]).expect_err("refused");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        disk.set_full(false);
        assert!(file.write_at(50, &[2; 51]).is_ok());
    }
}

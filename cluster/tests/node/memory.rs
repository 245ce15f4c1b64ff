//! A disk in memory that has of everything what was made durable, and what is seen until power is lost.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use cluster::{Files, OpenFile, Opening};

/// What is on the disk by name: files, and folders, which hold nothing themselves.
type Names = BTreeMap<PathBuf, Option<Arc<Content>>>;

#[derive(Default)]
pub struct MemoryFiles(Mutex<Disk>);

#[derive(Default)]
struct Disk {
    seen: Names,
    durable: Names,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Mutex<Bytes>,
    is_locked: AtomicBool,
}

#[derive(Debug, Default)]
struct Bytes {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// What was written since it was last synchronized.
    written: Vec<Range<usize>>,
}

impl Bytes {
    fn resize(&mut self, length: usize) {
        let before = self.seen.len();
        self.seen.resize(length, 0);
        if length != before {
            self.written.push(length.min(before)..length.max(before));
        }
    }
}

impl MemoryFiles {
    /// The disk as it is after power was lost now: nothing that was not made durable is there. Whoever still writes to
    /// this one changes nothing there.
    pub fn after_power_loss(&self) -> Self {
        let kept = |content: &Content| {
            let durable = locked(&content.bytes).durable.clone();
            let bytes = Bytes {
                seen: durable.clone(),
                durable,
                written: Vec::new(),
            };
            Arc::new(Content {
                bytes: Mutex::new(bytes),
                is_locked: AtomicBool::default(),
            })
        };
        let durable = &locked(&self.0).durable;
        let names: Names = durable
            .iter()
            .map(|(path, content)| (path.clone(), content.as_deref().map(kept)))
            .collect();
        Self(Mutex::new(Disk {
            seen: names.clone(),
            durable: names,
        }))
    }
}

impl Files for MemoryFiles {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut disk = locked(&self.0);
        for folder in path.ancestors() {
            disk.seen.insert(folder.to_owned(), None);
            disk.durable.insert(folder.to_owned(), None);
        }
        Ok(())
    }

    fn open(&self, path: &Path, how: Opening) -> io::Result<Arc<dyn OpenFile>> {
        let mut disk = locked(&self.0);
        let content = match (disk.seen.get(path), how) {
            (Some(Some(content)), _) => content.clone(),
            (Some(None), _) => return Err(io::ErrorKind::IsADirectory.into()),
            (None, Opening::Existing) => return Err(io::ErrorKind::NotFound.into()),
            (None, Opening::Kept | Opening::Emptied) => {
                let content = Arc::<Content>::default();
                disk.seen.insert(path.to_owned(), Some(content.clone()));
                content
            }
        };
        if how == Opening::Emptied {
            locked(&content.bytes).resize(0);
        }
        Ok(Arc::new(MemoryFile {
            content,
            holds_lock: AtomicBool::default(),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let seen = &mut locked(&self.0).seen;
        let content = seen.remove(from).flatten().ok_or(io::ErrorKind::NotFound)?;
        seen.insert(to.to_owned(), Some(content));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let removed = locked(&self.0).seen.remove(path);
        removed.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.remove_file(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(locked(&self.0).seen.contains_key(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let names = &locked(&self.0).seen;
        if !names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = names.keys().filter(|name| name.parent() == Some(path));
        Ok(inside.cloned().collect())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let disk = &mut *locked(&self.0);
        let is_inside = |name: &Path| name.parent() == Some(path);
        disk.durable.retain(|name, _| !is_inside(name));
        let inside = disk.seen.iter().filter(|(name, _)| is_inside(name));
        disk.durable
            .extend(inside.map(|(name, content)| (name.clone(), content.clone())));
        Ok(())
    }
}

#[derive(Debug)]
struct MemoryFile {
    content: Arc<Content>,
    holds_lock: AtomicBool,
}

impl OpenFile for MemoryFile {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let content = locked(&self.content.bytes);
        let found = content.seen.get(place(offset)..).unwrap_or_default();
        let length = found.len().min(bytes.len());
        bytes[..length].copy_from_slice(&found[..length]);
        Ok(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut content = locked(&self.content.bytes);
        let written = place(offset)..place(offset) + bytes.len();
        let length = content.seen.len().max(written.end);
        content.resize(length);
        content.seen[written.clone()].copy_from_slice(bytes);
        content.written.push(written);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(locked(&self.content.bytes).seen.len() as u64)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        locked(&self.content.bytes).resize(place(length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let content = &mut *locked(&self.content.bytes);
        let length = content.seen.len();
        content.durable.resize(length, 0);
        for written in content.written.drain(..) {
            let written = written.start.min(length)..written.end.min(length);
            content.durable[written.clone()].copy_from_slice(&content.seen[written]);
        }
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let taken = !self.content.is_locked.swap(true, Ordering::SeqCst);
        self.holds_lock.fetch_or(taken, Ordering::SeqCst);
        Ok(taken)
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        if self.holds_lock.load(Ordering::SeqCst) {
            self.content.is_locked.store(false, Ordering::SeqCst);
        }
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

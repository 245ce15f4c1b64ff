//! A small file system of its own, which can be filled to the last byte.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system; unmounted when dropped.
pub struct SmallDisk {
    directory: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one of this many megabytes; `None` where that is not allowed.
    pub fn mount(megabytes: u32) -> Option<Self> {
        Self::mount_as("agentidp-disk-", megabytes)
    }

    /// As [`SmallDisk::mount`], in a folder whose name begins like this.
    pub fn mount_as(prefix: &str, megabytes: u32) -> Option<Self> {
        let directory = tempfile::Builder::new().prefix(prefix).tempdir().ok()?;
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(directory.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self { directory })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Takes all the space that is left.
    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).expect("an empty file fits");
        // First in large steps, then byte by byte.
        for step in [1 << 20, 1 << 12, 1] {
            let chunk = vec![0xA5; step];
            while file.write_all(&chunk).is_ok() {}
        }
    }

    /// Gives it back.
    pub fn empty(&self) {
        std::fs::remove_file(self.ballast()).expect("the disk was filled");
    }

    fn ballast(&self) -> PathBuf {
        self.directory.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that a process that has not quite ended can't keep it.
        let _ = Command::new("umount").arg("--lazy").arg(self.directory.path()).output();
    }
}

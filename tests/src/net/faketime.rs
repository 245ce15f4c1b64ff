//! A wall clock that can be set for one process: libfaketime, loaded into it. The monotonic clock goes on as it does for
//! everybody, as it would if an operator or an NTP client set the machine's time.

use std::path::{Path, PathBuf};

/// Where distributions put the library for programs with several threads.
const FOLDERS: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
];

/// A wall clock, which a file sets.
#[derive(Clone)]
pub struct Faketime {
    library: PathBuf,
    file: PathBuf,
}

impl Faketime {
    /// Set by this file, and right at first; `None` where the library is not installed.
    pub fn at(file: PathBuf) -> Option<Self> {
        let candidates = FOLDERS
            .iter()
            .map(|folder| Path::new(folder).join("libfaketimeMT.so.1"));
        let library = candidates.into_iter().find(|path| path.exists())?;
        let clock = Self { library, file };
        clock.set(0);
        Some(clock)
    }

    /// Sets it so many seconds ahead of the machine's, or behind it.
    pub fn set(&self, seconds: i64) {
        // Renamed, so that the process never reads half of it.
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("{seconds:+}s\n")).expect("the laboratory's folder can be written");
        std::fs::rename(next, &self.file).expect("the laboratory's folder can be written");
    }

    /// What the process must be started with.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

//! A directory for one test, removed when the test ends; what the node wrote there is shown if the test failed.

use std::path::{Path, PathBuf};

/// How much of a log is shown, in lines from its end.
const LINES_SHOWN: usize = 80;

/// A temporary directory with the output of processes in it.
pub struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    /// A fresh one.
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("agentidp-e2e-").tempdir();
        Self {
            directory: directory.expect("the temporary directory can be written"),
        }
    }

    /// A path inside.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file's text; empty if there is no such file.
    pub fn text(&self, name: &str) -> String {
        let bytes = std::fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    #[allow(clippy::print_stderr, reason = "a failed test shows what its node said")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let files = std::fs::read_dir(self.directory.path()).into_iter().flatten().flatten();
        for file in files.filter(|file| file.file_name().to_string_lossy().ends_with(".log")) {
            let name = file.file_name().to_string_lossy().into_owned();
            let text = self.text(&name);
            let lines: Vec<&str> = text.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!(
                "--- {name} ({} lines, the last of them) ---\n{}",
                lines.len(),
                shown.join("\n")
            );
        }
    }
}

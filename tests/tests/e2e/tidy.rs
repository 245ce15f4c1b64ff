//! The house rules that a machine can check: every file says what it is, and none is long.

use std::path::{Path, PathBuf};

/// At this length a file is split by noun.
const LINES_MAX: usize = 500;

/// Every Rust file of the workspace, without what was built or installed.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests lie in the workspace");
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the workspace").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 50, "{}", found.len());
    found.sort();
    found
}

#[test]
fn every_file_opens_with_what_it_is() {
    let bare: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|path| !read(path).starts_with("//! "))
        .collect();
    assert!(bare.is_empty(), "without a //! header: {bare:?}");
}

#[test]
fn no_file_is_long() {
    let long: Vec<(PathBuf, usize)> = sources()
        .into_iter()
        .map(|path| (path.clone(), read(&path).lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {long:?}");
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["TO", "FIX", "XX"].map(|start| {
        format!(
            "{start}{}",
            if start == "TO" {
                "DO"
            } else if start == "FIX" {
                "ME"
            } else {
                "X"
            }
        )
    });
    let left: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|path| marks.iter().any(|mark| read(path).contains(mark.as_str())))
        .collect();
    assert!(left.is_empty(), "with a mark for later: {left:?}");
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a source file is text")
}

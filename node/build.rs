//! Tells the compiler which commit this is. Builds from a tarball, and where git refuses, do not know it.

use std::io::{Result, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set by whoever builds where there is no repository, such as in a container.
const GIVEN: &str = "SOURCE_COMMIT";
/// As many digits as keep commits apart.
const DIGITS: &str = "--short=12";

fn main() -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "cargo::rerun-if-env-changed={GIVEN}")?;
    // Whatever else changes is no reason to run again; what is not there would be one each time.
    writeln!(out, "cargo::rerun-if-changed=build.rs")?;
    let mut commit = given();
    if commit.is_none() && is_our_repository() {
        for file in moves_with_the_commit() {
            writeln!(out, "cargo::rerun-if-changed={}", file.display())?;
        }
        commit = git(&["rev-parse", DIGITS, "HEAD"]);
    }
    let commit = commit.as_deref().unwrap_or("unknown");
    writeln!(out, "cargo::rustc-env=AGENTIDP_COMMIT={commit}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts through the environment"
)]
fn given() -> Option<String> {
    let commit = std::env::var(GIVEN).ok()?;
    let is_commit = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| commit.chars().take(12).collect())
}

/// A tarball that was unpacked inside of another repository is not at that one's commit.
fn is_our_repository() -> bool {
    let root = git(&["rev-parse", "--show-toplevel"]).and_then(|root| Path::new(&root).canonicalize().ok());
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(|root| root.canonicalize().ok());
    root.is_some() && root == ours
}

/// Git's log of where HEAD was; without one, HEAD and the branch that it names.
fn moves_with_the_commit() -> Vec<PathBuf> {
    let file = |name: &str| {
        git(&["rev-parse", "--git-path", name])
            .map(PathBuf::from)
            .filter(|path| path.is_file())
    };
    if let Some(log) = file("logs/HEAD") {
        return vec![log];
    }
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]).and_then(|name| file(&name));
    file("HEAD")
        .into_iter()
        .chain(branch)
        .chain(file("packed-refs"))
        .collect()
}

/// What git says, if it says something.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

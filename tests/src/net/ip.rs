//! `ip` of iproute2, which makes namespaces, bridges and links.

use std::process::Command;

use super::failure::Failure;

/// Runs `ip` with these words and answers what it printed.
pub fn ip(words: &str) -> Result<String, Failure> {
    let output = Command::new("ip").args(words.split_whitespace()).output();
    let output = output.map_err(|error| Failure::new(format!("ip (of iproute2) can't be run: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::new(format!("ip {words}: {complaint}")))
}

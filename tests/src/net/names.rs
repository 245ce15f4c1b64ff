//! What the laboratory's parts are called: a prefix and the process that they belong to, so that what a crashed run has
//! left behind can be told from what belongs to one that lives.

use std::process::Command;

use super::ip::ip;

/// What every name begins with. A device's name has 15 characters at most.
const PREFIX: &str = "aidp";

/// The names of one run.
#[derive(Clone, Debug)]
pub struct Names {
    run: String,
}

impl Names {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        Self {
            run: format!("{PREFIX}{}", std::process::id()),
        }
    }

    /// The namespace of a node.
    pub fn namespace(&self, node_id: u64) -> String {
        format!("{}n{node_id}", self.run)
    }

    /// The bridge that clients, PostgreSQL and Redis are reached through.
    pub fn bridge(&self) -> String {
        format!("{}b", self.run)
    }

    /// The end, at the bridge, of a node's link to it.
    pub fn link(&self, node_id: u64) -> String {
        format!("{}v{node_id}", self.run)
    }

    /// What the names of folders begin with.
    pub fn folder(&self) -> String {
        format!("{}-", self.run)
    }

    /// A node's device towards the other nodes.
    pub fn wire(&self, node_id: u64) -> String {
        format!("{}t{node_id}", self.run)
    }
}

/// Removes what runs have left behind that ended without a chance to clean up. What can't be removed stays.
pub fn remove_left_overs() {
    let namespaces = ip("netns list").unwrap_or_default();
    for name in namespaces.lines().filter_map(|line| line.split_whitespace().next()) {
        if is_left_over(name) {
            remove_namespace(name);
        }
    }
    let links = ip("-o link show").unwrap_or_default();
    let names = links.lines().filter_map(|line| line.split(": ").nth(1));
    for name in names.filter_map(|name| name.split('@').next()) {
        if is_left_over(name) {
            let _ = ip(&format!("link delete {name}"));
        }
    }
    remove_folders();
}

/// Folders in the temporary directory, and the file systems that are mounted on them.
fn remove_folders() {
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(is_left_over)) {
        let _ = Command::new("umount").arg("--lazy").arg(entry.path()).output();
        let _ = std::fs::remove_dir_all(entry.path());
    }
}

/// Ends what runs in a namespace, and removes it.
pub fn remove_namespace(name: &str) {
    let processes = ip(&format!("netns pids {name}")).unwrap_or_default();
    for pid in processes.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        crate::process::try_signal(pid, "KILL");
    }
    let _ = ip(&format!("netns delete {name}"));
}

/// Whether a name is one of ours, of a process that is gone.
fn is_left_over(name: &str) -> bool {
    process_of(name).is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
}

fn process_of(name: &str) -> Option<u32> {
    let rest = name.strip_prefix(PREFIX)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_process_and_fit_into_a_device() {
        let names = Names {
            run: format!("{PREFIX}{}", 4_194_304),
        };
        for name in [names.bridge(), names.link(99), names.wire(99), names.namespace(99)] {
            assert_eq!(process_of(&name), Some(4_194_304), "{name}");
            assert!(name.len() <= 15, "{name}");
        }
        assert_eq!(process_of("docker0"), None);
        assert!(!is_left_over(&Names::of_this_process().bridge()), "we live");
    }
}

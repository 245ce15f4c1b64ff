//! `kill -9` in the middle of writing, again and again on one folder: what was acknowledged is there afterwards.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cluster::{ClusterConfig, ClusterNode};
use domain::ports::{Replication as _, RevocationView as _};

use crate::support::{config, ports, revoke_token, start, token};

/// How often a process is killed.
const ROUNDS: u128 = 8;
/// Numbers of one round begin at a multiple of this.
const ROUND: u128 = 1_000_000;
/// Marks a folder in which the child may work.
const MARK: &str = "for-the-child";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        std::fs::write(folder.path().join(MARK), round.to_string()).unwrap();
        let child = spawn_child(folder.path());
        // A different moment in every round: sometimes before the first snapshot, sometimes after several.
        acknowledged.extend(collect_then_kill(child, 1 + 61 * usize::try_from(round).unwrap()));

        let node = start(folder.path()).await.unwrap();
        let revision = node.handle().revision().unwrap();
        for number in &acknowledged {
            assert_eq!(
                node.handle().is_revoked(&token(*number, revision)),
                Ok(true),
                "{number} in round {round}"
            );
        }
        node.shutdown().await.unwrap();
    }
    assert!(acknowledged.len() > 1_000, "{} were acknowledged", acknowledged.len());
}

fn spawn_child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_child_that_is_killed", "--ignored", "--nocapture"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the process once it has acknowledged `enough`, and returns all that it acknowledged until it was dead.
fn collect_then_kill(mut child: Child, enough: usize) -> Vec<u128> {
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    for line in output.lines() {
        let line = line.unwrap();
        // A line that the kill cut off has no end mark; what it says was acknowledged all the same, but not to us.
        if let Some(number) = line.strip_prefix("done ").and_then(|rest| rest.strip_suffix(" .")) {
            acknowledged.push(number.parse().unwrap());
        }
        if acknowledged.len() == enough {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(
        acknowledged.len() >= enough,
        "the child ended by itself after {}",
        acknowledged.len()
    );
    acknowledged
}

/// Not a test of its own: revokes until it is killed, and says of each revocation when it is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of what_was_acknowledged_survives_being_killed"]
async fn the_child_that_is_killed() {
    let Ok(mark) = std::fs::read_to_string(MARK) else {
        return;
    };
    let first = mark.parse::<u128>().unwrap() * ROUND;
    let folder = std::env::current_dir().unwrap();
    let often = ClusterConfig {
        snapshot_every: 50,
        ..config(&folder)
    };
    let node = ClusterNode::start(often, ports()).await.unwrap();
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let handle = node.handle();
            tokio::spawn(async move {
                for number in (first + caller..).step_by(8) {
                    handle.apply(vec![revoke_token(number)]).await.unwrap();
                    writeln!(std::io::stdout(), "done {number} .").unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

//! A node whose disk is full: it can't keep what the others tell it. When there is room again it catches up, started
//! again by its supervisor if it has ended.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::{Outcome, list};
use crate::net::failure::Failure;
use crate::net::scene::Scene;

/// How long it is full.
const FULL_FOR: Duration = Duration::from_secs(6);
/// How long the node may take to end by itself when it has noticed: the time for requests in flight, and some more.
const ENDS_WITHIN: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let node = scene.some_node();
    if scene.cluster.member(node)?.disk.is_none() {
        return Ok(Outcome::Skipped("no file system can be mounted here".to_owned()));
    }
    scene.may_lag(&BTreeSet::from([node]));
    if let Some(disk) = &scene.cluster.member(node)?.disk {
        disk.fill();
    }
    // Its log may have room for a while; a snapshot has none.
    scene.cluster.snapshot_at(node).await;
    scene.go_on(FULL_FOR).await;
    if let Some(disk) = &scene.cluster.member(node)?.disk {
        disk.empty();
    }
    let how = if is_well(scene, node).await? {
        "went on by itself"
    } else {
        scene.cluster.start_again(node)?;
        "ended, started again"
    };
    Ok(Outcome::Over(format!("{}, {how}", list(&[node]))))
}

/// A node goes on or ends: one that does neither is of no use, and nobody would start it again.
async fn is_well(scene: &mut Scene, node: u64) -> Result<bool, Failure> {
    let give_up_at = Instant::now() + ENDS_WITHIN;
    let mut looks_well = 0;
    while Instant::now() < give_up_at {
        if !scene.cluster.member(node)?.is_running() {
            return Ok(false);
        }
        // Once is not enough: its view stays recent for a while after it has failed.
        looks_well = if scene.cluster.takes_part(node).await {
            looks_well + 1
        } else {
            0
        };
        if looks_well >= 3 {
            return Ok(true);
        }
        scene.go_on(LOOK_EVERY).await;
    }
    Err(Failure::new(format!(
        "node {node} has room on its disk again and neither works nor ends\n{}",
        scene.cluster.member(node)?.last_words(20)
    )))
}

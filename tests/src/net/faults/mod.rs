//! What can go wrong, one file each: it is done to a cluster at work, undone, and over when every node is well again.

mod clock_set;
mod disk_full;
mod killed;
mod lossy_links;
mod one_way;
mod paused;
mod rolling_replacement;
mod rolling_restart;
mod slow_links;
mod split;

use super::failure::Failure;
use super::scene::Scene;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of the leader, which is started again.
    LeaderKilled,
    /// `kill -9` of a node that does not lead.
    FollowerKilled,
    /// `kill -9` of as many nodes at once as the cluster can lose, the leader among them.
    MinorityKilled,
    /// As many nodes as the cluster can lose are cut off from the others, the leader among them.
    Split,
    /// What one node sends does not arrive.
    OneWayOut,
    /// What is sent to one node does not arrive.
    OneWayIn,
    /// Everything between nodes takes its time.
    SlowLinks,
    /// One frame in twenty between nodes is lost.
    LossyLinks,
    /// A process that is paused for ten seconds.
    Paused,
    /// A node whose disk is full.
    DiskFull,
    /// A node whose wall clock is set ten minutes ahead, and ten minutes back.
    ClockSet,
    /// All nodes are stopped and started again, one after the other.
    RollingRestart,
    /// All nodes are replaced by new ones, one after the other.
    RollingReplacement,
}

/// How a fault went.
pub enum Outcome {
    /// It was injected and is over; whom it hit.
    Over(String),
    /// It can't be injected on this machine, because of this.
    Skipped(String),
}

impl Fault {
    /// All that a cluster of three goes through.
    pub const OF_THREE: [Self; 12] = [
        Self::LeaderKilled,
        Self::FollowerKilled,
        Self::Split,
        Self::OneWayOut,
        Self::OneWayIn,
        Self::SlowLinks,
        Self::LossyLinks,
        Self::Paused,
        Self::DiskFull,
        Self::ClockSet,
        Self::RollingRestart,
        Self::RollingReplacement,
    ];

    /// What a cluster of five can go through and one of three can't.
    pub const OF_FIVE: [Self; 2] = [Self::Split, Self::MinorityKilled];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeaderKilled => "leader killed",
            Self::FollowerKilled => "follower killed",
            Self::MinorityKilled => "minority killed",
            Self::Split => "split network",
            Self::OneWayOut => "one-way network, nothing out",
            Self::OneWayIn => "one-way network, nothing in",
            Self::SlowLinks => "slow links",
            Self::LossyLinks => "lossy links",
            Self::Paused => "paused process",
            Self::DiskFull => "full disk",
            Self::ClockSet => "clock set forth and back",
            Self::RollingRestart => "rolling restart",
            Self::RollingReplacement => "rolling replacement",
        }
    }

    /// Injects it, undoes it, and waits until all is well.
    pub async fn inject(self, scene: &mut Scene) -> Result<Outcome, Failure> {
        scene.recorder().fault_begins(self.name());
        let outcome = match self {
            Self::LeaderKilled => killed::leader(scene).await,
            Self::FollowerKilled => killed::follower(scene).await,
            Self::MinorityKilled => killed::minority(scene).await,
            Self::Split => split::inject(scene).await,
            Self::OneWayOut => one_way::inject(scene, one_way::Lost::Out).await,
            Self::OneWayIn => one_way::inject(scene, one_way::Lost::In).await,
            Self::SlowLinks => slow_links::inject(scene).await,
            Self::LossyLinks => lossy_links::inject(scene).await,
            Self::Paused => paused::inject(scene).await,
            Self::DiskFull => disk_full::inject(scene).await,
            Self::ClockSet => clock_set::inject(scene).await,
            Self::RollingRestart => rolling_restart::inject(scene).await,
            Self::RollingReplacement => rolling_replacement::inject(scene).await,
        }?;
        scene.settle().await?;
        Ok(outcome)
    }
}

/// Nodes as a summary names them.
fn list<'a>(nodes: impl IntoIterator<Item = &'a u64>) -> String {
    let names: Vec<String> = nodes.into_iter().map(u64::to_string).collect();
    format!("node {}", names.join(", "))
}

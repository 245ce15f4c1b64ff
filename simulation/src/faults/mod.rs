//! Faults: what a seed does to a world. Each begins, lasts for a while, and ends; several may last at once. To add one,
//! write its file and name it in [`Kind`].

mod bit_rot;
mod clock_drift;
mod clock_set;
mod database;
mod demoted;
mod directions;
mod disk_full;
mod duplicating_links;
mod flapping;
mod key_order;
mod keys_replaced_twice;
mod keys_rotated;
mod killed;
mod leader_moves;
mod master_key_rotated;
mod one_way;
mod operation;
mod order;
mod owner_deaf;
mod paused;
mod power_cut;
mod power_cut_after_vote;
mod replaced;
mod replacing;
mod restarted;
mod rolling;
mod split;
mod started_again;
mod stopping;
mod unruly_links;
mod upgraded;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::Effect;
use crate::random::Random;
use crate::world::World;

/// What a fault does to which nodes, as far as a guarantee makes a difference.
pub type Effects = Vec<(Effect, BTreeSet<u64>)>;

/// A fault that has begun.
pub trait Fault {
    /// Goes on; called at every tick while it lasts.
    fn go_on(&mut self, _world: &World) {}

    /// Whether it may end: what an operator has begun must be finished first.
    fn may_end(&self) -> bool {
        true
    }

    /// Ends it.
    fn end(&mut self, world: &World);
}

/// A fault that has begun, what it does, and to whom, for people.
pub struct Begun {
    /// Ends it.
    pub fault: Box<dyn Fault>,
    /// What it does.
    pub effects: Effects,
    /// To whom.
    pub whom: String,
}

/// Makes [`Kind`] and its list from the names of the faults.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $begin:path;)+) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// What it is called.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// Begins it; `None` if it makes no sense now.
            pub fn begin(self, world: &World, random: &mut Random) -> Option<Begun> {
                match self {
                    $(Self::$kind => $begin(world, random),)+
                }
            }
        }
    };
}

kinds! {
    /// A process ends without warning, and is started again.
    Killed = "killed", killed::begin;
    /// A machine loses power, and what was not synchronized.
    PowerCut = "power-cut", power_cut::begin;
    /// A disk takes no more.
    DiskFull = "disk-full", disk_full::begin;
    /// A bit flips in what a node has written.
    BitRot = "bit-rot", bit_rot::begin;
    /// A process is asked to stop, and is started again.
    Restarted = "restarted", restarted::begin;
    /// A process does nothing for a while.
    Paused = "paused", paused::begin;
    /// A minority is cut off from the rest.
    Split = "split", split::begin;
    /// One node is not heard, or hears nobody.
    OneWay = "one-way", one_way::begin;
    /// One node's links come and go.
    Flapping = "flapping", flapping::begin;
    /// All links lose, delay and reorder.
    UnrulyLinks = "unruly-links", unruly_links::begin;
    /// What is sent over any link may come twice.
    DuplicatingLinks = "duplicating-links", duplicating_links::begin;
    /// A node's wall clock is set.
    ClockSet = "clock-set", clock_set::begin;
    /// A node's clocks run too fast or too slow.
    ClockDrift = "clock-drift", clock_drift::begin;
    /// Another node is to lead.
    LeaderMoves = "leader-moves", leader_moves::begin;
    /// A node leaves for good, and an empty one takes its place.
    Replaced = "replaced", replaced::begin;
    /// A voter goes on without a vote for a while.
    Demoted = "demoted", demoted::begin;
    /// Other keys are to sign.
    KeysRotated = "keys-rotated", keys_rotated::begin;
    /// The nodes are given another master key, one after the other.
    MasterKeyRotated = "master-key-rotated", master_key_rotated::begin;
    /// Nodes that are held at a former format are let go, one after the other.
    Upgraded = "upgraded", upgraded::begin;
    /// The database does not answer.
    DatabaseAway = "database-away", database::begin_away;
    /// The database does what it is asked, and its answers are lost.
    DatabaseForgets = "database-forgets", database::begin_forgetful;
    /// A node loses power the moment after it has promised something in another term.
    PowerCutAfterVote = "power-cut-after-vote", power_cut_after_vote::begin;
    /// Keys are replaced twice in a row, while messages come twice.
    KeysReplacedTwice = "keys-replaced-twice", keys_replaced_twice::begin;
    /// The owner of the key schedule does not hear that it is the owner no more.
    OwnerDeaf = "owner-deaf", owner_deaf::begin;
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|kind| kind.name() == text);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("there is no such fault; there are: {}", names.join(", "))
        })
    }
}

/// A fault that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Planned {
    /// Its place among those of its seed.
    pub number: usize,
    /// What.
    pub kind: Kind,
    /// When.
    #[serde(rename = "atMicros", with = "crate::micros")]
    pub at: Duration,
    /// For how long.
    #[serde(rename = "lastsMicros", with = "crate::micros")]
    pub lasts: Duration,
    /// Chooses what is left to choose.
    pub seed: u64,
}

/// One node that runs, the leader as often as another. Nothing befalls the one that the operator works at.
fn some_node(world: &World, random: &mut Random) -> Option<u64> {
    let running: Vec<u64> = world
        .hosts()
        .filter(|host| host.is_running() && world.operated() != Some(host.node_id))
        .map(|host| host.node_id)
        .collect();
    let leader = leader(world).filter(|leader| running.contains(leader));
    let picked = random.pick(&running).copied();
    if random.happens(400) { leader.or(picked) } else { picked }
}

/// Whoever believes to lead in the latest term.
fn leader(world: &World) -> Option<u64> {
    let status = |host: &crate::world::Host| world.cluster(host.node_id).map(|cluster| cluster.status());
    let leading = world
        .hosts()
        .filter_map(status)
        .filter(|status| status.role == cluster::Role::Leader);
    leading.max_by_key(|status| status.term).map(|status| status.node_id)
}

/// Everybody may lag behind.
fn all_lag(world: &World) -> Effects {
    vec![(Effect::MayLag, world.hosts().map(|host| host.node_id).collect())]
}

/// These nodes may lag behind; with the leader everybody whom it would tell what has changed.
fn lagging(world: &World, nodes: &[u64]) -> Effects {
    match leader(world) {
        Some(leader) if !nodes.contains(&leader) => vec![(Effect::MayLag, nodes.iter().copied().collect())],
        _ => all_lag(world),
    }
}

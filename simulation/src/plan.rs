//! What a seed decides before anything happens: how large the world is, how good its network, and which faults come when.
//! Each seed has only some kinds of faults, so that rare combinations come up (Groce et al., "Swarm testing", 2012).

use std::time::Duration;

use cluster::Formats;
use serde::{Deserialize, Serialize};

use crate::conduct::Conduct;
use crate::faults::{Kind, Planned};
use crate::random::Random;
use crate::workload;
use crate::world::NodeSettings;

/// How long clients work before the first fault.
const QUIET: Duration = Duration::from_secs(3);
/// How long a fault lasts at most.
const LASTS_MAX: Duration = Duration::from_secs(9);
/// How much time lies between the beginnings of two faults at most.
const APART_MAX: Duration = Duration::from_secs(12);

/// After how many entries snapshots are taken, and how many of those that they cover stay in the log: as real nodes do it, or
/// so that whoever was away gets a snapshot.
const SNAPSHOTS: [(u64, u64); 4] = [(10_000, 1_000), (10_000, 1_000), (400, 50), (100, 10)];

/// What may be asked of a plan beside its seed.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// How many nodes; the seed chooses if this is not given.
    pub nodes: Option<u64>,
    /// Which kinds of faults may be among those that the seed chooses.
    pub kinds: Vec<Kind>,
    /// How long faults go on.
    pub faults_for: Duration,
    /// Which faults are left out, by their numbers.
    pub without: Vec<usize>,
    /// Which clients are left out.
    pub without_clients: Vec<workload::Kind>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            nodes: None,
            kinds: Kind::ALL.to_vec(),
            faults_for: Duration::from_secs(60),
            without: Vec::new(),
            without_clients: Vec::new(),
        }
    }
}

/// What a seed decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// How many nodes.
    pub nodes: u64,
    /// How the network is.
    pub usual: Conduct,
    /// How far the database is.
    #[serde(rename = "toDatabaseMicros", with = "crate::micros")]
    pub to_database: Duration,
    /// What the configuration of every node says at first.
    pub configured: NodeSettings,
    /// By how much clients are slower than those of the suite over real networks.
    pub stretch: u32,
    /// Which clients are left out.
    pub without_clients: Vec<workload::Kind>,
    /// What comes when, in order.
    pub faults: Vec<Planned>,
    /// When faults end.
    #[serde(rename = "faultsUntilMicros", with = "crate::micros")]
    pub faults_until: Duration,
}

impl Plan {
    /// What a seed decides.
    pub fn of(random: &Random, wishes: &Wishes) -> Self {
        let mut random = random.branch(10);
        let nodes = if random.happens(700) { 3 } else { 5 };
        let delays = [1, 1, 2, 5, 20].map(Duration::from_millis);
        let delay = *random.pick(&delays).expect("there are some");
        let usual = Conduct {
            delay,
            jitter: delay / 4,
            ..Conduct::default()
        };
        let to_database = random.up_to(Duration::from_millis(4)) + Duration::from_millis(1);
        let (snapshot_every, entries_kept) = *random.pick(&SNAPSHOTS).expect("there are some");
        let kinds: Vec<Kind> = wishes.kinds.iter().copied().filter(|_| random.happens(500)).collect();
        let kinds = if kinds.is_empty() { wishes.kinds.clone() } else { kinds };
        // Where clocks are set at will nobody can promise that they do not differ by more than seconds.
        let are_rotated = kinds.contains(&Kind::KeysRotated) || kinds.contains(&Kind::OwnerDeaf);
        let keys_follow_soon = are_rotated && !kinds.contains(&Kind::ClockSet);
        let is_held = kinds.contains(&Kind::Upgraded) && random.happens(800);
        let mut faults = Vec::new();
        let mut at = QUIET;
        while let Some(kind) = random.pick(&kinds).copied() {
            let planned = Planned {
                number: faults.len(),
                kind,
                at,
                lasts: random.up_to(LASTS_MAX),
                seed: random.draw(),
            };
            at += random.up_to(APART_MAX);
            if planned.at >= wishes.faults_for {
                break;
            }
            faults.push(planned);
        }
        faults.retain(|fault| !wishes.without.contains(&fault.number));
        Self {
            nodes: wishes.nodes.unwrap_or(nodes),
            usual,
            to_database,
            configured: NodeSettings {
                snapshot_every,
                entries_kept,
                format_max: is_held.then(|| Formats::default().known() - 1),
                keys_follow_soon,
                ..NodeSettings::default()
            },
            stretch: 8,
            without_clients: wishes.without_clients.clone(),
            faults,
            faults_until: wishes.faults_for + LASTS_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_plan_and_leaving_out_a_fault_changes_no_other() {
        let plan = |without| {
            let wishes = Wishes {
                without,
                ..Wishes::default()
            };
            Plan::of(&Random::seeded(5), &wishes).faults
        };
        let whole = plan(Vec::new());
        assert!(whole.len() > 2, "{whole:?}");
        assert_eq!(whole, plan(Vec::new()));
        assert_eq!(plan(vec![1]), [&whole[..1], &whole[2..]].concat());
    }

    #[test]
    fn only_the_kinds_that_are_wished_for_come() {
        let wishes = Wishes {
            kinds: vec![Kind::Split, Kind::Killed],
            ..Wishes::default()
        };
        for seed in 0..20 {
            let faults = Plan::of(&Random::seeded(seed), &wishes).faults;
            assert!(faults.iter().all(|fault| wishes.kinds.contains(&fault.kind)));
        }
    }
}

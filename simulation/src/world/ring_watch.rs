//! Watches over the signing keys in the replicated state: what the schedule did was done by the node that owned it then
//! (`one_owner`), and a key that has left does not come back (`gone_for_good`).

use std::cell::RefCell;
use std::collections::BTreeMap;

use domain::ports::SigningKeys as _;
use domain::{KeyEvent, KeyId, KeyRingView, NodeId};

use super::World;

/// How often it looks, in ticks.
const EVERY: u64 = 10;

/// What was seen so far.
#[derive(Default)]
pub(super) struct RingWatch(RefCell<Looks>);

#[derive(Default)]
struct Looks {
    ticks: u64,
    /// At which revision each node was last looked at.
    last: BTreeMap<u64, u64>,
    seen: Seen,
}

/// What states were like, by their revisions.
#[derive(Default)]
struct Seen {
    /// By epoch, who owned the schedule, and at which revisions that was seen first and last.
    owners: BTreeMap<u64, (Option<NodeId>, u64, u64)>,
    /// By key, at which revision it was seen first, and was seen to have left.
    keys: BTreeMap<KeyId, (u64, Option<u64>)>,
}

/// What was broken, and how.
type Broken = (&'static str, String);

impl RingWatch {
    /// Looks at every node whose state has changed, from time to time.
    pub(super) fn look(&self, world: &World) {
        let mut looks = self.0.borrow_mut();
        looks.ticks += 1;
        if !looks.ticks.is_multiple_of(EVERY) {
            return;
        }
        for host in world.hosts() {
            let Some(cluster) = world.cluster(host.node_id) else {
                continue;
            };
            let status = cluster.status();
            let revision = status.revision.0;
            if status.failure.is_some() || looks.last.insert(host.node_id, revision) == Some(revision) {
                continue;
            }
            let Some(ring) = cluster.view() else { continue };
            for (invariant, what) in looks.seen.see(revision, &ring) {
                world
                    .watch
                    .breach(world.now(), invariant, format!("node {}: {what}", host.node_id));
            }
        }
    }
}

impl Seen {
    fn see(&mut self, revision: u64, ring: &KeyRingView) -> Vec<Broken> {
        let ownership = ring.ownership;
        let seen = (ownership.owner, revision, revision);
        let (_, first, last) = self.owners.entry(ownership.epoch).or_insert(seen);
        (*first, *last) = ((*first).min(revision), (*last).max(revision));
        let by_others = ring.unrecorded.iter().filter_map(|event| self.by_another(event));
        let mut broken: Vec<Broken> = by_others.collect();
        for record in &ring.keys {
            let (first, gone) = self.keys.entry(record.key_id.clone()).or_insert((revision, None));
            *first = (*first).min(revision);
            if let Some(gone) = gone.take_if(|gone| *gone < revision) {
                let what = format!(
                    "key {} had left at revision {gone}, and is there again at revision {revision}",
                    record.key_id.0
                );
                broken.push(("gone_for_good", what));
            }
        }
        for (key_id, (first, gone)) in &mut self.keys {
            let is_there = ring.keys.iter().any(|record| record.key_id == *key_id);
            if !is_there && *first < revision {
                *gone = Some(gone.map_or(revision, |gone| gone.min(revision)));
            }
        }
        broken
    }

    /// What the schedule did although another node owned it, if that is known.
    fn by_another(&self, event: &KeyEvent) -> Option<Broken> {
        let at = event.revision.0;
        let mut owners = self.owners.iter();
        let (epoch, (owner, ..)) = owners.find(|(_, (_, first, last))| (*first..=*last).contains(&at))?;
        let is_by_another = event.ordered_from.is_none() && *owner != Some(event.node);
        is_by_another.then(|| {
            let owner = owner.map_or_else(|| "nobody".to_owned(), |owner| format!("node {owner}"));
            let what = format!(
                "{} at revision {at} was done by node {}, when {owner} owned the schedule, in epoch {epoch}",
                event.deed.as_str(),
                event.node
            );
            ("one_owner", what)
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        KeyDeed, KeyRecord, KeyState, KeyTerms, Ownership, Revision, SealingProgress, SigningAlgorithm, Timestamp,
    };

    use super::*;

    fn ring(epoch: u64, owner: u64, keys: &[&str], events: Vec<KeyEvent>) -> KeyRingView {
        let at = Timestamp::from_seconds(0);
        let record = |name: &&str| KeyRecord {
            key_id: KeyId((*name).to_owned()),
            algorithm: SigningAlgorithm::EdDsa,
            state: KeyState::Current,
            published_at: at,
            current_since: Some(at),
            retired_at: None,
            may_sign_from: at,
            may_leave_from: None,
        };
        KeyRingView {
            keys: keys.iter().map(record).collect(),
            terms: KeyTerms::DEFAULT,
            ownership: Ownership {
                owner: Some(NodeId(owner)),
                epoch,
                is_here: false,
            },
            sealing: SealingProgress::default(),
            unrecorded: events,
        }
    }

    fn event(revision: u64, node: u64, ordered_from: Option<&str>) -> KeyEvent {
        KeyEvent {
            revision: Revision(revision),
            at: Timestamp::from_seconds(0),
            deed: KeyDeed::MadeCurrent,
            subject: "key".to_owned(),
            algorithm: Some(SigningAlgorithm::EdDsa),
            node: NodeId(node),
            ordered_from: ordered_from.map(str::to_owned),
        }
    }

    fn names(broken: &[Broken]) -> Vec<&'static str> {
        broken.iter().map(|(invariant, _)| *invariant).collect()
    }

    #[test]
    fn what_a_former_owner_does_is_found_and_what_owners_and_operators_do_is_as_it_should_be() {
        let mut seen = Seen::default();
        assert_eq!(names(&seen.see(10, &ring(1, 2, &["a"], Vec::new()))), [""; 0]);
        assert_eq!(
            names(&seen.see(20, &ring(1, 2, &["a"], vec![event(15, 2, None)]))),
            [""; 0]
        );
        assert_eq!(names(&seen.see(30, &ring(2, 3, &["a"], Vec::new()))), [""; 0]);
        let fine = vec![event(15, 2, None), event(33, 3, None), event(34, 1, Some("here"))];
        assert_eq!(names(&seen.see(40, &ring(2, 3, &["a"], fine))), [""; 0]);
        let late = vec![event(35, 2, None)];
        assert_eq!(names(&seen.see(40, &ring(2, 3, &["a"], late))), ["one_owner"]);
    }

    #[test]
    fn who_owned_it_when_nobody_looked_is_not_known() {
        let mut seen = Seen::default();
        let _ = seen.see(10, &ring(1, 2, &["a"], Vec::new()));
        let between = vec![event(15, 2, None)];
        assert_eq!(names(&seen.see(20, &ring(2, 3, &["a"], between))), [""; 0]);
    }

    #[test]
    fn a_key_that_comes_back_is_found_and_one_that_a_node_has_not_let_go_yet_is_not() {
        let mut seen = Seen::default();
        let mut see = |revision, keys: &[&str]| names(&seen.see(revision, &ring(1, 2, keys, Vec::new())));
        assert_eq!(see(10, &["a"]), [""; 0]);
        assert_eq!(see(20, &["b"]), [""; 0]);
        assert_eq!(see(15, &["a"]), [""; 0]);
        assert_eq!(see(30, &["a"]), ["gone_for_good"]);
    }
}

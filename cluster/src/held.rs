//! What the log holds and the state does not have yet: entries that are committed, will be, or never will be.
//!
//! **A node refuses what a revocation in its log names from the moment when the entry is in the log**, committed or not.
//! For tokens and families that is always right: whoever may revoke has asked for it, and refusing too early does no
//! harm. When the entry is applied, the state refuses instead; when it is cut off, because another leader never had
//! it, so is the refusal. A node that starts reads it from its log again. So a member that *holds* an entry of a
//! committed revocation refuses for ever, and need not have applied it before the revocation is answered.
//!
//! Revocations of agents, credentials and organizations are not among them: they kill what was issued before their
//! revision, which is known when they are applied, and until then a new token could not be told from an old one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use domain::{Subject, TokenFacts};
use openraft::EntryPayload;
use tokio::sync::watch;

use crate::command::{Batch, BatchId, Command};
use crate::lock::lock;
use crate::network::Peer;
use crate::raft_types::{Entry, StoredMembership, Vote};
use crate::roster::Roster;

/// How many tokens and families may be refused that the state does not have yet. An entry that does not fit is not
/// held, and its revocations are in force when it is applied.
const DENIALS_MAX: usize = 100_000;

/// A durable entry that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    /// Its place in the log.
    pub(crate) index: u64,
    /// Whether it was taken from the leader whose term it is of, while this node had not voted for a later one: then
    /// this node counts towards the majority that commits it.
    pub(crate) counts: bool,
}

/// How much is before and in an entry that the state does not have yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    pub(crate) commands: u64,
    pub(crate) revocations: usize,
}

/// The end of the log.
pub(crate) struct Held {
    tail: Mutex<Tail>,
    /// How many denials there are, so that readers need no lock while there are none.
    denials: AtomicUsize,
    moved: watch::Sender<()>,
    denials_max: usize,
}

#[derive(Default)]
struct Tail {
    entries: BTreeMap<u64, HeldEntry>,
    /// Where a batch is; if it is there twice, the last place.
    by_batch: BTreeMap<BatchId, u64>,
    /// What is refused, and by which entry.
    denials: BTreeSet<(Subject, u64)>,
    roster: Roster,
}

struct HeldEntry {
    batch: BatchId,
    counts: bool,
    is_durable: bool,
    /// `None` if there was no room for them.
    denials: Option<Vec<Subject>>,
    ahead: Ahead,
}

impl Default for Held {
    fn default() -> Self {
        Self::with_limit(DENIALS_MAX)
    }
}

impl Held {
    fn with_limit(denials_max: usize) -> Self {
        Self {
            tail: Mutex::default(),
            denials: AtomicUsize::new(0),
            moved: watch::Sender::new(()),
            denials_max,
        }
    }

    /// Entries were taken into the log under this vote; they are not durable yet.
    pub(crate) fn add<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>, vote: Option<&Vote>) {
        let mut tail = self.tail();
        for entry in entries {
            let counts = vote.is_some_and(|vote| vote.leader_id == entry.log_id.leader_id);
            tail.add(entry, counts, self.denials_max);
        }
        self.count(&tail);
    }

    /// An entry was read back from the log. For whom this node had voted when it took it is not known any more.
    pub(crate) fn reload(&self, entry: &Entry) {
        self.add([entry], None);
        self.durable(entry.log_id.index);
    }

    /// An entry that is known to be committed was read back from the log: the state is about to have it.
    pub(crate) fn reload_committed(&self, entry: &Entry) {
        self.tail().add_members(entry);
    }

    /// Everything up to `index` is durable.
    pub(crate) fn durable(&self, index: u64) {
        let mut tail = self.tail();
        // What comes before a durable entry is durable.
        let entries = tail.entries.range_mut(..=index).rev();
        for (_, entry) in entries.take_while(|(_, entry)| !entry.is_durable) {
            entry.is_durable = true;
        }
        drop(tail);
        self.moved.send_replace(());
    }

    /// Everything from `index` on was cut off.
    pub(crate) fn truncate(&self, index: u64) {
        let mut tail = self.tail();
        let cut_off = tail.entries.split_off(&index);
        tail.forget(cut_off);
        tail.roster.truncate(index);
        self.count(&tail);
    }

    /// Readers see a state that has everything up to `index`, and these members.
    pub(crate) fn applied(&self, index: u64, members: &StoredMembership) {
        let mut tail = self.tail();
        let rest = tail.entries.split_off(&index.saturating_add(1));
        let applied = std::mem::replace(&mut tail.entries, rest);
        tail.forget(applied);
        tail.roster.applied(index, members);
        self.count(&tail);
        drop(tail);
        self.moved.send_replace(());
    }

    /// Whether a token is named by a revocation that the state does not have yet. To be asked before the state is: a
    /// revocation moves from here to there.
    pub(crate) fn denies(&self, token: &TokenFacts) -> bool {
        if self.denials.load(Ordering::Acquire) == 0 {
            return false;
        }
        let tail = self.tail();
        tail.names(Subject::Token(token.token)) || tail.names(Subject::Family(token.family))
    }

    /// A batch, if it is in the log, durable, and refused.
    pub(crate) fn find(&self, batch: BatchId) -> Option<Holding> {
        let tail = self.tail();
        let index = *tail.by_batch.get(&batch)?;
        let entry = tail.entries.get(&index)?;
        (entry.is_durable && entry.denials.is_some()).then_some(Holding {
            index,
            counts: entry.counts,
        })
    }

    /// How much the state lacks up to the entry at `index`.
    pub(crate) fn ahead(&self, index: u64) -> Ahead {
        let tail = self.tail();
        tail.entries
            .range(..=index)
            .fold(Ahead::default(), |sum, (_, entry)| Ahead {
                commands: sum.commands + entry.ahead.commands,
                revocations: sum.revocations + entry.ahead.revocations,
            })
    }

    /// The members as of the entry at `index`; `None` if the state is beyond it.
    pub(crate) fn members_as_of(&self, index: u64) -> Option<StoredMembership> {
        self.tail().roster.as_of(index).cloned()
    }

    /// The members beside this node as of the end of the log.
    pub(crate) fn others(&self, me: u64) -> Vec<Peer> {
        self.tail().roster.others(me)
    }

    /// Whether the state knows a node as a member.
    pub(crate) fn has_member(&self, node_id: u64) -> bool {
        self.tail().roster.has_applied(node_id)
    }

    /// Tells whenever something has become durable or was applied.
    pub(crate) fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    fn count(&self, tail: &Tail) {
        self.denials.store(tail.denials.len(), Ordering::Release);
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        lock(&self.tail)
    }
}

impl Tail {
    fn add(&mut self, entry: &Entry, counts: bool, denials_max: usize) {
        match &entry.payload {
            EntryPayload::Normal(batch) => self.add_batch(entry.log_id.index, batch, counts, denials_max),
            EntryPayload::Membership(_) => self.add_members(entry),
            EntryPayload::Blank => {}
        }
    }

    fn add_members(&mut self, entry: &Entry) {
        if let EntryPayload::Membership(members) = &entry.payload {
            let members = StoredMembership::new(Some(entry.log_id), members.clone());
            self.roster.add(entry.log_id.index, members);
        }
    }

    fn add_batch(&mut self, index: u64, batch: &Batch, counts: bool, denials_max: usize) {
        let denials: Vec<Subject> = batch.commands.iter().filter_map(Command::denies).collect();
        let has_room = self.denials.len() + denials.len() <= denials_max;
        let denials = has_room.then_some(denials);
        for subject in denials.iter().flatten() {
            self.denials.insert((*subject, index));
        }
        let revocations = batch
            .commands
            .iter()
            .filter(|command| matches!(command, Command::Revoke(_)));
        let ahead = Ahead {
            commands: batch.commands.len() as u64,
            revocations: revocations.count(),
        };
        let held = HeldEntry {
            batch: batch.id,
            counts,
            is_durable: false,
            denials,
            ahead,
        };
        self.entries.insert(index, held);
        self.by_batch.insert(batch.id, index);
    }

    fn forget(&mut self, entries: BTreeMap<u64, HeldEntry>) {
        for (index, entry) in entries {
            if self.by_batch.get(&entry.batch) == Some(&index) {
                self.by_batch.remove(&entry.batch);
            }
            for subject in entry.denials.into_iter().flatten() {
                self.denials.remove(&(subject, index));
            }
        }
    }

    fn names(&self, subject: Subject) -> bool {
        self.denials.range((subject, 0)..=(subject, u64::MAX)).next().is_some()
    }
}

#[cfg(test)]
mod tests;

//! Brings a batch to the leader, and finds out when it is committed and in force on every member that can be reached,
//! so that its answer is true everywhere.
//!
//! All members are asked at once, when the batch leaves, to say when they have it. Whoever asks so need not wait for
//! the leader to tell it that the batch is committed: an entry that a majority holds, each of them having taken it
//! from the leader of its term while that was the latest one it had voted for, is committed, whether or not its leader
//! knows already. This saves half a round trip on a node that does not lead. A leader hears of its majority no later by
//! itself, and so it answers what its own state has.
//!
//! What a member says is about the one entry that the batch has become. If the batch had to be proposed again there
//! may be several, and only a member that has applied it counts.
//!
//! Who is a member is read from this node's log, once that has the batch: a node counts as one before it vouches for
//! anything (see [`freshness`](crate::freshness)), so that one that joined before the batch is known by then, and one
//! that joins after it has the batch when it begins to vouch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{NodeId, Revision};
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use crate::command::{Batch, BatchId, BatchResults, CommandResult};
use crate::leader::{LeaderError, LeaderLink};
use crate::network::{Peer, PeerAnswer, PeerRequest};
use crate::progress::{BatchWatch, Progress, Wanted};
use crate::publish::Published;
use crate::raft_types::StoredMembership;

/// What came of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    /// The results of its commands.
    pub(crate) results: BatchResults,
    /// Who has not said in time that it is in force there.
    pub(crate) unconfirmed: Vec<NodeId>,
}

impl From<BatchResults> for Settled {
    /// Of commands of which it does not matter whether all members have them.
    fn from(results: BatchResults) -> Self {
        Self {
            results,
            unconfirmed: Vec::new(),
        }
    }
}

/// Waits for members.
#[derive(Clone)]
pub(crate) struct Barrier {
    leader: LeaderLink,
    published: Arc<Published>,
    batches: BatchWatch,
    /// How long an answer waits for the members at most.
    limit: Duration,
}

/// What the members have said of a batch.
#[derive(Default)]
struct Said(BTreeMap<u64, Progress>);

impl Barrier {
    pub(crate) fn new(leader: LeaderLink, published: Arc<Published>, batches: BatchWatch, limit: Duration) -> Self {
        Self {
            leader,
            published,
            batches,
            limit,
        }
    }

    /// Proposes a batch for the first time, and waits until it is in force on all members.
    pub(crate) async fn propose_first(&self, batch: &Batch) -> Result<Settled, LeaderError> {
        let wanted = if batch.only_denies() {
            Wanted::Held
        } else {
            Wanted::Applied
        };
        let mut said = Said::default();
        let others = self.others();
        let asked = others.iter().map(|peer| async {
            let progress = self.ask(peer, batch.id, wanted, self.limit).await;
            (peer.node_id, progress)
        });
        let mut asked: FuturesUnordered<_> = asked.collect();
        let leads = self.leader.is_here();
        let mut own = std::pin::pin!(self.batches.reached(batch.id, wanted).fuse());
        let mut proposed = std::pin::pin!(self.leader.propose(batch));
        let results = loop {
            tokio::select! {
                biased;
                results = &mut proposed => break results?,
                Some((node_id, progress)) = asked.next() => said.add(node_id, progress),
                progress = &mut own => said.add(self.node_id(), Some(progress)),
            }
            if !leads && let Some(results) = self.committed(batch, &said) {
                break results;
            }
        };
        let give_up_at = Instant::now() + self.limit;
        while let Ok(Some((node_id, progress))) = timeout_at(give_up_at, asked.next()).await {
            said.add(node_id, progress);
        }
        let unconfirmed = self.confirm(batch.id, wanted, said, give_up_at).await;
        Ok(Settled { results, unconfirmed })
    }

    /// Proposes a batch that may have been proposed already.
    pub(crate) async fn propose_again(&self, batch: &Batch) -> Result<Settled, LeaderError> {
        let results = self.leader.propose(batch).await?;
        let give_up_at = Instant::now() + self.limit;
        let unconfirmed = self
            .confirm(batch.id, Wanted::Applied, Said::default(), give_up_at)
            .await;
        Ok(Settled { results, unconfirmed })
    }

    /// Asks those who have not said that they have a batch, until it is time to give up; answers who still has not.
    async fn confirm(&self, batch: BatchId, wanted: Wanted, said: Said, give_up_at: Instant) -> Vec<NodeId> {
        let known = self.others_beside(said.0.keys().copied().collect());
        let here = timeout_at(give_up_at, self.batches.reached(batch, wanted));
        let there = self.ask_all(&known, batch, wanted, give_up_at);
        let (mut silent, here) = tokio::join!(there, here);
        silent.extend(here.is_err().then_some(NodeId(self.node_id())));
        // The batch is here, and with it everybody who joined before it.
        let asked = said.0.into_keys().chain(known.iter().map(|peer| peer.node_id));
        let joined = self.others_beside(asked.collect());
        silent.extend(self.ask_all(&joined, batch, wanted, give_up_at).await);
        silent
    }

    /// Asks all of them, and answers who has not said in time that a batch has come so far.
    async fn ask_all(&self, peers: &[Peer], batch: BatchId, wanted: Wanted, give_up_at: Instant) -> Vec<NodeId> {
        let asked = peers.iter().map(|peer| async move {
            let limit = give_up_at.saturating_duration_since(Instant::now());
            let progress = self.ask(peer, batch, wanted, limit).await;
            progress.is_none().then_some(NodeId(peer.node_id))
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// The members beside this node, as far as it knows.
    fn others(&self) -> Vec<Peer> {
        self.published.held().others(self.node_id())
    }

    fn others_beside(&self, known: BTreeSet<u64>) -> Vec<Peer> {
        let others = self.others().into_iter();
        others.filter(|peer| !known.contains(&peer.node_id)).collect()
    }

    /// How far a batch has come on a member; `None` if not far enough, or if the member can't be asked.
    async fn ask(&self, peer: &Peer, batch: BatchId, wanted: Wanted, limit: Duration) -> Option<Progress> {
        if limit.is_zero() {
            return None;
        }
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let request = PeerRequest::AwaitBatch {
            batch,
            wanted,
            limit_ms,
        };
        let asking = self.leader.peers().ask(peer, &request, limit);
        match timeout(limit, asking).await {
            Ok(Ok(PeerAnswer::Reached(progress))) => progress,
            _ => None,
        }
    }

    /// The results of a batch, if what the members have said proves that it is committed, and if what comes of it can be
    /// told before it is applied: nothing else but a full deny list stands in the way of a revocation.
    fn committed(&self, batch: &Batch, said: &Said) -> Option<BatchResults> {
        let Some(Progress::Held { index, .. }) = said.0.get(&self.node_id()) else {
            return None;
        };
        let members = self.published.held().members_as_of(*index)?;
        if !said.prove(*index, &members) {
            return None;
        }
        // The log is looked at before the state: entries move from there to here, and must not be missed.
        let ahead = self.published.held().ahead(*index);
        let state = self.published.load();
        if !state.has_room_for(ahead.revocations) {
            return None;
        }
        let last = state.revision().0.saturating_add(ahead.commands);
        let first = last.saturating_sub(batch.commands.len() as u64);
        let results = (first + 1..)
            .zip(batch.commands.iter())
            .map(|(revision, _)| CommandResult {
                revision: Revision(revision),
                refusal: None,
            });
        Some(results.collect())
    }

    fn node_id(&self) -> u64 {
        *self.leader.raft().node_id()
    }
}

impl Said {
    fn add(&mut self, node_id: u64, progress: Option<Progress>) {
        if let Some(progress) = progress {
            self.0.insert(node_id, progress);
        }
    }

    /// Whether a majority of the voters, of each set of them while they change, holds the entry at `index` in a way that
    /// counts; `members` are those as of the entry.
    fn prove(&self, index: u64, members: &StoredMembership) -> bool {
        let counts = |node_id: &u64| {
            let progress = self.0.get(node_id);
            progress.is_some_and(|progress| *progress == Progress::Held { index, counts: true })
        };
        let sets = members.membership().get_joint_config();
        let is_majority =
            |voters: &BTreeSet<u64>| voters.iter().filter(|node_id| counts(node_id)).count() * 2 > voters.len();
        !sets.is_empty() && sets.iter().all(is_majority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft_types::{Member, Membership};

    fn members(sets: &[&[u64]]) -> StoredMembership {
        let sets: Vec<BTreeSet<u64>> = sets.iter().map(|set| set.iter().copied().collect()).collect();
        let all: BTreeMap<u64, Member> = sets.iter().flatten().map(|id| (*id, Member::default())).collect();
        StoredMembership::new(None, Membership::new(sets, all).unwrap())
    }

    fn said(progress: &[(u64, Progress)]) -> Said {
        Said(progress.iter().copied().collect())
    }

    const COUNTS: Progress = Progress::Held { index: 9, counts: true };
    const LATE: Progress = Progress::Held {
        index: 9,
        counts: false,
    };

    #[test]
    fn a_majority_that_took_an_entry_from_its_own_leader_commits_it() {
        let three = members(&[&[1, 2, 3]]);
        assert!(said(&[(1, COUNTS), (2, COUNTS)]).prove(9, &three));
        assert!(!said(&[(1, COUNTS)]).prove(9, &three));
        assert!(!said(&[]).prove(9, &three));
        assert!(!said(&[(1, COUNTS), (7, COUNTS)]).prove(9, &three), "who does not vote");
    }

    #[test]
    fn whoever_took_it_from_a_later_leader_or_holds_another_entry_does_not_count() {
        let three = members(&[&[1, 2, 3]]);
        assert!(!said(&[(1, COUNTS), (2, LATE), (3, LATE)]).prove(9, &three));
        let another = Progress::Held { index: 8, counts: true };
        assert!(!said(&[(1, COUNTS), (2, another)]).prove(9, &three));
        assert!(!said(&[(1, COUNTS), (2, Progress::Applied)]).prove(9, &three));
    }

    #[test]
    fn while_voters_change_both_majorities_are_needed() {
        let changing = members(&[&[1, 2, 3], &[3, 4, 5]]);
        assert!(!said(&[(1, COUNTS), (2, COUNTS), (3, COUNTS)]).prove(9, &changing));
        assert!(said(&[(1, COUNTS), (3, COUNTS), (4, COUNTS)]).prove(9, &changing));
    }
}

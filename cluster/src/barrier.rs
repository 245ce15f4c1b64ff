//! Waiting until every member that can be reached has a change in force, so that its answer is true everywhere.
//!
//! A member that is asked for a revision answers with the one that it has reached, which is often later: so a few
//! questions at a time serve all who wait, however many they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{NodeId, Revision};
use futures::future::join_all;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::leader::LeaderLink;
use crate::members;
use crate::network::{Peer, PeerAnswer, PeerRequest};
use crate::publish::Published;

/// How many questions to one member are under way at once.
const QUESTIONS_MAX: usize = 4;

/// What one member has confirmed.
struct Confirmed {
    revision: watch::Sender<Revision>,
    questions: Semaphore,
}

/// Waits for members.
pub(crate) struct Barrier {
    leader: LeaderLink,
    published: Arc<Published>,
    /// How long an answer waits for the members at most.
    limit: Duration,
    confirmed: Mutex<BTreeMap<u64, Arc<Confirmed>>>,
}

impl Barrier {
    pub(crate) fn new(leader: LeaderLink, published: Arc<Published>, limit: Duration) -> Self {
        Self {
            leader,
            published,
            limit,
            confirmed: Mutex::default(),
        }
    }

    /// Waits until all members have reached `revision`; answers who has not said so in time.
    pub(crate) async fn wait(&self, revision: Revision) -> Vec<NodeId> {
        let others = members::others(self.leader.raft());
        let asked = others.iter().map(|peer| async move {
            let confirming = timeout(self.limit, self.confirms(peer, revision));
            let is_confirmed = confirming.await.unwrap_or(false);
            (!is_confirmed).then_some(NodeId(peer.node_id))
        });
        let here = timeout(self.limit, self.published.reached(revision));
        let (here, there) = tokio::join!(here, join_all(asked));
        let me = here.is_err().then_some(NodeId(*self.leader.raft().node_id()));
        there.into_iter().flatten().chain(me).collect()
    }

    /// A member that can't be reached has not confirmed, and is not waited for.
    async fn confirms(&self, peer: &Peer, revision: Revision) -> bool {
        let confirmed = self.of(peer.node_id);
        let mut seen = confirmed.revision.subscribe();
        loop {
            if *seen.borrow_and_update() >= revision {
                return true;
            }
            tokio::select! {
                biased;
                // The sender lives as long as this waits.
                _ = seen.changed() => {}
                permit = confirmed.questions.acquire() => {
                    let Some(reached) = self.ask(peer, revision).await else {
                        return false;
                    };
                    drop(permit);
                    confirmed.revision.send_if_modified(|known| {
                        let is_later = reached > *known;
                        *known = reached.max(*known);
                        is_later
                    });
                    if reached < revision {
                        return false;
                    }
                }
            }
        }
    }

    /// The revision that a member has reached, once it is this one or its patience is over.
    async fn ask(&self, peer: &Peer, revision: Revision) -> Option<Revision> {
        let limit_ms = u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX);
        let request = PeerRequest::AwaitRevision { revision, limit_ms };
        match self.leader.peers().ask(peer, &request, self.limit).await {
            Ok(PeerAnswer::Reached(reached)) => Some(reached),
            _ => None,
        }
    }

    fn of(&self, node_id: u64) -> Arc<Confirmed> {
        let mut confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Confirmed {
                revision: watch::Sender::new(Revision::default()),
                questions: Semaphore::new(QUESTIONS_MAX),
            })
        };
        confirmed.entry(node_id).or_insert_with(new).clone()
    }
}

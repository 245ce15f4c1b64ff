//! The format is raised as soon as all members know a later one and agree: a task that only a leader does anything in.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Entropy;
use futures::future::join_all;
use tokio::time::MissedTickBehavior;

use crate::admission::Admission;
use crate::command::{Batch, BatchId, Command};
use crate::formats::Formats;
use crate::leader::{LeaderLink, propose_here};
use crate::members;
use crate::network::{Peer, PeerAnswer, PeerRequest};
use crate::publish::Published;

/// How often the leader looks whether all members know a later format.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a member may take to say what it knows.
const ASK_DEADLINE: Duration = Duration::from_secs(1);
/// In whose name the batch is proposed: no node has this number.
const NOBODY: u64 = 0;

/// Raises the format.
pub(crate) struct Raising {
    pub(crate) leader: LeaderLink,
    pub(crate) admission: Admission,
    pub(crate) published: Arc<Published>,
    pub(crate) formats: Formats,
    pub(crate) software: String,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Raising {
    /// Looks again and again.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rounds = tokio::time::interval(LOOK_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.raise().await;
        }
    }

    /// Raises the format if this node leads and everybody agrees.
    pub(crate) async fn raise(&self) {
        let is_due = || self.formats.agreed_max() > self.published.load().agreement().format();
        if !self.leader.raft().is_leader() || !is_due() {
            return;
        }
        let Ok(_deciding) = self.admission.decide().await else {
            return;
        };
        let Some(to) = self.agreed_by_all().await.filter(|_| is_due()) else {
            return;
        };
        if to <= self.published.load().agreement().format() {
            return;
        }
        // Never through another leader: that one has not asked the members.
        match propose_here(self.leader.raft(), self.batch(to)).await {
            Ok(_) => tracing::info!(
                format = to,
                "all members know a later format of the replicated state; it is used now"
            ),
            Err(error) => tracing::debug!(%error, "the format could not be raised; this will be tried again"),
        }
    }

    /// The latest format that every member knows and agrees to; a member that can't be asked may know none.
    async fn agreed_by_all(&self) -> Option<u8> {
        let others = members::others(self.leader.raft());
        let asked = join_all(others.iter().map(|peer| self.ask(peer))).await;
        let own = Some(self.formats.agreed_max());
        asked.into_iter().chain([own]).min().flatten()
    }

    async fn ask(&self, peer: &Peer) -> Option<u8> {
        match self.leader.peers().ask(peer, &PeerRequest::Formats, ASK_DEADLINE).await {
            Ok(PeerAnswer::Formats(report)) => Some(report.agreed_max),
            _ => None,
        }
    }

    fn batch(&self, to: u8) -> Batch {
        let mut random = [0u8; 8];
        self.entropy.fill(&mut random);
        let software = self.software.clone();
        Batch {
            id: BatchId {
                node_id: NOBODY,
                incarnation: u64::from_le_bytes(random),
                number: 1,
            },
            commands: Arc::from([Command::RaiseFormat { to, software }]),
        }
    }
}

//! Sequences of entries from a leader that sends the next before the last is answered: they are given to the consensus
//! in their order, in whatever order they come in, and answered when they are durable.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use futures::{Stream, StreamExt as _};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, StreamAppendResult};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::link::APPENDS_IN_FLIGHT;
use super::message::Sequenced;
use crate::lock::lock;
use crate::raft_types::{Raft, TypeConfig};

/// How many senders are remembered. Beyond, the one with the lowest number is forgotten, and has to begin anew.
const SENDERS_MAX: usize = 64;

type Rpc = AppendEntriesRequest<TypeConfig>;
type Answer = AppendEntriesResponse<TypeConfig>;

/// The sequences that come in, one for each sender.
pub(super) struct Appending {
    raft: Raft,
    sequences: Mutex<BTreeMap<u64, Sequence>>,
}

/// Which sequence of a sender.
#[derive(Clone, Copy, PartialEq, Eq)]
struct SequenceId {
    incarnation: u64,
    number: u64,
}

/// What is there of one sequence.
struct Sequence {
    id: SequenceId,
    next: u64,
    /// Those that have come before their turn.
    early: BTreeMap<u64, (Rpc, oneshot::Sender<Answer>)>,
    /// To the consensus. There is room for as many as the sender has in flight.
    rpcs: mpsc::Sender<Rpc>,
    /// Whoever waits for an answer, in the order of the requests.
    waiting: Arc<Mutex<VecDeque<oneshot::Sender<Answer>>>>,
    task: JoinHandle<()>,
}

impl Appending {
    pub(super) fn new(raft: Raft) -> Self {
        Self {
            raft,
            sequences: Mutex::default(),
        }
    }

    /// Appends the entries when it is their turn; returns when they are durable.
    pub(super) async fn take(&self, sequenced: Sequenced) -> Result<Answer, String> {
        let (answer, answered) = oneshot::channel();
        self.enter(sequenced, answer)?;
        answered.await.map_err(|_| "the sequence has ended".to_owned())
    }

    fn enter(&self, sequenced: Sequenced, answer: oneshot::Sender<Answer>) -> Result<(), String> {
        let Sequenced {
            node_id,
            incarnation,
            sequence,
            number,
            rpc,
        } = sequenced;
        let id = SequenceId {
            incarnation,
            number: sequence,
        };
        let mut sequences = lock(&self.sequences);
        let known = sequences.get(&node_id).map(|sequence| sequence.id);
        if known.is_some_and(|known| known.is_after(id)) {
            return Err("a later sequence has begun".to_owned());
        }
        if known != Some(id) {
            if sequences.len() >= SENDERS_MAX && known.is_none() {
                sequences.pop_first();
            }
            sequences.insert(node_id, Sequence::begin(id, self.raft.clone()));
        }
        let sequence = sequences
            .get_mut(&node_id)
            .expect("it was there, or has just been put there");
        sequence.enter(number, rpc, answer)
    }
}

impl SequenceId {
    fn is_after(self, other: Self) -> bool {
        self.incarnation == other.incarnation && self.number > other.number
    }
}

impl Sequence {
    fn begin(id: SequenceId, raft: Raft) -> Self {
        let (rpcs, incoming) = mpsc::channel(APPENDS_IN_FLIGHT);
        let waiting = Arc::new(Mutex::new(VecDeque::new()));
        let incoming = futures::stream::unfold(incoming, |mut incoming| async move {
            incoming.recv().await.map(|rpc| (rpc, incoming))
        });
        let results = raft.stream_append(incoming);
        let results = results.filter_map(|result| std::future::ready(result.ok()));
        let task = tokio::spawn(bring_answers(results, waiting.clone()));
        Self {
            id,
            next: 0,
            early: BTreeMap::new(),
            rpcs,
            waiting,
            task,
        }
    }

    fn enter(&mut self, number: u64, rpc: Rpc, answer: oneshot::Sender<Answer>) -> Result<(), String> {
        let in_flight = APPENDS_IN_FLIGHT as u64;
        if number < self.next || number >= self.next.saturating_add(in_flight) {
            return Err(format!(
                "request {number} of a sequence came when it was {}'s turn",
                self.next
            ));
        }
        self.early.insert(number, (rpc, answer));
        while let Some((rpc, answer)) = self.early.remove(&self.next) {
            self.next += 1;
            lock(&self.waiting).push_back(answer);
            self.rpcs
                .try_send(rpc)
                .map_err(|_| "the sequence has ended, or too much of it is in flight".to_owned())?;
        }
        Ok(())
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Brings each answer to the first who waits. After one that is no success there are no more: who waits is told that
/// the sequence has ended.
async fn bring_answers(
    results: impl Stream<Item = StreamAppendResult<TypeConfig>>,
    waiting: Arc<Mutex<VecDeque<oneshot::Sender<Answer>>>>,
) {
    let mut results = std::pin::pin!(results);
    while let Some(result) = results.next().await {
        let first = lock(&waiting).pop_front();
        // Whoever asked may have given up.
        first.map(|first| first.send(Answer::from(result)));
    }
    lock(&waiting).clear();
}

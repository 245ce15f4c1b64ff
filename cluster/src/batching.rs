//! Proposals in batches: whatever queues while others are on their way becomes the next log entry, so that one
//! synchronization of the disk and one round trip serve everybody who waits.
//!
//! Any node takes proposals; a batch goes to whoever leads. If its answer is lost, or the leader is, it goes out again
//! under the same id until its callers have given up, and is applied once at most.
//!
//! Where the others are far away, several batches are on their way at once, or a change would wait for the round trip
//! of the one before it. Those are revocations and changes of cached rows: it does not matter which of them comes
//! first. Everything else travels alone, and once it was given up it is refused if it still turns up. Next door, where a
//! round trip is short and it is the work that takes its time, one batch follows the other: each takes along all that has
//! come in meanwhile, and the work is less.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::NodeId;
use domain::ports::ReplicationError;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use metrics::Histogram;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::barrier::{Barrier, Settled};
use crate::command::{Batch, BatchId, Command, CommandResult};
use crate::freshness::Freshness;
use crate::leader::{LeaderError, LeaderLink};
use crate::publish::Published;
use crate::state::WINDOW;

/// How many callers may wait for the next batch; more are turned away.
const QUEUE: usize = 8_192;
/// How many callers one batch serves at most.
const CALLERS_MAX: usize = 2_048;
/// How many commands one caller may propose together.
pub(crate) const COMMANDS_PER_CALL_MAX: usize = 1_024;
/// How long the commands of one batch are together, encoded, at most: more than 4,000 revocations.
pub(crate) const BATCH_BYTES_MAX: usize = 256 * 1024;
const _: () = assert!(COMMANDS_PER_CALL_MAX * crate::command::SMALL_COMMAND_BYTES <= BATCH_BYTES_MAX);
/// How long a batch gathers while others are on their way.
const GATHER: Duration = Duration::from_millis(4);
/// The same where those that are on their way arrive sooner, unless something is wrong.
const GATHER_NEXT_DOOR: Duration = Duration::from_millis(40);
/// Who is nearer than this is next door.
const NEXT_DOOR: Duration = Duration::from_millis(4);
/// How long to wait before proposing again what the leader has not taken, or not answered.
const RETRY_AFTER: Duration = Duration::from_millis(10);

type Answer = Result<Done, ReplicationError>;
type Outcome = Result<Settled, ReplicationError>;

/// What came of the commands of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// A result for each command.
    pub(crate) results: Vec<CommandResult>,
    /// Members that have not said in time that the commands are in force there. Only those of whom that matters were
    /// asked: revocations, changes of what nodes have cached, and orders about keys.
    pub(crate) unconfirmed: Vec<NodeId>,
}

struct Proposal {
    commands: Vec<Command>,
    bytes: usize,
    commutes: bool,
    give_up_at: Instant,
    answer: oneshot::Sender<Answer>,
}

/// The way to propose commands. Copies share the queue.
#[derive(Clone)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Proposal>,
    published: Arc<Published>,
    deadline: Duration,
}

/// The other end of the queue; [`Batching::run`] serves it.
pub(crate) struct Batching {
    queue: mpsc::Receiver<Proposal>,
    carrier: Carrier,
    freshness: Arc<Freshness>,
    next: BatchId,
    waiting: Vec<Proposal>,
    under_way: UnderWay,
    left_at: Instant,
}

/// The batches that are on their way.
#[derive(Default)]
struct UnderWay {
    batches: FuturesUnordered<BoxFuture<'static, u64>>,
    numbers: BTreeSet<u64>,
    /// Whether the one that is on its way must be alone.
    is_alone: bool,
}

/// Takes a batch to the leader.
#[derive(Clone)]
struct Carrier {
    leader: LeaderLink,
    barrier: Barrier,
    commit_latency_seconds: Histogram,
}

impl Proposer {
    /// A queue whose callers wait no longer than `deadline`; its batches count up from `first`.
    pub(crate) fn new(
        (leader, barrier): (LeaderLink, Barrier),
        (published, freshness): (Arc<Published>, Arc<Freshness>),
        first: BatchId,
        deadline: Duration,
        commit_latency_seconds: Histogram,
    ) -> (Self, Batching) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let carrier = Carrier {
            leader,
            barrier,
            commit_latency_seconds,
        };
        (
            Self {
                queue: sender,
                published,
                deadline,
            },
            Batching {
                queue: receiver,
                carrier,
                freshness,
                next: first,
                waiting: Vec::new(),
                under_way: UnderWay::default(),
                left_at: Instant::now(),
            },
        )
    }

    /// Proposes commands, all in one entry, and returns their results once they are applied.
    pub(crate) async fn propose(&self, commands: Vec<Command>) -> Answer {
        if commands.len() > COMMANDS_PER_CALL_MAX {
            return Err(ReplicationError::Unavailable(format!(
                "{} changes at once are too many; propose at most {COMMANDS_PER_CALL_MAX}",
                commands.len()
            )));
        }
        self.require_format(&commands)?;
        let bytes = commands.iter().map(Command::encoded_length_at_most).sum();
        if bytes > BATCH_BYTES_MAX {
            return Err(ReplicationError::Unavailable(format!(
                "changes of {bytes} bytes at once are too large; propose at most {BATCH_BYTES_MAX}"
            )));
        }
        let commutes = commands.iter().all(Command::commutes);
        let give_up_at = Instant::now() + self.deadline;
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Proposal {
                commands,
                bytes,
                commutes,
                give_up_at,
                answer,
            })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    ReplicationError::Unavailable("too many changes are waiting".into())
                }
                mpsc::error::TrySendError::Closed(_) => shut_down(),
            })?;
        match timeout_at(give_up_at, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(shut_down()),
            Err(_) => Err(too_late()),
        }
    }

    /// What some member does not know must not enter the log. The format is never lowered, so that a view of it that is
    /// behind is on the safe side.
    fn require_format(&self, commands: &[Command]) -> Result<(), ReplicationError> {
        let in_force = self.published.load().agreement().format();
        let later = commands.iter().map(Command::format).find(|format| *format > in_force);
        later.map_or(Ok(()), |wanted| {
            Err(ReplicationError::Unavailable(format!(
                "this needs format {wanted} of the replicated state, and the cluster is at {in_force}; it goes on when every \
                 member runs a version that knows it and none is held back by cluster.format_max: see agentidp cluster status"
            )))
        })
    }
}

impl Batching {
    /// Serves the queue until the last proposer is gone.
    pub(crate) async fn run(mut self) {
        loop {
            self.gather();
            while let Some(length) = self.may_leave(Instant::now()) {
                let rest = self.waiting.split_off(length);
                let batch = std::mem::replace(&mut self.waiting, rest);
                self.send(batch);
            }
            let room = CALLERS_MAX - self.waiting.len();
            let gathered_at = self.gathered_at();
            let is_gathering = self.under_way.has_room(self.next.number) && !self.waiting.is_empty();
            tokio::select! {
                received = self.queue.recv_many(&mut self.waiting, room), if room > 0 => {
                    if received == 0 {
                        return;
                    }
                }
                Some(number) = self.under_way.batches.next() => self.under_way.arrived(number),
                () = sleep_until(gathered_at), if is_gathering && gathered_at > Instant::now() => {}
            }
        }
    }

    fn gather(&mut self) {
        while self.waiting.len() < CALLERS_MAX
            && let Ok(next) = self.queue.try_recv()
        {
            self.waiting.push(next);
        }
    }

    /// When the next batch leaves although others are on their way.
    fn gathered_at(&self) -> Instant {
        self.left_at + gathers_for(self.freshness.distance().shortest())
    }

    /// How many of the callers that wait leave now as the next batch, if any do.
    fn may_leave(&self, now: Instant) -> Option<usize> {
        let first = self.waiting.first()?;
        let is_alone = self.under_way.numbers.is_empty();
        let may_join = first.commutes && self.under_way.has_room(self.next.number) && now >= self.gathered_at();
        (is_alone || may_join).then(|| batch_length(&self.waiting))
    }

    fn send(&mut self, proposals: Vec<Proposal>) {
        // Whoever has given up was told so already.
        let proposals: Vec<Proposal> = proposals
            .into_iter()
            .filter(|proposal| !proposal.answer.is_closed())
            .collect();
        let Some(give_up_at) = proposals.iter().map(|proposal| proposal.give_up_at).max() else {
            return;
        };
        let commutes = proposals.iter().all(|proposal| proposal.commutes);
        let commands: Arc<[Command]> = proposals
            .iter()
            .flat_map(|proposal| proposal.commands.iter().cloned())
            .collect();
        let id = self.next;
        // The number after one that travels alone makes it too late for it, should it be given up.
        self.next.number += if commutes { 1 } else { WINDOW };
        self.left_at = Instant::now();
        let carrier = self.carrier.clone();
        let carrying = async move {
            let outcome = carrier.write(Batch { id, commands }, commutes, give_up_at).await;
            answer(proposals, outcome);
            id.number
        };
        self.under_way.begin(id.number, !commutes, Box::pin(carrying));
    }
}

impl UnderWay {
    /// Whether the batch of this number may leave beside the others.
    fn has_room(&self, number: u64) -> bool {
        let first = self.numbers.first();
        !self.is_alone && first.is_none_or(|first| number < first.saturating_add(WINDOW))
    }

    fn begin(&mut self, number: u64, is_alone: bool, batch: BoxFuture<'static, u64>) {
        self.numbers.insert(number);
        self.is_alone = is_alone;
        self.batches.push(batch);
    }

    fn arrived(&mut self, number: u64) {
        self.numbers.remove(&number);
        self.is_alone = false;
    }
}

impl Carrier {
    async fn write(&self, batch: Batch, commutes: bool, give_up_at: Instant) -> Outcome {
        let proposed_at = Instant::now();
        let outcome = timeout_at(give_up_at, self.write_to_leader(&batch, commutes))
            .await
            .unwrap_or_else(|_| Err(too_late()));
        if outcome.is_ok() {
            self.commit_latency_seconds.record(proposed_at.elapsed());
        }
        outcome
    }

    /// While nobody leads, and while a new leader is not yet confirmed by a quorum, nobody takes it: try again.
    async fn write_to_leader(&self, batch: &Batch, commutes: bool) -> Outcome {
        let mut is_first = true;
        loop {
            let proposed = match (commutes, is_first) {
                (true, true) => self.barrier.propose_first(batch).await,
                (true, false) => self.barrier.propose_again(batch).await,
                (false, _) if batch.is_awaited() => self.barrier.propose_again(batch).await,
                (false, _) => self.leader.propose(batch).await.map(Settled::from),
            };
            match proposed {
                Ok(settled) => return Ok(settled),
                Err(LeaderError::NotLeader | LeaderError::Busy) => {}
                Err(error @ LeaderError::Lost(_)) => tracing::debug!(%error, "a proposal goes out again"),
                Err(LeaderError::Refused(reason)) => return Err(ReplicationError::Unavailable(reason)),
                Err(LeaderError::Stopped(reason)) => return Err(ReplicationError::Closed(reason)),
            }
            is_first = false;
            sleep(RETRY_AFTER).await;
        }
    }
}

/// How long a batch gathers while others are on their way to somebody who is so far away.
fn gathers_for(distance: Option<Duration>) -> Duration {
    let is_next_door = distance.is_some_and(|distance| distance < NEXT_DOOR);
    if is_next_door { GATHER_NEXT_DOOR } else { GATHER }
}

/// How many of the callers that wait fit into one batch, all of whose commands commute or none of which need to; at
/// least one, since none is larger than a batch.
fn batch_length(waiting: &[Proposal]) -> usize {
    let mut bytes = 0;
    let commutes = waiting.first().is_some_and(|first| first.commutes);
    let fits = |proposal: &&Proposal| {
        bytes += proposal.bytes;
        bytes <= BATCH_BYTES_MAX && proposal.commutes == commutes
    };
    waiting.iter().take_while(fits).count()
}

fn answer(proposals: Vec<Proposal>, outcome: Outcome) {
    let Settled { results, unconfirmed } = match outcome {
        Ok(settled) => settled,
        Err(error) => {
            // A caller that has given up meanwhile does not listen; that is all right.
            proposals
                .into_iter()
                .for_each(|proposal| drop(proposal.answer.send(Err(error.clone()))));
            return;
        }
    };
    let mut results = results.0.iter().copied();
    for proposal in proposals {
        let own: Vec<CommandResult> = results.by_ref().take(proposal.commands.len()).collect();
        assert_eq!(
            own.len(),
            proposal.commands.len(),
            "the state machine returns a result for each command"
        );
        let done = Done {
            results: own,
            unconfirmed: unconfirmed.clone(),
        };
        drop(proposal.answer.send(Ok(done)));
    }
}

fn too_late() -> ReplicationError {
    ReplicationError::Unavailable("it was not applied in time; whether it will be is not known".to_owned())
}

fn shut_down() -> ReplicationError {
    ReplicationError::Closed("this node is shutting down".to_owned())
}

#[cfg(test)]
mod tests {
    use domain::{Revision, Timestamp};

    use super::*;

    fn proposal(commands: usize, bytes: usize) -> (Proposal, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let commands = vec![Command::Tick { now: Timestamp::EPOCH }; commands];
        (
            Proposal {
                commands,
                bytes,
                commutes: false,
                give_up_at: Instant::now(),
                answer,
            },
            answered,
        )
    }

    #[test]
    fn a_batch_takes_what_fits() {
        let fits = |sizes: &[usize]| {
            let waiting: Vec<Proposal> = sizes.iter().map(|size| proposal(1, *size).0).collect();
            batch_length(&waiting)
        };
        assert_eq!(fits(&[]), 0);
        assert_eq!(fits(&[1, 2, 3]), 3);
        assert_eq!(fits(&[BATCH_BYTES_MAX, 1]), 1);
        assert_eq!(fits(&[BATCH_BYTES_MAX - 1, 1, 1]), 2);
    }

    #[test]
    fn batches_overtake_each_other_only_where_the_way_is_long() {
        assert_eq!(gathers_for(Some(NEXT_DOOR / 2)), GATHER_NEXT_DOOR);
        assert_eq!(gathers_for(Some(NEXT_DOOR)), GATHER);
        assert_eq!(gathers_for(None), GATHER, "nobody has answered yet");
    }

    #[test]
    fn what_must_travel_alone_shares_no_batch_with_what_need_not() {
        let mut waiting: Vec<Proposal> = (0..4).map(|_| proposal(1, 1).0).collect();
        waiting[0].commutes = true;
        waiting[1].commutes = true;
        assert_eq!(batch_length(&waiting), 2);
        assert_eq!(batch_length(&waiting[2..]), 2);
    }

    #[test]
    fn batches_beside_each_other_stay_within_the_window_and_one_may_want_to_be_alone() {
        let begin = |under_way: &mut UnderWay, number, is_alone| {
            under_way.begin(number, is_alone, Box::pin(std::future::ready(number)));
        };
        let mut under_way = UnderWay::default();
        assert!(under_way.has_room(1));
        for number in 1..=WINDOW {
            assert!(under_way.has_room(number));
            begin(&mut under_way, number, false);
        }
        assert!(!under_way.has_room(WINDOW + 1));
        under_way.arrived(2);
        assert!(!under_way.has_room(WINDOW + 1), "the first is still on its way");
        under_way.arrived(1);
        assert!(under_way.has_room(WINDOW + 1) && !under_way.has_room(WINDOW + 3));
        let mut under_way = UnderWay::default();
        begin(&mut under_way, 1, true);
        assert!(!under_way.has_room(2));
        under_way.arrived(1);
        assert!(under_way.has_room(2));
    }

    #[test]
    fn each_caller_gets_the_results_of_its_own_commands() {
        let (first, mut first_answer) = proposal(2, 10);
        let (second, mut second_answer) = proposal(1, 10);
        let result = |revision| CommandResult {
            revision: Revision(revision),
            refusal: None,
        };
        let settled = Settled {
            results: [1, 2, 3].map(result).into_iter().collect(),
            unconfirmed: vec![NodeId(7)],
        };
        answer(vec![first, second], Ok(settled));
        let done = |revisions: &[u64]| Done {
            results: revisions.iter().copied().map(result).collect(),
            unconfirmed: vec![NodeId(7)],
        };
        assert_eq!(first_answer.try_recv().unwrap(), Ok(done(&[1, 2])));
        assert_eq!(second_answer.try_recv().unwrap(), Ok(done(&[3])));
    }
}

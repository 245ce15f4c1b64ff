//! Proposals in batches: whatever queues while one proposal is on its way becomes the next log entry, so that one
//! synchronization of the disk and one round trip serve everybody who waits.
//!
//! Any node takes proposals; a batch goes to whoever leads. If its answer is lost, or the leader is, it goes out again
//! under the same id until its callers have given up, and is applied once at most.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::ReplicationError;
use metrics::Histogram;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use crate::command::{Batch, BatchId, BatchResults, Command, CommandResult};
use crate::leader::{LeaderError, LeaderLink};
use crate::publish::Published;

/// How many callers may wait for the next batch; more are turned away.
const QUEUE: usize = 8_192;
/// How many callers one batch serves at most.
const CALLERS_MAX: usize = 2_048;
/// How many commands one caller may propose together.
pub(crate) const COMMANDS_PER_CALL_MAX: usize = 1_024;
/// How long the commands of one batch are together, encoded, at most: more than 4,000 revocations.
pub(crate) const BATCH_BYTES_MAX: usize = 256 * 1024;
const _: () = assert!(COMMANDS_PER_CALL_MAX * crate::command::SMALL_COMMAND_BYTES <= BATCH_BYTES_MAX);
/// How long to wait before proposing again what the leader has not taken, or not answered.
const RETRY_AFTER: Duration = Duration::from_millis(10);

type Answer = Result<Vec<CommandResult>, ReplicationError>;
type Outcome = Result<BatchResults, ReplicationError>;

struct Proposal {
    commands: Vec<Command>,
    bytes: usize,
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
    leader: LeaderLink,
    next: BatchId,
    commit_latency_seconds: Histogram,
}

impl Proposer {
    /// A queue whose callers wait no longer than `deadline`; its batches count up from `first`.
    pub(crate) fn new(
        leader: LeaderLink,
        published: Arc<Published>,
        first: BatchId,
        deadline: Duration,
        commit_latency_seconds: Histogram,
    ) -> (Self, Batching) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (
            Self {
                queue: sender,
                published,
                deadline,
            },
            Batching {
                queue: receiver,
                leader,
                next: first,
                commit_latency_seconds,
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
        let give_up_at = Instant::now() + self.deadline;
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Proposal {
                commands,
                bytes,
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
}

impl Proposer {
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
        let mut waiting: Vec<Proposal> = Vec::new();
        loop {
            if waiting.is_empty() && self.queue.recv_many(&mut waiting, CALLERS_MAX).await == 0 {
                return;
            }
            while waiting.len() < CALLERS_MAX
                && let Ok(next) = self.queue.try_recv()
            {
                waiting.push(next);
            }
            let rest = waiting.split_off(batch_length(&waiting));
            let batch = std::mem::replace(&mut waiting, rest);
            self.serve(batch).await;
        }
    }

    async fn serve(&mut self, proposals: Vec<Proposal>) {
        // Whoever has given up was told so already.
        let proposals: Vec<Proposal> = proposals
            .into_iter()
            .filter(|proposal| !proposal.answer.is_closed())
            .collect();
        let Some(give_up_at) = proposals.iter().map(|proposal| proposal.give_up_at).max() else {
            return;
        };
        let commands: Arc<[Command]> = proposals
            .iter()
            .flat_map(|proposal| proposal.commands.iter().cloned())
            .collect();
        let id = self.next;
        self.next.number += 1;
        let outcome = self.write(Batch { id, commands }, give_up_at).await;
        answer(proposals, outcome);
    }

    async fn write(&self, batch: Batch, give_up_at: Instant) -> Outcome {
        let proposed_at = Instant::now();
        let outcome = timeout_at(give_up_at, self.write_to_leader(&batch))
            .await
            .unwrap_or_else(|_| Err(too_late()));
        if outcome.is_ok() {
            self.commit_latency_seconds.record(proposed_at.elapsed());
        }
        outcome
    }

    /// While nobody leads, and while a new leader is not yet confirmed by a quorum, nobody takes it: try again.
    async fn write_to_leader(&self, batch: &Batch) -> Outcome {
        loop {
            match self.leader.propose(batch).await {
                Ok(results) => return Ok(results),
                Err(LeaderError::NotLeader | LeaderError::Busy) => {}
                Err(error @ LeaderError::Lost(_)) => tracing::debug!(%error, "a proposal goes out again"),
                Err(LeaderError::Refused(reason)) => return Err(ReplicationError::Unavailable(reason)),
                Err(LeaderError::Stopped(reason)) => return Err(ReplicationError::Closed(reason)),
            }
            sleep(RETRY_AFTER).await;
        }
    }
}

/// How many of the callers that wait fit into one batch; at least one, since none is larger than a batch.
fn batch_length(waiting: &[Proposal]) -> usize {
    let mut bytes = 0;
    let fits = |proposal: &&Proposal| {
        bytes += proposal.bytes;
        bytes <= BATCH_BYTES_MAX
    };
    waiting.iter().take_while(fits).count()
}

fn answer(proposals: Vec<Proposal>, outcome: Outcome) {
    let results = match outcome {
        Ok(results) => results,
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
        drop(proposal.answer.send(Ok(own)));
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
    fn each_caller_gets_the_results_of_its_own_commands() {
        let (first, mut first_answer) = proposal(2, 10);
        let (second, mut second_answer) = proposal(1, 10);
        let result = |revision| CommandResult {
            revision: Revision(revision),
            refusal: None,
        };
        answer(vec![first, second], Ok([1, 2, 3].map(result).into_iter().collect()));
        assert_eq!(first_answer.try_recv().unwrap(), Ok(vec![result(1), result(2)]));
        assert_eq!(second_answer.try_recv().unwrap(), Ok(vec![result(3)]));
    }
}

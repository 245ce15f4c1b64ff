//! The other end of a link: carries out what another member asks for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use openraft::raft::SnapshotResponse;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::appending::Appending;
use super::message::{PeerAnswer, PeerRequest, SnapshotPiece};
use crate::admission::Admission;
use crate::belonging::is_member;
use crate::codec::{self, CodecError};
use crate::drain::Drain;
use crate::files::OpenFile;
use crate::formats::{FormatReport, Formats};
use crate::greeted::Greeted;
use crate::halt::Halt;
use crate::leader::{LeaderError, propose_here, read_index_here};
use crate::progress::BatchWatch;
use crate::publish::Published;
use crate::raft_types::{Raft, Snapshot, TypeConfig};
use crate::report::MemberReport;
use crate::sealing::MasterKeyId;
use crate::state_machine::{SnapshotFile, Snapshots};

/// Nobody makes this node wait longer for a batch.
const BARRIER_MAX: Duration = Duration::from_secs(5);

/// What a member says of itself.
pub(crate) struct AboutItself {
    /// How it is now.
    pub(crate) report: Box<dyn Fn() -> MemberReport + Send + Sync>,
    /// The master keys that it holds.
    pub(crate) master_keys: Vec<MasterKeyId>,
}

/// Answers the other members.
pub(crate) struct Receiving {
    raft: Raft,
    snapshots: Arc<Snapshots>,
    published: Arc<Published>,
    batches: BatchWatch,
    appending: Appending,
    about: AboutItself,
    drain: Arc<Drain>,
    admission: Admission,
    formats: Formats,
    halt: Arc<Halt>,
    /// The snapshot that is coming in, and how many bytes of it are there.
    incoming: Mutex<Option<(Arc<dyn OpenFile>, u64)>>,
}

impl Receiving {
    pub(crate) fn new(
        admission: Admission,
        snapshots: Arc<Snapshots>,
        greeted: &Greeted,
        about: AboutItself,
        drain: Arc<Drain>,
    ) -> Self {
        Self {
            appending: Appending::new(greeted.raft.clone()),
            raft: greeted.raft.clone(),
            snapshots,
            batches: BatchWatch::new(greeted.published.clone()),
            published: greeted.published.clone(),
            about,
            drain,
            admission,
            formats: greeted.formats,
            halt: greeted.halt.clone(),
            incoming: Mutex::new(None),
        }
    }

    /// Carries out a request and returns the answer; both as bytes.
    pub(crate) async fn answer(&self, request: &[u8]) -> Vec<u8> {
        let answer = match codec::decode_up_to(self.formats.known(), request) {
            Ok(request) => self.carry_out(request).await.unwrap_or_else(PeerAnswer::Failed),
            Err(error @ CodecError::Newer { .. }) if PeerRequest::are_entries(request) => {
                PeerAnswer::Failed(self.halt(&error))
            }
            Err(error) => PeerAnswer::Failed(format!("the request is not readable: {error}")),
        };
        codec::encode(&answer)
    }

    /// What this member says of itself.
    pub(crate) fn report(&self) -> MemberReport {
        (self.about.report)()
    }

    /// The cluster has gone beyond what this version knows: going on would be to diverge.
    fn halt(&self, error: &CodecError) -> String {
        let wanted = self.published.load().agreement().wanted_software();
        let reason = format!(
            "this node was sent what it does not know: {error}; install agentidp {wanted}, as the other members run it"
        );
        self.halt.ask(reason.clone());
        reason
    }

    fn formats(&self) -> FormatReport {
        FormatReport {
            known: self.formats.known(),
            agreed_max: self.formats.agreed_max(),
            in_force: self.published.load().agreement().format(),
        }
    }

    /// Elections are for those who have seen that they vote. A voter that has lost its log has forgotten for whom it
    /// voted, and what it had confirmed.
    fn require_vote(&self) -> Result<(), String> {
        let me = *self.raft.node_id();
        let is_voter = self.raft.voter_ids().any(|voter| voter == me);
        is_voter
            .then_some(())
            .ok_or_else(|| format!("node {me} does not vote: its log, if it has any, does not say that it does"))
    }

    async fn carry_out(&self, request: PeerRequest) -> Result<PeerAnswer, String> {
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        Ok(match request {
            PeerRequest::Append(rpc) => {
                PeerAnswer::Append(self.raft.append_entries(rpc).await.map_err(|error| failed(&error))?)
            }
            PeerRequest::Vote(rpc) => {
                self.require_vote()?;
                PeerAnswer::Vote(self.raft.vote(rpc).await.map_err(|error| failed(&error))?)
            }
            PeerRequest::PreVote(rpc) => {
                self.require_vote()?;
                PeerAnswer::Vote(self.raft.pre_vote(rpc).await.map_err(|error| failed(&error))?)
            }
            PeerRequest::TransferLeader(request) => {
                let answer = self
                    .raft
                    .handle_transfer_leader(request)
                    .await
                    .map_err(|error| failed(&error))?;
                PeerAnswer::TransferLeader(answer)
            }
            PeerRequest::Snapshot(piece) => self.take_piece(piece).await?,
            PeerRequest::Propose(batch) => led(propose_here(&self.raft, batch).await.map(PeerAnswer::Proposed))?,
            PeerRequest::ReadIndex => led(read_index_here(&self.raft).await.map(PeerAnswer::ReadIndex))?,
            PeerRequest::ChangeMembers(change) => {
                let changed = self.admission.change(change).await;
                led(changed.map(|()| PeerAnswer::MembersChanged).map_err(LeaderError::from))?
            }
            PeerRequest::AwaitBatch {
                batch,
                wanted,
                limit_ms,
            } => {
                let limit = Duration::from_millis(limit_ms).min(BARRIER_MAX);
                PeerAnswer::Reached(timeout(limit, self.batches.reached(batch, wanted)).await.ok())
            }
            PeerRequest::Report => PeerAnswer::Report(self.report()),
            PeerRequest::MasterKeys => PeerAnswer::MasterKeys(self.about.master_keys.clone()),
            PeerRequest::AppendNext(sequenced) => PeerAnswer::Append(self.appending.take(sequenced).await?),
            PeerRequest::Drain => {
                self.drain.ask().await;
                PeerAnswer::Drained
            }
            PeerRequest::Formats => PeerAnswer::Formats(self.formats()),
            PeerRequest::IsMember(node_id) => led(is_member(&self.raft, node_id).await.map(PeerAnswer::IsMember))?,
        })
    }

    async fn take_piece(&self, piece: SnapshotPiece) -> Result<PeerAnswer, String> {
        let mut incoming = self.incoming.lock().await;
        let so_far = if piece.offset == 0 { None } else { incoming.take() };
        let (offset, bytes) = (piece.offset, piece.bytes);
        let write = move |snapshots: &Snapshots| append(so_far, offset, &bytes, || snapshots.receive());
        let written = self.snapshots.clone().run(write).await;
        let (file, length) = written.map_err(|error| error.to_string())?;
        if !piece.is_last {
            *incoming = Some((file, length));
            return Ok(PeerAnswer::PieceTaken);
        }
        let snapshot = Snapshot {
            meta: piece.meta,
            snapshot: SnapshotFile(file),
        };
        let installed: Result<SnapshotResponse<TypeConfig>, _> =
            self.raft.install_full_snapshot(piece.vote, snapshot).await;
        installed.map(PeerAnswer::Snapshot).map_err(|error| error.to_string())
    }
}

/// What only a leader can do: whoever asked is told if this node does not lead, so that it looks for another.
fn led(done: Result<PeerAnswer, LeaderError>) -> Result<PeerAnswer, String> {
    match done {
        Err(LeaderError::NotLeader) => Ok(PeerAnswer::NotLeader),
        Err(LeaderError::Busy) => Ok(PeerAnswer::Busy),
        done => done.map_err(|error| error.to_string()),
    }
}

/// Adds a piece to what is there; a new transfer begins with a new file.
fn append(
    so_far: Option<(Arc<dyn OpenFile>, u64)>,
    offset: u64,
    bytes: &[u8],
    begin: impl FnOnce() -> io::Result<Arc<dyn OpenFile>>,
) -> io::Result<(Arc<dyn OpenFile>, u64)> {
    let (file, length) = match so_far {
        Some(so_far) => so_far,
        None => (begin()?, 0),
    };
    if offset != length {
        return Err(io::Error::other(format!(
            "a piece at {offset} does not follow {length} bytes"
        )));
    }
    file.write_at(offset, bytes)?;
    Ok((file, offset + bytes.len() as u64))
}

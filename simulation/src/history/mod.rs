//! What happened: every call that a client made with its answer, and every fault, by one monotonic clock. The checker
//! judges this and nothing else.

mod answer;
mod call;
mod closing;
mod disturbance;
mod ids;
mod moment;
mod recorder;

pub use answer::{Answer, Done};
pub use call::{Call, Rotation, Status};
pub use closing::{Closing, ClosingAgent};
pub use disturbance::{Disturbance, Effect};
pub use ids::{AgentId, CredentialId, KeyId, NodeId, TokenId};
pub use moment::Moment;
pub use recorder::Recorder;

/// A call and its answer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When the client began to call.
    pub started: Moment,
    /// When it had the answer, or gave up.
    pub ended: Moment,
    /// Which node it called.
    pub node: NodeId,
    /// What it asked for.
    pub call: Call,
    /// What it heard.
    pub answer: Answer,
}

/// Everything, in the order in which the answers came.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Calls.
    pub entries: Vec<Entry>,
    /// Faults.
    pub disturbances: Vec<Disturbance>,
    /// Requests of the client that goes on until it is served: what it wanted, and how long it took; `None` if it was
    /// never served.
    pub steady: Vec<(Moment, Option<Moment>)>,
    /// What was there at the end.
    pub closing: Closing,
}

//! An operator's order to replace signing keys, given to one node, and what comes of it.

use std::sync::Arc;

use cluster::ClusterHandle;
use domain::ports::{Entropy, KeyStepError, SigningKeys as _};
use domain::{Applied, KeyOrder, NewSigningKey, SigningAlgorithm, Urgency};
use protocol::jose::generate_key;

use crate::history::{Answer, Call, Done, Moment, NodeId, Rotation};
use crate::random::Random;
use crate::world::{Errand, Progress, SeededEntropy, World};

/// Where the operator sits: what the schedule does is told apart by having no such address.
const ORDERED_FROM: &str = "192.0.2.2";

/// An order that was given.
pub(super) struct GivenOrder {
    node: u64,
    rotation: Rotation,
    given: Moment,
    /// Until it is known what came of it.
    errand: Option<Errand<Result<Applied, KeyStepError>>>,
    is_done: bool,
}

impl GivenOrder {
    /// Gives it to a node; `None` if there is no node.
    pub(super) fn give(world: &World, random: &mut Random, node: u64, rotation: Rotation) -> Option<Self> {
        let order = KeyOrder {
            keys: keys(random)?,
            urgency: match rotation {
                Rotation::Ahead => Urgency::Ahead,
                Rotation::Emergency => Urgency::Emergency,
            },
            ordered_from: Some(ORDERED_FROM.to_owned()),
        };
        let carry_out = move |cluster: ClusterHandle| async move { cluster.carry_out(order).await };
        Some(Self {
            node,
            rotation,
            given: world.recorder.now(),
            errand: Some(world.ask(node, carry_out)?),
            is_done: false,
        })
    }

    /// Looks what came of it, and notes it once it is known.
    pub(super) fn go_on(&mut self, world: &World) {
        let Some(errand) = &mut self.errand else { return };
        let answer = match errand.progress() {
            Progress::UnderWay => return,
            Progress::Done(Ok(_)) => Answer::Done(Done::Plain),
            Progress::Done(Err(KeyStepError::Refused(reason))) => Answer::Refused(409, reason),
            Progress::Done(Err(_)) => Answer::Unavailable(503),
            Progress::Lost => Answer::Lost,
        };
        self.errand = None;
        self.is_done = answer.is_done();
        world.note(format_args!("keys were ordered: {answer:?}"));
        let call = Call::RotateKeys(self.rotation);
        world.recorder.note(self.given, NodeId(self.node), call, answer);
    }

    /// Whether it is known what came of it.
    pub(super) fn is_answered(&self) -> bool {
        self.errand.is_none()
    }

    /// Whether it is known to be carried out.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }
}

/// One of the algorithm that tokens are signed with, and perhaps another. There are too few RSA keys for this.
fn keys(random: &mut Random) -> Option<Vec<NewSigningKey>> {
    let algorithms = [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256];
    let count = 1 + random.below(algorithms.len());
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(random.branch(1)));
    let make = |algorithm: &SigningAlgorithm| {
        let key = generate_key(*algorithm, entropy.as_ref()).ok()?;
        Some(NewSigningKey {
            key_id: key.key_id,
            algorithm: key.algorithm,
            pkcs8: key.pkcs8,
            public_jwk: key.public_jwk,
        })
    };
    algorithms[..count].iter().map(make).collect()
}

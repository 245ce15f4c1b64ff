//! An operator has signing keys replaced: as a rule ahead of time, which nobody notices, sometimes in an emergency, which kills
//! all that they have signed.

use std::sync::Arc;

use cluster::ClusterHandle;
use domain::ports::{Entropy, KeyStepError, SigningKeys as _};
use domain::{Applied, KeyOrder, NewSigningKey, SigningAlgorithm, Urgency};
use protocol::jose::generate_key;

use super::{Begun, Fault, some_node};
use crate::history::{Answer, Call, Done, Moment, NodeId, Rotation};
use crate::random::Random;
use crate::world::{Errand, Progress, SeededEntropy, World};

/// How many of a thousand orders are emergencies.
const EMERGENCIES_PER_MILLE: u16 = 250;

struct KeysRotated {
    node: u64,
    rotation: Rotation,
    ordered: Moment,
    /// Until it is known what came of it.
    order: Option<Errand<Result<Applied, KeyStepError>>>,
}

impl Fault for KeysRotated {
    fn go_on(&mut self, world: &World) {
        let Some(order) = &mut self.order else { return };
        let answer = match order.progress() {
            Progress::UnderWay => return,
            Progress::Done(Ok(_)) => Answer::Done(Done::Plain),
            Progress::Done(Err(KeyStepError::Refused(reason))) => Answer::Refused(409, reason),
            Progress::Done(Err(_)) => Answer::Unavailable(503),
            Progress::Lost => Answer::Lost,
        };
        self.order = None;
        world.note(format_args!("keys were ordered: {answer:?}"));
        let call = Call::RotateKeys(self.rotation);
        world.recorder.note(self.ordered, NodeId(self.node), call, answer);
    }

    fn may_end(&self) -> bool {
        self.order.is_none()
    }

    fn end(&mut self, _world: &World) {}
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let (rotation, urgency) = if random.happens(EMERGENCIES_PER_MILLE) {
        (Rotation::Emergency, Urgency::Emergency)
    } else {
        (Rotation::Ahead, Urgency::Ahead)
    };
    let order = KeyOrder {
        keys: keys(random)?,
        urgency,
        ordered_from: None,
    };
    let carry_out = move |cluster: ClusterHandle| async move { cluster.carry_out(order).await };
    let fault = KeysRotated {
        node,
        rotation,
        ordered: world.recorder.now(),
        order: Some(world.ask(node, carry_out)?),
    };
    Some(Begun {
        fault: Box::new(fault),
        effects: Vec::new(),
        whom: format!("at node {node}: {rotation:?}"),
    })
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

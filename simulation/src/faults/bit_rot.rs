//! A bit flips in what a node has written, and the node is started anew. What reads it must notice: the node goes on as if
//! nothing had happened only if nothing has happened to it, or if it could mend itself; else it does not start, and the
//! operator replaces it.
//!
//! The log rots while the node is stopped. Of a log that was not closed, damage to the very last round can't be told from a
//! round that was never finished, so nobody can be held to noticing that. A snapshot rots at any time.

use std::time::Duration;

use cluster::Founding;

use super::operation::{self, Work, some_member};
use super::replacing::Replacing;
use super::stopping::Stopping;
use super::{Begun, lagging};
use crate::random::Random;
use crate::world::{Ended, Host, World};

const LOG: &str = "log.redb";
const SNAPSHOT: &str = "state.snapshot";
/// How long a node goes on over a rotten snapshot at most.
const UNNOTICED_MAX: Duration = Duration::from_secs(4);

struct BitRot {
    node: u64,
    random: Random,
    step: Step,
}

enum Step {
    /// The snapshot is rotten; the node has no reason to look at it yet.
    Unnoticed(Duration),
    Stop(Stopping),
    Start,
    Replace(Replacing),
    Done,
}

impl Work for BitRot {
    fn go_on(&mut self, world: &World) {
        let Some(host) = world.host(self.node) else { return };
        match &mut self.step {
            Step::Unnoticed(until) if world.now() >= *until => {
                self.step = Step::Stop(Stopping::begin(world, self.node));
            }
            Step::Stop(stopping) => {
                let Some(ended) = stopping.ended(world) else { return };
                if ended == Ended::Well {
                    self.rot(world, host);
                }
                world.start(self.node, Founding::Join);
                self.step = Step::Start;
            }
            Step::Start if matches!(host.ended(), Some(Ended::Damaged(_))) => {
                world.leave_down(self.node);
                self.step = Step::Replace(Replacing::member(self.node));
            }
            Step::Start if world.is_serving(self.node) => self.step = Step::Done,
            Step::Replace(replacing) => {
                replacing.go_on(world);
                if replacing.is_done() {
                    self.step = Step::Done;
                }
            }
            Step::Unnoticed(_) | Step::Start | Step::Done => {}
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.step, Step::Done)
    }
}

impl BitRot {
    /// One of the files of a node that is stopped.
    fn rot(&mut self, world: &World, host: &Host) {
        let names = if self.random.happens(500) {
            [LOG, SNAPSHOT]
        } else {
            [SNAPSHOT, LOG]
        };
        let mut rotten = names.iter().filter_map(|name| rot(world, host, name, &mut self.random));
        // At the latest the log is there.
        let _ = rotten.next();
    }
}

fn rot(world: &World, host: &Host, name: &str, random: &mut Random) -> Option<u64> {
    let place = host.disk.rot(name, random)?;
    world.note(format_args!("byte {place} of {name} of node {} rots", host.node_id));
    Some(place)
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_member(world, random)?;
    let effects = lagging(world, &[node]);
    let is_snapshot = random.happens(300) && rot(world, world.host(node)?, SNAPSHOT, random).is_some();
    let step = if is_snapshot {
        Step::Unnoticed(world.now() + random.up_to(UNNOTICED_MAX))
    } else {
        Step::Stop(Stopping::begin(world, node))
    };
    let work = BitRot {
        node,
        random: random.branch(1),
        step,
    };
    Some(operation::begin(world, node, work, effects, format!("node {node}")))
}

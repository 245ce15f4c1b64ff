//! How an operator stops a node: by asking it to, and by killing it if that takes too long.

use std::time::Duration;

use crate::world::{Ended, World};

/// How long a node may take to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// A node that is to stop.
pub(super) struct Stopping {
    node: u64,
    kill_at: Duration,
}

impl Stopping {
    /// Asks it to stop.
    pub(super) fn begin(world: &World, node: u64) -> Self {
        world.stop(node);
        Self {
            node,
            kill_at: world.now() + PATIENCE,
        }
    }

    /// How it has ended, if it has by now; then it stays away until it is started.
    pub(super) fn ended(&self, world: &World) -> Option<Ended> {
        let host = world.host(self.node)?;
        if host.ended().is_none() && world.now() >= self.kill_at {
            world.kill(self.node);
        }
        let ended = host.ended()?;
        world.leave_down(self.node);
        Some(ended)
    }
}

//! What all clients share: where the nodes are, who the administrator is, what there is, and the history.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::client::Client;
use super::population::Population;
use super::wire::Wire;
use crate::history::{NodeId, Recorder};
use crate::lock::lock;

/// A node that clients know of.
#[derive(Clone)]
pub struct Target {
    /// Its number.
    pub node: NodeId,
    /// Where it serves agents.
    pub url: String,
}

/// Shared by all clients of a run.
pub struct Shared {
    /// Where calls are noted.
    pub recorder: Recorder,
    pub(super) wire: Arc<dyn Wire>,
    pub(super) admin: Client,
    targets: RwLock<Vec<Target>>,
    population: Mutex<Population>,
    admin_token: Mutex<Option<String>>,
}

impl Shared {
    /// Nobody and nothing yet.
    pub fn new(wire: Arc<dyn Wire>, admin: Client, recorder: Recorder) -> Self {
        Self {
            recorder,
            wire,
            admin,
            targets: RwLock::default(),
            population: Mutex::default(),
            admin_token: Mutex::default(),
        }
    }

    /// The nodes that clients know of from now on.
    pub fn set_targets(&self, targets: Vec<Target>) {
        *self.targets.write().unwrap_or_else(PoisonError::into_inner) = targets;
    }

    pub(super) fn targets(&self) -> Vec<Target> {
        self.targets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn population(&self) -> MutexGuard<'_, Population> {
        lock(&self.population)
    }

    pub(super) fn admin_token(&self) -> Option<String> {
        let known = lock(&self.admin_token);
        known.clone()
    }

    pub(super) fn set_admin_token(&self, token: Option<String>) {
        *lock(&self.admin_token) = token;
    }
}

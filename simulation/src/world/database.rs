//! The database: one for all nodes, on a machine of its own, that each node reaches by a way of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::StoreError;
use storage::{Link, SharedMemory, Stores};

use crate::lock::lock;
use crate::random::Random;

/// How long a node waits for a database that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the database does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    Well,
    /// Connections are refused.
    Refusing,
    /// Requests are not answered.
    Silent,
    /// So many answers of a thousand are lost, though the work is done: as when it fails over.
    Forgetful(u16),
}

/// The database. Copies are the same one.
#[derive(Clone)]
pub struct Database {
    memory: SharedMemory,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    one_way: Duration,
    random: Random,
}

impl Database {
    /// An empty one, this far from every node.
    pub fn new(one_way: Duration, random: Random) -> Result<Self, StoreError> {
        let state = State {
            mood: Mood::Well,
            one_way,
            random,
        };
        Ok(Self {
            memory: SharedMemory::new()?,
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// A node's stores.
    pub fn stores(&self) -> Stores {
        Stores::embedded(self.memory.store(Arc::new(Way(self.state.clone()))))
    }

    /// How it does from now on.
    pub fn set_mood(&self, mood: Mood) {
        lock(&self.state).mood = mood;
    }
}

/// A node's way to it.
struct Way(Arc<Mutex<State>>);

#[async_trait]
impl Link for Way {
    async fn go(&self) -> Result<(), StoreError> {
        let (mood, one_way) = {
            let state = lock(&self.0);
            (state.mood, state.one_way)
        };
        match mood {
            Mood::Well | Mood::Forgetful(_) => {
                tokio::time::sleep(one_way).await;
                Ok(())
            }
            Mood::Refusing => {
                tokio::time::sleep(one_way).await;
                Err(StoreError::Unavailable("connection refused".to_owned()))
            }
            Mood::Silent => silence().await,
        }
    }

    async fn come_back(&self) -> Result<(), StoreError> {
        let (is_lost, one_way) = {
            let mut state = lock(&self.0);
            let is_lost = match state.mood {
                Mood::Well => false,
                Mood::Refusing => true,
                Mood::Silent => true,
                Mood::Forgetful(per_mille) => state.random.happens(per_mille),
            };
            (is_lost, state.one_way)
        };
        if is_lost {
            return silence().await;
        }
        tokio::time::sleep(one_way).await;
        Ok(())
    }
}

async fn silence() -> Result<(), StoreError> {
    tokio::time::sleep(PATIENCE).await;
    Err(StoreError::Unavailable("no answer came in time".to_owned()))
}

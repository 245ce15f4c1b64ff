//! What those notice who ask the survivors while the leader is killed.
#![allow(clippy::disallowed_methods, reason = "a load generator measures real time")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use e2e::Client;
use tokio::task::LocalSet;

use super::trio::Trio;
use crate::connection::{Connection, find};
use crate::request;
use crate::tokens::Token;

/// How long before the leader is killed everything runs.
const BEFORE: Duration = Duration::from_millis(500);
/// How long after writes have resumed everything goes on.
const AFTER: Duration = Duration::from_millis(500);
/// When it is given up that writes resume.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was noticed.
#[derive(Default)]
pub struct Noticed {
    /// The longest time without a good answer to those who introspect or take tokens.
    pub reads_gap: Duration,
    /// How many answers of theirs were not good.
    pub reads_failed: u64,
    /// How many were good.
    pub reads: u64,
    /// From the kill to the answer of the first revocation that was asked for after it.
    pub writes_resumed: Duration,
    /// How many revocations were refused.
    pub writes_failed: u64,
}

struct Shared {
    killed_at: Cell<Option<Instant>>,
    resumed_at: Cell<Option<Instant>>,
    noticed: Cell<Noticed>,
}

impl Shared {
    fn note(&self, note: impl FnOnce(&mut Noticed)) {
        let mut noticed = self.noticed.take();
        note(&mut noticed);
        self.noticed.set(noticed);
    }

    fn is_over(&self) -> bool {
        let patience = |killed: Instant| killed.elapsed() > PATIENCE;
        self.resumed_at.get().is_some_and(|at| at.elapsed() > AFTER) || self.killed_at.get().is_some_and(patience)
    }
}

/// Kills the leader while the survivors are asked; it is down when this returns. The tokens are used up.
pub async fn measure(trio: &mut Trio, clients: &[Client], tokens: &[Token]) -> (u64, Noticed) {
    let leader = trio.leader(1).await;
    let survivors: Vec<u64> = (1..=3).filter(|node_id| *node_id != leader).collect();
    let (kept, used_up) = tokens.split_first().expect("there are tokens");
    let introspect = request::introspect(&clients[kept.client], &kept.text);
    let take = request::token(&clients[0]);
    let shared = Rc::new(Shared {
        killed_at: Cell::new(None),
        resumed_at: Cell::new(None),
        noticed: Cell::default(),
    });
    let tasks = LocalSet::new();
    for node_id in &survivors {
        for (request, good) in [(&introspect, "\"active\":true"), (&take, "\"access_token\"")] {
            let connection = open(trio, *node_id).await;
            tasks.spawn_local(read(Rc::clone(&shared), connection, request.clone(), good));
        }
    }
    let revoke = |token: &Token| request::revoke(&clients[token.client], &token.text);
    let revocations = used_up.iter().map(revoke).collect();
    let connection = open(trio, survivors[0]).await;
    tasks.spawn_local(write(Rc::clone(&shared), connection, revocations));
    tasks
        .run_until(async {
            tokio::time::sleep(BEFORE).await;
            trio.kill(leader);
            shared.killed_at.set(Some(Instant::now()));
        })
        .await;
    tasks.await;
    (leader, shared.noticed.take())
}

async fn open(trio: &Trio, node_id: u64) -> Connection {
    let opened = Connection::open(trio.address(node_id)).await;
    opened.expect("the node accepts connections")
}

async fn read(shared: Rc<Shared>, mut connection: Connection, request: Vec<u8>, good: &'static str) {
    let mut good_at = Instant::now();
    while !shared.is_over() {
        let answer = connection.ask(&request).await.expect("a survivor answers");
        let is_good = answer.status == 200 && find(answer.body, good.as_bytes()).is_some();
        let gap = good_at.elapsed();
        shared.note(|noticed| {
            noticed.reads_gap = noticed.reads_gap.max(gap);
            noticed.reads += u64::from(is_good);
            noticed.reads_failed += u64::from(!is_good);
        });
        if is_good {
            good_at = Instant::now();
        }
        // Four of these must not take all that the machine has.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn write(shared: Rc<Shared>, mut connection: Connection, revocations: Vec<Vec<u8>>) {
    for revocation in revocations {
        if shared.is_over() {
            return;
        }
        let killed_before = shared.killed_at.get();
        let status = connection.ask(&revocation).await.expect("a survivor answers").status;
        if status != 200 {
            shared.note(|noticed| noticed.writes_failed += 1);
        } else if let Some(killed_at) = killed_before
            && shared.resumed_at.get().is_none()
        {
            shared.resumed_at.set(Some(Instant::now()));
            shared.note(|noticed| noticed.writes_resumed = killed_at.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

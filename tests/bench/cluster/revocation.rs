//! How long a revocation takes: until it is answered, and until every node has refused the token.
#![allow(clippy::disallowed_methods, reason = "a load generator measures real time")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use e2e::Client;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use super::trio::Trio;
use crate::connection::{Connection, find};
use crate::load::Outcome;
use crate::request;
use crate::tokens::Token;

/// How long a node may go on vouching for a token before that is given up.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);

/// What is measured.
pub struct Wanted {
    /// The node that is asked to revoke.
    pub node_id: u64,
    /// How many do so at the same time.
    pub clients: usize,
    /// For how long,
    pub duration: Duration,
    /// and for at least so many revocations.
    pub samples_min: u64,
}

/// What was measured.
pub struct Measured {
    /// From the request to its answer, in microseconds.
    pub answered: Histogram<u64>,
    /// From the request until all nodes have answered that the token is dead; includes one introspection at each.
    pub refused: Histogram<u64>,
    /// Tokens for which a node still vouched when it was first asked after the revocation's answer.
    pub vouched: u64,
    /// Revocations that were not answered as they should be.
    pub failed: u64,
}

struct Shared {
    tokens: Vec<(Vec<u8>, Vec<u8>)>,
    next: Cell<usize>,
    end: Instant,
    samples_min: u64,
    measured: RefCell<Measured>,
}

/// Revokes these tokens, one after the other and each once.
pub async fn measure(trio: &Trio, wanted: &Wanted, clients: &[Client], tokens: &[Token]) -> Measured {
    let prepare = |token: &Token| {
        let client = &clients[token.client];
        (
            request::revoke(client, &token.text),
            request::introspect(client, &token.text),
        )
    };
    let empty = || Outcome::nothing().latencies;
    let shared = Rc::new(Shared {
        tokens: tokens.iter().map(prepare).collect(),
        next: Cell::new(0),
        end: Instant::now() + wanted.duration,
        samples_min: wanted.samples_min,
        measured: RefCell::new(Measured {
            answered: empty(),
            refused: empty(),
            vouched: 0,
            failed: 0,
        }),
    });
    let tasks = LocalSet::new();
    for _ in 0..wanted.clients {
        let revoker = open(trio, wanted.node_id).await;
        let askers = [open(trio, 1).await, open(trio, 2).await, open(trio, 3).await];
        tasks.spawn_local(work(Rc::clone(&shared), revoker, askers));
    }
    tasks.await;
    let shared = Rc::into_inner(shared).expect("all tasks have ended");
    shared.measured.into_inner()
}

async fn open(trio: &Trio, node_id: u64) -> Connection {
    let opened = Connection::open(trio.address(node_id)).await;
    opened.expect("the node accepts connections")
}

impl Shared {
    fn take(&self) -> Option<usize> {
        let is_enough = self.measured.borrow().answered.len() >= self.samples_min;
        let index = self.next.get();
        if (is_enough && Instant::now() >= self.end) || index == self.tokens.len() {
            return None;
        }
        self.next.set(index + 1);
        Some(index)
    }
}

async fn work(shared: Rc<Shared>, mut revoker: Connection, [mut one, mut two, mut three]: [Connection; 3]) {
    while let Some(index) = shared.take() {
        let (revoke, introspect) = &shared.tokens[index];
        let begun_at = Instant::now();
        let status = revoker.ask(revoke).await.expect("the node answers").status;
        let answered = begun_at.elapsed();
        let asked = tokio::join!(
            vouches(&mut one, introspect),
            vouches(&mut two, introspect),
            vouches(&mut three, introspect)
        );
        let refused = begun_at.elapsed();
        let mut measured = shared.measured.borrow_mut();
        if status != 200 {
            measured.failed += 1;
            continue;
        }
        measured.answered.saturating_record(micros(answered));
        measured.refused.saturating_record(micros(refused));
        measured.vouched += u64::from(asked.0) + u64::from(asked.1) + u64::from(asked.2);
    }
}

/// Asks a node about a token until it is dead there; true if it was not at once.
async fn vouches(connection: &mut Connection, introspect: &[u8]) -> bool {
    let (begun_at, mut has_vouched) = (Instant::now(), false);
    loop {
        let answer = connection.ask(introspect).await.expect("the node answers");
        if find(answer.body, b"\"active\":false").is_some() {
            return has_vouched;
        }
        // A node that can't prove its view says 503: it does not vouch.
        has_vouched |= answer.status == 200;
        assert!(
            begun_at.elapsed() < REFUSED_WITHIN,
            "a node goes on vouching for a dead token"
        );
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

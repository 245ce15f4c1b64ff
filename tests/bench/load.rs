//! A closed loop: every connection sends its next request when the answer to the last one is there.
#![allow(clippy::disallowed_methods, reason = "a load generator measures real time")]

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::connection::{Connection, find};

/// What is sent: prepared requests in turn, for ever or each once.
pub struct Load {
    /// The requests.
    pub requests: Vec<Vec<u8>>,
    /// How many are sent at most, counted over all connections.
    pub limit: usize,
    /// What the body of every answer holds; empty if nothing is expected of it.
    pub expected: &'static str,
    /// Whether the answers' bodies are kept.
    pub keep_bodies: bool,
}

/// Where to, over how many connections and for how long.
#[derive(Clone, Copy)]
pub struct Drive {
    /// The node.
    pub address: SocketAddr,
    /// Connections.
    pub connections: usize,
    /// After this time no new request is sent.
    pub duration: Duration,
}

/// What came of it.
pub struct Outcome {
    /// Answers, whatever they were.
    pub requests: u64,
    /// Answers that were no 2xx.
    pub refused: u64,
    /// 2xx answers that did not hold what was expected.
    pub unexpected: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Latencies in microseconds.
    pub latencies: Histogram<u64>,
    /// The index of the request and the body of the answer, if they were to be kept.
    pub bodies: Vec<(usize, Vec<u8>)>,
}

impl Load {
    /// These requests, round and round.
    pub fn cycle(requests: Vec<Vec<u8>>, expected: &'static str) -> Self {
        Self {
            requests,
            limit: usize::MAX,
            expected,
            keep_bodies: false,
        }
    }

    /// Each of these requests once.
    pub fn once(requests: Vec<Vec<u8>>, expected: &'static str) -> Self {
        let limit = requests.len();
        Self {
            requests,
            limit,
            expected,
            keep_bodies: false,
        }
    }

    /// Sends the requests.
    pub async fn run(self, drive: Drive) -> Outcome {
        let mut connections = Vec::new();
        for _ in 0..drive.connections {
            connections.push(
                Connection::open(drive.address)
                    .await
                    .expect("the node accepts connections"),
            );
        }
        let start = Instant::now();
        let shared = Rc::new(Shared {
            load: self,
            next: Cell::new(0),
            end: start + drive.duration,
        });
        let tasks = LocalSet::new();
        let running: Vec<_> = connections
            .into_iter()
            .map(|connection| tasks.spawn_local(work(connection, Rc::clone(&shared))))
            .collect();
        tasks.await;
        let mut outcome = Outcome::nothing();
        for task in running {
            outcome.add(task.await.expect("a connection's task does not panic"));
        }
        outcome.elapsed = start.elapsed();
        outcome
    }
}

struct Shared {
    load: Load,
    next: Cell<usize>,
    end: Instant,
}

impl Shared {
    fn take(&self) -> Option<usize> {
        let index = self.next.get();
        self.next.set(index + 1);
        (index < self.load.limit).then_some(index)
    }
}

async fn work(mut connection: Connection, shared: Rc<Shared>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let mut now = Instant::now();
    while now < shared.end {
        let Some(index) = shared.take() else { break };
        let request = &shared.load.requests[index % shared.load.requests.len()];
        let answer = connection.ask(request).await.expect("the node answers every request");
        let sent = std::mem::replace(&mut now, Instant::now());
        let micros = u64::try_from((now - sent).as_micros()).unwrap_or(u64::MAX);
        outcome.latencies.saturating_record(micros);
        outcome.requests += 1;
        if !(200..300).contains(&answer.status) {
            outcome.refused += 1;
        } else if !holds(answer.body, shared.load.expected) {
            outcome.unexpected += 1;
        } else if shared.load.keep_bodies {
            outcome.bodies.push((index, answer.body.to_vec()));
        }
    }
    outcome
}

fn holds(body: &[u8], expected: &str) -> bool {
    expected.is_empty() || find(body, expected.as_bytes()).is_some()
}

impl Outcome {
    /// Before anything was sent.
    pub fn nothing() -> Self {
        const MINUTE_IN_MICROS: u64 = 60_000_000;
        Self {
            requests: 0,
            refused: 0,
            unexpected: 0,
            elapsed: Duration::ZERO,
            latencies: Histogram::new_with_bounds(1, MINUTE_IN_MICROS, 3).expect("sensible bounds"),
            bodies: Vec::new(),
        }
    }

    /// Takes in what another connection or round saw; times add up.
    pub fn add(&mut self, other: Outcome) {
        self.requests += other.requests;
        self.refused += other.refused;
        self.unexpected += other.unexpected;
        self.elapsed += other.elapsed;
        self.latencies.add(&other.latencies).expect("the bounds are the same");
        self.bodies.extend(other.bodies);
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

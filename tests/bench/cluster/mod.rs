//! The part about three nodes: revocation near and far, the rate of revocations, followers against a single node, the
//! loss of the leader, and many live revocations.

mod failover;
mod followers;
mod rate;
mod relay;
mod revocation;
mod trio;
mod volume;

use std::time::Duration;

use clap::ValueEnum;
use e2e::{Backend, Client};

use self::trio::Trio;
use crate::report::Report;
use crate::tokens;

/// Something that can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// From a revocation to its answer and to being refused at every node, over distances.
    Revocation,
    /// How many revocations a second.
    Rate,
    /// Introspection and issuance on a follower against a single node.
    Followers,
    /// The leader is killed.
    Failover,
    /// Many live revocations.
    Volume,
}

impl Part {
    /// All of them.
    pub const ALL: &'static [Part] = &[
        Part::Revocation,
        Part::Rate,
        Part::Followers,
        Part::Failover,
        Part::Volume,
    ];
}

/// What is to be measured on three nodes.
pub struct ClusterPlan {
    /// Which parts.
    pub parts: Vec<Part>,
    /// Where rows are kept.
    pub stores: Vec<Backend>,
    /// Added round trips between nodes.
    pub round_trips: Vec<Duration>,
    /// Numbers of clients.
    pub connections: Vec<usize>,
    /// How long one measurement lasts.
    pub duration: Duration,
    /// How many there are of those that are repeated.
    pub rounds: usize,
    /// The fewest revocations that latencies are told of.
    pub samples_min: u64,
    /// How many tokens are revoked for the rate.
    pub rate_tokens: usize,
    /// How many revocations are many.
    pub live_revocations: usize,
    /// Over how many agents requests are spread.
    pub agents: usize,
}

/// Measures all parts.
pub async fn run(plan: &ClusterPlan, report: &mut Report) {
    for store in plan.stores.iter().copied() {
        if plan.parts.contains(&Part::Revocation) {
            revocations(store, plan, report).await;
        }
        if plan.parts.iter().any(|part| *part != Part::Revocation) {
            next_door(store, plan, report).await;
        }
    }
}

async fn revocations(store: Backend, plan: &ClusterPlan, report: &mut Report) {
    report.revocation_head(store);
    for round_trip in plan.round_trips.iter().copied() {
        let trio = Trio::start(store, round_trip).await;
        let clients = trio.clients(plan.agents).await;
        for connections in plan.connections.iter().copied() {
            for is_leader in [true, false] {
                let leader = trio.leader(1).await;
                let node_id = if is_leader { leader } else { trio.followers().await[0] };
                let wanted = revocation::Wanted {
                    node_id,
                    clients: connections,
                    duration: plan.duration,
                    samples_min: plan.samples_min,
                };
                let tokens = tokens_for(&trio, &wanted, round_trip, &clients).await;
                let measured = revocation::measure(&trio, &wanted, &clients, &tokens).await;
                let asked = if is_leader { "leader" } else { "follower" };
                report.revocation(store, (round_trip, asked, connections), &measured);
            }
        }
    }
}

/// More than enough for the time that it lasts.
async fn tokens_for(
    trio: &Trio,
    wanted: &revocation::Wanted,
    round_trip: Duration,
    clients: &[Client],
) -> Vec<tokens::Token> {
    const FASTEST: Duration = Duration::from_millis(2);
    const RATE_MAX: f64 = 4_000.0;
    let each = round_trip.max(FASTEST).as_secs_f64();
    let rate = (wanted.clients as f64 / each).min(RATE_MAX);
    let count = (rate * wanted.duration.as_secs_f64()) as usize;
    let samples = usize::try_from(wanted.samples_min).unwrap_or(usize::MAX);
    tokens::take(trio.address(1), clients, count.max(samples + wanted.clients)).await
}

/// What needs no distance is measured on one cluster.
async fn next_door(store: Backend, plan: &ClusterPlan, report: &mut Report) {
    let mut trio = Trio::start(store, Duration::ZERO).await;
    let clients = trio.clients(plan.agents).await;
    if plan.parts.contains(&Part::Rate) {
        for connections in plan.connections.iter().copied() {
            let count = if connections == 1 {
                plan.rate_tokens / 10
            } else {
                plan.rate_tokens
            };
            let measured = rate::revoke(&trio, &clients, connections, count.max(connections)).await;
            report.rate(store, connections, &measured);
        }
    }
    if plan.parts.contains(&Part::Followers) {
        let compared = followers::compare(&trio, (store, plan.agents), plan.rounds, plan.duration).await;
        report.followers(store, &compared);
    }
    if plan.parts.contains(&Part::Failover) {
        for _ in 0..plan.rounds {
            let used_up = tokens::take(trio.address(1), &clients, 20_000.min(plan.rate_tokens)).await;
            let (killed, noticed) = failover::measure(&mut trio, &clients, &used_up).await;
            report.failover(store, &noticed);
            trio.start_again(killed);
            trio.ready(killed).await;
        }
    }
    if plan.parts.contains(&Part::Volume) {
        let measured = volume::measure(&mut trio, &clients, plan.live_revocations, plan.duration).await;
        report.volume(store, &measured);
    }
}

pub use failover::Noticed;
pub use followers::Compared;
pub use rate::Measured as Rate;
pub use revocation::Measured as Revocations;
pub use volume::Measured as Volume;

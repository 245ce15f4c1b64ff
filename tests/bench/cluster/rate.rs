//! How many revocations a second three nodes take together.

use std::time::Duration;

use e2e::Client;

use super::trio::Trio;
use crate::load::{Drive, Load, Outcome};
use crate::scenario::Scenario;
use crate::tokens::{self, Token};
use crate::usage;

/// Long enough for any number of tokens: it is over when all are revoked.
const LONGEST: Duration = Duration::from_secs(600);

/// What was measured.
pub struct Measured {
    /// Of all nodes together.
    pub outcome: Outcome,
    /// CPU seconds of all nodes for 1,000 revocations.
    pub cpu_per_thousand: f64,
    /// How many revocations share an entry of the replicated log.
    pub per_entry: f64,
}

/// Takes so many tokens and revokes each, spread over the three nodes.
pub async fn revoke(trio: &Trio, clients: &[Client], connections: usize, count: usize) -> Measured {
    let tokens = tokens::take(trio.address(1), clients, count).await;
    let third = count.div_ceil(3);
    let parts: Vec<&[Token]> = tokens.chunks(third).collect();
    let drives: Vec<Drive> = (trio.addresses().into_iter().enumerate())
        .map(|(number, address)| Drive {
            address,
            connections: (connections + 2 - number) / 3,
            duration: LONGEST,
        })
        .collect();
    let cpu_seconds = || {
        (1..=3)
            .map(|node_id| usage::cpu_seconds(trio.pid(node_id)))
            .sum::<f64>()
    };
    let (before, entries_before) = (cpu_seconds(), entries(trio).await);
    let run = async |part: usize| match parts.get(part) {
        Some(tokens) if drives[part].connections > 0 => {
            let load: Load = Scenario::Revoke.load(clients, tokens);
            load.run(drives[part]).await
        }
        _ => Outcome::nothing(),
    };
    let (one, two, three) = tokio::join!(run(0), run(1), run(2));
    let elapsed = one.elapsed.max(two.elapsed).max(three.elapsed);
    let mut outcome = one;
    outcome.add(two);
    outcome.add(three);
    outcome.elapsed = elapsed;
    let cpu_per_thousand = (cpu_seconds() - before) * 1000.0 / outcome.requests as f64;
    let per_entry = outcome.requests as f64 / (entries(trio).await - entries_before).max(1.0);
    Measured {
        outcome,
        cpu_per_thousand,
        per_entry,
    }
}

async fn entries(trio: &Trio) -> f64 {
    let entries = trio.metric(1, "agentidp_raft_last_applied_index").await;
    entries.expect("a node says how much of the log it has applied")
}

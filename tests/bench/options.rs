//! What is measured, as asked for on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use e2e::{Backend, settings};

use crate::cluster::{ClusterPlan, Part};
use crate::scenario::Scenario;

/// Measures a node against its own static route.
#[derive(Parser)]
#[command(name = "agentidp-bench", about)]
pub struct Options {
    /// Everything for a fraction of a second: checks that it works, measures nothing worth quoting.
    #[arg(long)]
    smoke: bool,
    /// The usual measurement; this is the default.
    #[arg(long, conflicts_with = "smoke")]
    full: bool,
    /// How long each scenario runs in each round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How many rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(
        long,
        value_delimiter = ',',
        help = "Numbers of connections [default: 1,16,64, or 1,64 on three nodes]"
    )]
    connections: Vec<usize>,
    /// Stores; both, if AGENTIDP_TEST_POSTGRES_URL is set.
    #[arg(long = "stores", value_enum, value_delimiter = ',')]
    stores: Vec<StoreName>,
    /// Scenarios beside the static route; all by default.
    #[arg(long, value_enum, value_delimiter = ',')]
    scenarios: Vec<Scenario>,
    /// Over how many agents the requests are spread.
    #[arg(long, default_value_t = 64)]
    agents: usize,
    /// How many agents take a token while the node's memory is measured; 0 leaves that out.
    #[arg(long, default_value_t = 10_000)]
    memory_agents: usize,
    /// How many nodes: one, or, if it is more, three as a cluster.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3), default_value_t = 1)]
    nodes: u8,
    /// Of three nodes: what is measured; everything by default.
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,
    /// Of three nodes: round trips between them, in milliseconds, beyond what they take anyway.
    #[arg(long, value_delimiter = ',', default_value = "0,20,100")]
    round_trips: Vec<u64>,
    /// Of three nodes: how many live revocations are many.
    #[arg(long, default_value_t = 1_000_000)]
    live_revocations: usize,
    /// A file for the results, one JSON object a line.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StoreName {
    Embedded,
    Postgres,
}

/// The measurement to be made.
pub struct Plan {
    /// How long a cell lasts.
    pub duration: Duration,
    /// How often each cell is measured.
    pub rounds: usize,
    /// Numbers of connections.
    pub connections: Vec<usize>,
    /// Stores.
    pub stores: Vec<Backend>,
    /// Scenarios beside the static route.
    pub scenarios: Vec<Scenario>,
    /// Agents that the requests are spread over.
    pub agents: usize,
    /// Agents that take a token while memory is measured.
    pub memory_agents: usize,
    /// Where results go besides standard output.
    pub json: Option<PathBuf>,
    /// What is measured on three nodes, if not one is measured.
    pub cluster: Option<ClusterPlan>,
}

impl From<Options> for Plan {
    fn from(options: Options) -> Self {
        let stores = stores(&options.stores);
        let scenarios = match options.scenarios.as_slice() {
            [] => Scenario::ALL.to_vec(),
            chosen => chosen.to_vec(),
        };
        let smoke = options.smoke;
        let cluster = (options.nodes > 1).then(|| cluster(&options, stores.clone()));
        let connections = match options.connections.as_slice() {
            [] => vec![1, 16, 64],
            chosen => chosen.to_vec(),
        };
        Self {
            duration: Duration::from_secs_f64(if smoke { 0.2 } else { options.seconds }),
            rounds: if smoke { 1 } else { options.rounds },
            connections,
            stores,
            scenarios,
            agents: if smoke { 8 } else { options.agents },
            memory_agents: if smoke { 100 } else { options.memory_agents },
            json: options.json,
            cluster,
        }
    }
}

/// Everything that is measured on three nodes, or what was chosen; a smoke test leaves out what takes long to begin.
fn cluster(options: &Options, stores: Vec<Backend>) -> ClusterPlan {
    let smoke = options.smoke;
    let or = |chosen: &[usize], usual: &[usize]| {
        if chosen.is_empty() {
            usual.to_vec()
        } else {
            chosen.to_vec()
        }
    };
    let parts = match options.parts.as_slice() {
        [] => Part::ALL.to_vec(),
        chosen => chosen.to_vec(),
    };
    let round_trips: &[u64] = if smoke { &[20] } else { &options.round_trips };
    ClusterPlan {
        parts,
        stores: if smoke { vec![Backend::Embedded] } else { stores },
        round_trips: round_trips.iter().copied().map(Duration::from_millis).collect(),
        connections: or(&options.connections, if smoke { &[8] } else { &[1, 64] }),
        duration: Duration::from_secs_f64(if smoke { 0.2 } else { options.seconds }),
        rounds: if smoke { 1 } else { options.rounds },
        samples_min: if smoke { 8 } else { 150 },
        rate_tokens: if smoke { 500 } else { 30_000 },
        live_revocations: if smoke { 500 } else { options.live_revocations },
        agents: if smoke { 8 } else { options.agents },
    }
}

fn stores(names: &[StoreName]) -> Vec<Backend> {
    let chosen: Vec<Backend> = names
        .iter()
        .map(|name| match name {
            StoreName::Embedded => Backend::Embedded,
            StoreName::Postgres => Backend::Postgres,
        })
        .collect();
    match (chosen.is_empty(), settings::postgres_url()) {
        (false, _) => chosen,
        (true, Some(_)) => vec![Backend::Embedded, Backend::Postgres],
        (true, None) => vec![Backend::Embedded],
    }
}

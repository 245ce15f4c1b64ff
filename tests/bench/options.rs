//! What is measured, as asked for on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use e2e::{Backend, settings};

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
    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
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
}

impl From<Options> for Plan {
    fn from(options: Options) -> Self {
        let stores = stores(&options.stores);
        let scenarios = match options.scenarios.as_slice() {
            [] => Scenario::ALL.to_vec(),
            chosen => chosen.to_vec(),
        };
        let smoke = options.smoke;
        Self {
            duration: Duration::from_secs_f64(if smoke { 0.2 } else { options.seconds }),
            rounds: if smoke { 1 } else { options.rounds },
            connections: options.connections,
            stores,
            scenarios,
            agents: if smoke { 8 } else { options.agents },
            memory_agents: if smoke { 100 } else { options.memory_agents },
            json: options.json,
        }
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

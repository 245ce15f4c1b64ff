//! Everything on one store: a fresh node, its agents, and round after round of every scenario.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use e2e::{Backend, Client, Node, NodeOptions};

use crate::cell::{Cell, Sample};
use crate::load::Drive;
use crate::options::Plan;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::tokens::{self, Token};
use crate::usage;

/// How many tokens are introspected or used again and again.
const TOKENS_REUSED: usize = 64;
/// The most tokens that are taken for one sample of a scenario that uses them up.
const TOKENS_MAX: usize = 100_000;

/// Measures all scenarios on a fresh node.
pub async fn run(store: Backend, plan: &Plan, report: &mut Report) -> Vec<Cell> {
    let mut bench = Bench::start(store, plan).await;
    let mut cells = Vec::new();
    for connections in &plan.connections {
        let mut row: Vec<Cell> = std::iter::once(Scenario::Static)
            .chain(plan.scenarios.iter().copied())
            .map(|scenario| Cell {
                scenario,
                connections: *connections,
                samples: Vec::new(),
            })
            .collect();
        bench.warm_up(&row).await;
        for _ in 0..plan.rounds {
            bench
                .round(&mut row, plan.duration, |cell, sample| {
                    report.sample(store, cell, sample)
                })
                .await;
        }
        cells.extend(row);
    }
    cells
}

struct Bench {
    node: Node,
    address: SocketAddr,
    pid: u32,
    clients: Vec<Client>,
    reused: Vec<Token>,
    /// How fast a scenario last used tokens up, in requests a second.
    appetite: BTreeMap<&'static str, f64>,
}

impl Bench {
    async fn start(store: Backend, plan: &Plan) -> Self {
        let mut node = NodeOptions::on(store).start().await;
        let admin = node.admin().await;
        let mut clients = Vec::new();
        for _ in 0..plan.agents {
            clients.push(admin.new_client().await);
        }
        let address = node.place.address();
        let reused = tokens::take(address, &clients, TOKENS_REUSED).await;
        let pid = node.process().id();
        Self {
            node,
            address,
            pid,
            clients,
            reused,
            appetite: BTreeMap::new(),
        }
    }

    /// Once through everything, so that caches are warm and it is known how fast tokens are used up.
    async fn warm_up(&mut self, row: &[Cell]) {
        const WARM_UP: Duration = Duration::from_millis(200);
        self.appetite.clear();
        for cell in row {
            let sample = self.sample(cell.scenario, cell.connections, WARM_UP).await;
            self.appetite.insert(cell.scenario.name(), sample.outcome.rate());
        }
    }

    async fn round(&mut self, row: &mut [Cell], duration: Duration, mut report: impl FnMut(&Cell, &Sample)) {
        let mut static_rate = 0.0;
        for cell in row {
            let mut sample = self.sample(cell.scenario, cell.connections, duration).await;
            if cell.scenario == Scenario::Static {
                static_rate = sample.outcome.rate();
            }
            sample.static_rate = static_rate;
            report(cell, &sample);
            cell.samples.push(sample);
        }
    }

    async fn sample(&mut self, scenario: Scenario, connections: usize, duration: Duration) -> Sample {
        let fresh = match scenario.uses_tokens_up() {
            true => self.fresh_tokens(scenario, duration).await,
            false => Vec::new(),
        };
        let used = if scenario.uses_tokens_up() {
            &fresh
        } else {
            &self.reused
        };
        let load = scenario.load(&self.clients, used);
        let before = usage::cpu_seconds(self.pid);
        let outcome = load
            .run(Drive {
                address: self.address,
                connections,
                duration,
            })
            .await;
        let cpu_seconds = usage::cpu_seconds(self.pid) - before;
        if scenario == Scenario::Revoke {
            self.check_revoked(&fresh).await;
        }
        Sample {
            outcome,
            cpu_seconds,
            static_rate: f64::NAN,
        }
    }

    /// Enough for the sample, if the scenario is not much faster than it was before; a sample that has used them all
    /// ends early, which does its rate no harm.
    async fn fresh_tokens(&self, scenario: Scenario, duration: Duration) -> Vec<Token> {
        const RATE_AT_FIRST: f64 = 5_000.0;
        const RESERVE: f64 = 1.3;
        let rate = self.appetite.get(scenario.name()).copied().unwrap_or(RATE_AT_FIRST);
        let wanted = (rate * duration.as_secs_f64() * RESERVE) as usize;
        tokens::take(self.address, &self.clients, wanted.clamp(64, TOKENS_MAX)).await
    }

    /// The first of them has surely been revoked.
    async fn check_revoked(&self, tokens: &[Token]) {
        assert!(
            !self.node.is_active(&tokens[0].text).await,
            "a revoked token is still active"
        );
    }
}

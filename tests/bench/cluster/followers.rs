//! Whether a node of three that does not lead serves as fast as a node that is alone.

use std::time::Duration;

use e2e::{Backend, Client, Node, NodeOptions};

use super::trio::Trio;
use crate::load::Drive;
use crate::scenario::Scenario;
use crate::tokens::{self, Token};

const CONNECTIONS: usize = 16;
const TOKENS: usize = 64;

/// What is compared.
pub const SCENARIOS: [Scenario; 2] = [Scenario::IntrospectSeen, Scenario::Token];

/// Requests a second of one scenario, round by round.
pub struct Compared {
    /// What was asked.
    pub scenario: Scenario,
    /// Of a node that is alone, and of one that follows.
    pub rates: Vec<(f64, f64)>,
    /// Answers that were not what they should have been.
    pub failures: u64,
}

impl Compared {
    /// The follower's rate against the other's, the median of the rounds.
    pub fn ratio(&self) -> f64 {
        let mut ratios: Vec<f64> = self.rates.iter().map(|(alone, follows)| follows / alone).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

/// Measures one and the other by turns.
pub async fn compare(
    trio: &Trio,
    (store, agents): (Backend, usize),
    rounds: usize,
    duration: Duration,
) -> Vec<Compared> {
    let alone = NodeOptions::on(store).start().await;
    let admin = alone.admin().await;
    let mut clients_alone = Vec::new();
    for _ in 0..agents {
        clients_alone.push(admin.new_client().await);
    }
    let alone = Asked::new(&alone, clients_alone).await;
    let follower = trio.address(trio.followers().await[0]);
    let follows = Asked::at(follower, trio.clients(agents).await).await;
    let mut compared: Vec<Compared> = SCENARIOS.iter().map(|scenario| Compared::nothing(*scenario)).collect();
    for round in 0..=rounds {
        for one in &mut compared {
            let rates = (alone.rate(one, duration).await, follows.rate(one, duration).await);
            // The first round warms up.
            if round > 0 {
                one.rates.push(rates);
            }
        }
    }
    compared
}

struct Asked {
    address: std::net::SocketAddr,
    clients: Vec<Client>,
    tokens: Vec<Token>,
}

impl Asked {
    async fn new(node: &Node, clients: Vec<Client>) -> Self {
        Self::at(node.place.address(), clients).await
    }

    async fn at(address: std::net::SocketAddr, clients: Vec<Client>) -> Self {
        let tokens = tokens::take(address, &clients, TOKENS).await;
        Self {
            address,
            clients,
            tokens,
        }
    }

    async fn rate(&self, compared: &mut Compared, duration: Duration) -> f64 {
        let drive = Drive {
            address: self.address,
            connections: CONNECTIONS,
            duration,
        };
        let outcome = compared.scenario.load(&self.clients, &self.tokens).run(drive).await;
        compared.failures += outcome.refused + outcome.unexpected;
        outcome.rate()
    }
}

impl Compared {
    fn nothing(scenario: Scenario) -> Self {
        Self {
            scenario,
            rates: Vec::new(),
            failures: 0,
        }
    }
}

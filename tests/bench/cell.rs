//! One row of the table: a scenario at a number of connections, measured in several rounds.

use serde_json::{Value, json};

use crate::load::Outcome;
use crate::scenario::Scenario;

/// What one round saw.
pub struct Sample {
    /// The load's outcome.
    pub outcome: Outcome,
    /// CPU seconds that the node used meanwhile.
    pub cpu_seconds: f64,
    /// Requests a second of the static route in the same round.
    pub static_rate: f64,
}

/// All rounds of one scenario.
pub struct Cell {
    /// What was done.
    pub scenario: Scenario,
    /// Over how many connections.
    pub connections: usize,
    /// What each round saw.
    pub samples: Vec<Sample>,
}

/// The middle value, the smallest and the largest.
pub struct Spread {
    /// Half of the values are below, half above.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Sample {
    /// Against the static route of the same round.
    pub fn ratio(&self) -> f64 {
        self.outcome.rate() / self.static_rate
    }

    /// CPU seconds of the node for 1,000 requests.
    pub fn cpu_per_thousand(&self) -> f64 {
        self.cpu_seconds * 1000.0 / self.outcome.requests as f64
    }

    /// As a line for machines.
    pub fn json(&self) -> Value {
        let outcome = &self.outcome;
        json!({
            "requests": outcome.requests,
            "requestsPerSecond": outcome.rate(),
            "p50Micros": outcome.latencies.value_at_quantile(0.5),
            "p99Micros": outcome.latencies.value_at_quantile(0.99),
            "cpuSecondsPerThousand": self.cpu_per_thousand(),
            "refused": outcome.refused,
            "unexpected": outcome.unexpected,
            "ratioToStatic": self.ratio(),
        })
    }
}

impl Cell {
    /// Some value of every round, summed up.
    pub fn spread(&self, value: impl Fn(&Sample) -> f64) -> Spread {
        let mut values: Vec<f64> = self.samples.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        Spread {
            median,
            min: values[0],
            max: values[values.len() - 1],
        }
    }

    /// A latency over all rounds, in milliseconds.
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        let mut all = Outcome::nothing().latencies;
        for sample in &self.samples {
            all.add(&sample.outcome.latencies).expect("the bounds are the same");
        }
        all.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// Answers that were not what they should have been.
    pub fn failures(&self) -> u64 {
        self.samples
            .iter()
            .map(|sample| sample.outcome.refused + sample.outcome.unexpected)
            .sum()
    }
}

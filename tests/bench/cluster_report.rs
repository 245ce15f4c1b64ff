//! What is told of three nodes.
#![allow(clippy::print_stdout, reason = "the tables are what the program is for")]

use std::time::Duration;

use e2e::Backend;
use hdrhistogram::Histogram;
use serde_json::json;

use crate::cluster::{Compared, Noticed, Rate, Revocations, Volume};
use crate::report::{Report, name};

/// What a revocation may take at the 99th percentile beyond one and a half round trips.
const BEYOND_ROUND_TRIPS: Duration = Duration::from_millis(10);
/// Revocations a second that are aimed at with 64 clients.
const RATE_GOAL: f64 = 5_000.0;
/// How much slower than a single node a follower may be, and a node with many revocations than one with few.
const RATIO_GOAL: f64 = 0.9;
/// Twice the longest election time-out of nodes that were not told another.
const RESUMED_GOAL: Duration = Duration::from_secs(2);

impl Report {
    /// Before the first line about revocations.
    pub fn revocation_head(&mut self, store: Backend) {
        println!();
        println!(
            "revocation, {}: added round trips by a relay in user space (not tc netem); \"refused\" is until all three \
             nodes have said so, one introspection at each included",
            name(store)
        );
        println!(
            "| added RTT ms | asked    | clients | samples | answered p50 ms | p99 ms | refused p50 ms | p99 ms | vouched | failed | p99 <= 1.5 RTT + 10 ms"
        );
        println!(
            "|-------------:|----------|--------:|--------:|----------------:|-------:|---------------:|-------:|--------:|-------:|-----------------------"
        );
    }

    /// Revocations at one distance, at one node, by so many clients.
    pub fn revocation(&mut self, store: Backend, at: (Duration, &str, usize), measured: &Revocations) {
        let (round_trip, asked, clients) = at;
        let (answered, refused) = (&measured.answered, &measured.refused);
        let goal = round_trip.mul_f64(1.5) + BEYOND_ROUND_TRIPS;
        let p99 = Duration::from_micros(answered.value_at_quantile(0.99));
        println!(
            "| {:>12} | {asked:<8} | {clients:>7} | {:>7} | {:>15.1} | {:>6.1} | {:>14.1} | {:>6.1} | {:>7} | {:>6} | {}",
            round_trip.as_millis(),
            answered.len(),
            ms(answered, 0.5),
            ms(answered, 0.99),
            ms(refused, 0.5),
            ms(refused, 0.99),
            measured.vouched,
            measured.failed,
            met(p99 <= goal)
        );
        self.count(measured.vouched == 0 && measured.failed == 0 && !answered.is_empty());
        self.line(&json!({
            "part": "revocation",
            "store": name(store),
            "roundTripMillis": round_trip.as_millis(),
            "asked": asked,
            "clients": clients,
            "samples": answered.len(),
            "answeredP50Micros": answered.value_at_quantile(0.5),
            "answeredP99Micros": answered.value_at_quantile(0.99),
            "refusedP50Micros": refused.value_at_quantile(0.5),
            "refusedP99Micros": refused.value_at_quantile(0.99),
            "vouched": measured.vouched,
            "failed": measured.failed,
        }));
    }

    /// Revocations as fast as they go.
    pub fn rate(&mut self, store: Backend, clients: usize, measured: &Rate) {
        let outcome = &measured.outcome;
        let failures = outcome.refused + outcome.unexpected;
        println!();
        println!(
            "rate, {}: {clients} clients at three nodes, {} revocations: {:.0} a second (goal with 64: {RATE_GOAL}, {}), \
             p50 {:.1} ms, p99 {:.1} ms, {:.3} CPU s of all nodes per 1,000, {:.1} a log entry, {failures} failed",
            name(store),
            outcome.requests,
            outcome.rate(),
            met(outcome.rate() >= RATE_GOAL),
            ms(&outcome.latencies, 0.5),
            ms(&outcome.latencies, 0.99),
            measured.cpu_per_thousand,
            measured.per_entry,
        );
        self.count(failures == 0);
        self.line(&json!({
            "part": "rate",
            "store": name(store),
            "clients": clients,
            "requests": outcome.requests,
            "requestsPerSecond": outcome.rate(),
            "p50Micros": outcome.latencies.value_at_quantile(0.5),
            "p99Micros": outcome.latencies.value_at_quantile(0.99),
            "cpuSecondsPerThousand": measured.cpu_per_thousand,
            "perEntry": measured.per_entry,
            "failed": failures,
        }));
    }

    /// Followers against a single node.
    pub fn followers(&mut self, store: Backend, compared: &[Compared]) {
        println!();
        for one in compared {
            let middle = one.rates.len() / 2;
            let mut rates = one.rates.clone();
            rates.sort_by(|a, b| a.1.total_cmp(&b.1));
            println!(
                "follower, {}: {}: {:.2} of a single node's rate (goal: {RATIO_GOAL}, {}), {:.0} against {:.0} a second, {} failed",
                name(store),
                one.scenario.name(),
                one.ratio(),
                met(one.ratio() >= RATIO_GOAL),
                rates[middle].1,
                rates[middle].0,
                one.failures
            );
            self.count(one.failures == 0);
            self.line(&json!({
                "part": "followers",
                "store": name(store),
                "scenario": one.scenario.name(),
                "ratio": one.ratio(),
                "rates": one.rates,
                "failed": one.failures,
            }));
        }
    }

    /// One loss of the leader.
    pub fn failover(&mut self, store: Backend, noticed: &Noticed) {
        println!();
        println!(
            "leader killed, {}: introspection and issuance on the survivors: longest gap {} ms, {} of {} not answered well; \
             revocations resume after {} ms (goal: {} ms, {}), {} refused",
            name(store),
            noticed.reads_gap.as_millis(),
            noticed.reads_failed,
            noticed.reads + noticed.reads_failed,
            noticed.writes_resumed.as_millis(),
            RESUMED_GOAL.as_millis(),
            met(noticed.writes_resumed <= RESUMED_GOAL),
            noticed.writes_failed
        );
        self.count(noticed.reads_failed == 0 && !noticed.writes_resumed.is_zero());
        self.line(&json!({
            "part": "failover",
            "store": name(store),
            "readsGapMillis": noticed.reads_gap.as_millis(),
            "reads": noticed.reads,
            "readsFailed": noticed.reads_failed,
            "writesResumedMillis": noticed.writes_resumed.as_millis(),
            "writesFailed": noticed.writes_failed,
        }));
    }

    /// Many live revocations.
    pub fn volume(&mut self, store: Backend, measured: &Volume) {
        let mib = |kib: u64| kib as f64 / 1024.0;
        let (before, after) = measured.memory_kib;
        let (few, many) = measured.introspections;
        println!();
        println!(
            "volume, {}: {:.0} live revocations on a follower: {:.1} MiB resident, {:.1} before; snapshot {:.1} MiB; \
             serves {:.1} s after kill -9 and start; introspection {:.2} of before (goal: {RATIO_GOAL}, {}), {many:.0} \
             against {few:.0} a second",
            name(store),
            measured.revocations,
            mib(after),
            mib(before),
            mib(measured.snapshot_bytes / 1024),
            measured.restart.as_secs_f64(),
            many / few,
            met(many / few >= RATIO_GOAL),
        );
        self.count(true);
        self.line(&json!({
            "part": "volume",
            "store": name(store),
            "revocations": measured.revocations,
            "memoryKibBefore": before,
            "memoryKib": after,
            "snapshotBytes": measured.snapshot_bytes,
            "restartMillis": measured.restart.as_millis(),
            "introspectionsPerSecondBefore": few,
            "introspectionsPerSecond": many,
        }));
    }
}

fn ms(latencies: &Histogram<u64>, quantile: f64) -> f64 {
    latencies.value_at_quantile(quantile) as f64 / 1000.0
}

fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

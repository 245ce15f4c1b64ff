//! What is told: a table for people, a line for each sample for machines.
#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use e2e::Backend;
use serde_json::{Value, json};

use crate::cell::{Cell, Sample};
use crate::memory::Memory;
use crate::options::Plan;

/// Where the goals of a scenario hold.
const GOAL_CONNECTIONS: usize = 16;

/// Tells results as they come.
pub struct Report {
    cores: usize,
    setting: String,
    json: Option<File>,
    passed: usize,
    failed: usize,
}

impl Report {
    /// Opens the file for machines, if there is to be one.
    pub fn new(plan: &Plan) -> Self {
        let json = plan
            .json
            .as_ref()
            .map(|path| File::create(path).expect("the file for results can be written"));
        let setting = format!(
            "{} rounds of {} s a scenario, requests spread over {} agents",
            plan.rounds,
            plan.duration.as_secs_f64(),
            plan.agents
        );
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cores,
            setting,
            json,
            passed: 0,
            failed: 0,
        }
    }

    /// What was measured, and on what.
    pub fn header(&self) {
        let all = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = all
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or(": unknown");
        let cores = all.lines().filter(|line| line.starts_with("processor")).count();
        println!(
            "{cores} cores ({}), {} for the load generator; {}",
            model.trim_start_matches([' ', '\t', ':']),
            self.cores,
            self.setting
        );
        println!(
            "ratio: to the static route of the same round, median (least to most); CPU: of the node, per 1,000 requests"
        );
    }

    /// What the disk takes to make a batch of audit records durable; nothing that waits for one can be faster.
    pub fn disk(&mut self, sync: Duration) {
        let most = GOAL_CONNECTIONS as f64 / sync.as_secs_f64();
        println!(
            "disk: {:.2} ms to write and sync 8 KiB, so {GOAL_CONNECTIONS} connections can't have more than {most:.0} durable records/s",
            sync.as_secs_f64() * 1000.0
        );
        self.line(&json!({ "syncMicros": sync.as_micros() }));
    }

    /// One sample, for machines.
    pub fn sample(&mut self, store: Backend, cell: &Cell, sample: &Sample) {
        let mut line = sample.json();
        line["store"] = json!(name(store));
        line["scenario"] = json!(cell.scenario.name());
        line["connections"] = json!(cell.connections);
        self.line(&line);
    }

    /// Every cell of a store, for people.
    pub fn table(&mut self, store: Backend, cells: &[Cell]) {
        println!();
        println!(
            "| {:<8} | conns | {:<16} | {:>9} | {:>8} | {:>8} | {:>8} | {:>7} | ratio               | goal",
            "store", "scenario", "req/s", "p50 ms", "p99 ms", "CPU s", "failed"
        );
        println!(
            "|----------|------:|------------------|----------:|---------:|---------:|---------:|--------:|---------------------|-----"
        );
        for cell in cells {
            let rate = cell.spread(|sample| sample.outcome.rate()).median;
            let ratio = cell.spread(Sample::ratio);
            println!(
                "| {:<8} | {:>5} | {:<16} | {rate:>9.0} | {:>8.3} | {:>8.3} | {:>8.4} | {:>7} | {:.2} ({:.2} to {:.2}) | {}",
                name(store),
                cell.connections,
                cell.scenario.name(),
                cell.latency_ms(0.5),
                cell.latency_ms(0.99),
                cell.spread(Sample::cpu_per_thousand).median,
                cell.failures(),
                ratio.median,
                ratio.min,
                ratio.max,
                goal(store, cell, ratio.median),
            );
            self.count(cell.failures() == 0);
        }
    }

    /// What a store's node takes of memory.
    pub fn memory(&mut self, store: Backend, memory: &Memory) {
        let mib = |kib: u64| kib as f64 / 1024.0;
        println!();
        println!(
            "memory, {}: {:.1} MiB idle (goal: < 60), {:.1} MiB with {} agents, {:.1} MiB after each has taken a token: {:.1} KiB each (goal: < 10)",
            name(store),
            mib(memory.idle_kib),
            mib(memory.registered_kib),
            memory.agents,
            mib(memory.with_tokens_kib),
            memory.kib_each()
        );
        let mut line = memory.json();
        line["store"] = json!(name(store));
        self.line(&line);
        self.passed += 1;
    }

    /// Closes with the counts; a scenario passes if every answer was what it should be, however long it took.
    pub fn finish(self) -> ExitCode {
        println!();
        println!("{} passed, {} failed", self.passed, self.failed);
        ExitCode::from(u8::from(self.failed > 0))
    }

    /// One more measurement during which everything was answered as it should be, or not.
    pub fn count(&mut self, is_good: bool) {
        if is_good {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }

    /// A line for machines.
    pub fn line(&mut self, line: &Value) {
        if let Some(file) = &mut self.json {
            writeln!(file, "{line}").expect("the file for results can be written");
        }
    }
}

fn goal(store: Backend, cell: &Cell, ratio: f64) -> String {
    match cell.scenario.goal() {
        Some(goal) if store == Backend::Embedded && cell.connections == GOAL_CONNECTIONS => {
            format!("{goal}: {}", if ratio >= goal { "met" } else { "missed" })
        }
        _ => String::new(),
    }
}

/// What a store is called.
pub fn name(store: Backend) -> &'static str {
    match store {
        Backend::Embedded => "embedded",
        Backend::Postgres => "postgres",
    }
}

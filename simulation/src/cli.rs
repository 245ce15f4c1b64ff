//! The command line of `simulate`.
#![expect(
    clippy::disallowed_methods,
    reason = "how long runs take, and which seeds are tried next, is no part of a run"
)]

use std::io::{IsTerminal as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;

use crate::faults::Kind;
use crate::lock::lock;
use crate::plan::Wishes;
use crate::run::{Options, Outcome, RunError, run};
use crate::shrink::shrink;
use crate::timeline;

/// Runs clusters of real nodes in simulated worlds, under faults that follow from a seed, and judges what clients saw.
///
/// A seed that failed fails again, in the same way, on any machine.
#[derive(Parser)]
#[command(name = "simulate", version)]
pub struct Arguments {
    /// Runs one seed.
    #[arg(long, conflicts_with_all = ["seeds", "minutes"])]
    seed: Option<u64>,
    /// Runs the seeds from A up to, but not including, B.
    #[arg(long, value_name = "A..B", value_parser = range, conflicts_with = "minutes")]
    seeds: Option<Range<u64>>,
    /// Runs seeds from a random one on, for so long.
    #[arg(long)]
    minutes: Option<u64>,
    /// How many runs at once.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Stops at the first seed that fails.
    #[arg(long)]
    until_failure: bool,
    /// How many nodes; by default each seed chooses.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=9))]
    nodes: Option<u64>,
    /// Which kinds of faults there may be, by their names; by default all.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    faults: Option<Vec<Kind>>,
    /// For how many simulated seconds faults go on.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    faults_for: u64,
    /// Leaves out these faults of a seed, by their numbers.
    #[arg(long, value_delimiter = ',', value_name = "NUMBERS")]
    without: Vec<usize>,
    /// Writes all events of a seed into this file.
    #[arg(long, value_name = "FILE", requires = "seed")]
    trace: Option<PathBuf>,
    /// Draws a seed's timeline into this file; one that fails is always drawn.
    #[arg(long, value_name = "FILE.html", requires = "seed")]
    timeline: Option<PathBuf>,
    /// Writes a seed's calls and their answers into this file.
    #[arg(long, value_name = "FILE", requires = "seed")]
    history: Option<PathBuf>,
    /// When a seed has failed, leaves out faults as long as it still fails.
    #[arg(long)]
    shrink: bool,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let numbers = text
        .split_once("..")
        .and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    numbers
        .filter(|range| !range.is_empty())
        .ok_or_else(|| "give two numbers, the smaller first, such as 0..200".to_owned())
}

/// What became of all runs.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: Vec<u64>,
    simulated: Duration,
    calls: u64,
    faults: u64,
}

impl Arguments {
    /// Runs what was asked for. The exit code is 1 if a promise was broken, 2 if something could not be run.
    pub fn execute(&self) -> ExitCode {
        let begun = Instant::now();
        let seeds = self.chosen_seeds();
        say(&format!(
            "seeds {}..{}",
            seeds.start,
            if seeds.end == u64::MAX {
                "".to_owned()
            } else {
                seeds.end.to_string()
            }
        ));
        let end = self.minutes.map(|minutes| begun + Duration::from_secs(60 * minutes));
        let (next, tally) = (AtomicU64::new(seeds.start), Mutex::new(Tally::default()));
        let trouble = Arc::new(Mutex::new(None));
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| {
                    while end.is_none_or(|end| Instant::now() < end) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        let is_over = self.until_failure && !lock(&tally).failed.is_empty();
                        if seed >= seeds.end || is_over || lock(&trouble).is_some() {
                            return;
                        }
                        if let Err(error) = self.run_seed(seed, &tally, begun) {
                            *lock(&trouble) = Some(format!("seed {seed}: {error}"));
                        }
                    }
                });
            }
        });
        let tally = lock(&tally);
        clear_progress();
        say(&tally.summary(begun.elapsed()));
        say(&format!(
            "{} passed, {} failed, 0 skipped",
            tally.passed,
            tally.failed.len()
        ));
        if let Some(trouble) = lock(&trouble).as_ref() {
            say(trouble);
            return ExitCode::from(2);
        }
        if tally.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn chosen_seeds(&self) -> Range<u64> {
        match (self.seed, &self.seeds) {
            (Some(seed), _) => seed..seed + 1,
            (None, Some(seeds)) => seeds.clone(),
            (None, None) => {
                let first = random_seed();
                first..if self.minutes.is_some() { u64::MAX } else { first + 1 }
            }
        }
    }

    fn options(&self, seed: u64) -> Options {
        Options {
            seed,
            wishes: Wishes {
                nodes: self.nodes,
                kinds: self.faults.clone().unwrap_or_else(|| Kind::ALL.to_vec()),
                faults_for: Duration::from_secs(self.faults_for),
                without: self.without.clone(),
            },
            trace: self.trace.clone(),
        }
    }

    fn run_seed(&self, seed: u64, tally: &Mutex<Tally>, begun: Instant) -> Result<(), RunError> {
        let options = self.options(seed);
        let outcome = run(&options)?;
        let has_failed = !outcome.broken.is_empty();
        {
            let mut tally = lock(tally);
            tally.add(&outcome);
            tally.show_progress(begun.elapsed());
        }
        if let Some(file) = &self.history {
            write(file, &format!("{:#?}\n", outcome.history));
        }
        if self.seed.is_some() {
            say(&format!("trace sha256 {}, {} lines", outcome.digest, outcome.lines));
        }
        if has_failed {
            let (options, outcome) = if self.shrink {
                shrink(&options, outcome, |step| say(&format!("seed {seed}: {step}")))
            } else {
                (options, outcome)
            };
            let file = self
                .timeline
                .clone()
                .unwrap_or_else(|| format!("seed-{seed}.html").into());
            explain(&options, &outcome);
            draw(&options, &outcome, &file);
        } else if let Some(file) = &self.timeline {
            draw(&options, &outcome, file);
        }
        Ok(())
    }
}

/// Says what was broken, how to see it again, and what happened around it.
fn explain(options: &Options, outcome: &Outcome) {
    clear_progress();
    say(&format!(
        "seed {} FAILED; repeat it with: {}",
        outcome.seed,
        command(options)
    ));
    for (invariant, violation) in outcome.broken.iter().take(5) {
        say(&format!("  {invariant} at {}: {}", violation.at, violation.what));
    }
    if let Some(more) = outcome.broken.len().checked_sub(6) {
        say(&format!("  and {} more", more + 1));
    }
    for fault in &outcome.faults {
        say(&format!(
            "  fault {} {}: {}, {:?} to {:?}",
            fault.number,
            fault.kind.name(),
            fault.whom,
            fault.from,
            fault.until
        ));
    }
    for line in outcome.last_lines.iter().rev().take(12).rev() {
        say(&format!("    {}", line.trim_end()));
    }
}

fn draw(options: &Options, outcome: &Outcome, file: &Path) {
    write(file, &timeline::page(outcome, &command(options)));
    say(&format!("  timeline: {}", file.display()));
}

fn write(file: &Path, text: &str) {
    if let Err(error) = std::fs::write(file, text) {
        say(&format!("  {} can't be written: {error}", file.display()));
    }
}

/// The command that repeats a run.
fn command(options: &Options) -> String {
    let mut command = format!("cargo run --release -p simulation -- --seed {}", options.seed);
    let wishes = &options.wishes;
    if let Some(nodes) = wishes.nodes {
        command += &format!(" --nodes {nodes}");
    }
    if wishes.kinds != Kind::ALL {
        let names: Vec<&str> = wishes.kinds.iter().map(|kind| kind.name()).collect();
        command += &format!(" --faults {}", names.join(","));
    }
    if wishes.faults_for != Wishes::default().faults_for {
        command += &format!(" --faults-for {}", wishes.faults_for.as_secs());
    }
    if !wishes.without.is_empty() {
        let numbers: Vec<String> = wishes.without.iter().map(ToString::to_string).collect();
        command += &format!(" --without {}", numbers.join(","));
    }
    command
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        match outcome.broken.is_empty() {
            true => self.passed += 1,
            false => self.failed.push(outcome.seed),
        }
        self.simulated += outcome.simulated;
        self.calls += outcome.history.entries.len() as u64;
        self.faults += outcome.faults.len() as u64;
    }

    fn rates(&self, took: Duration) -> String {
        let (seeds, seconds) = (self.passed + self.failed.len() as u64, took.as_secs_f64());
        format!(
            "{seeds} seeds, {:.1} a minute; {:.2} simulated hours, {:.0} : 1",
            seeds as f64 * 60.0 / seconds,
            self.simulated.as_secs_f64() / 3_600.0,
            self.simulated.as_secs_f64() / seconds
        )
    }

    fn show_progress(&self, took: Duration) {
        let mut out = std::io::stderr();
        if out.is_terminal() {
            // Whoever closed the terminal sees no progress.
            let _ = write!(out, "\r\x1b[K{}", self.rates(took));
            let _ = out.flush();
        }
    }

    fn summary(&self, took: Duration) -> String {
        let failed = match self.failed.as_slice() {
            [] => String::new(),
            seeds => format!("; seeds that broke a promise: {seeds:?}"),
        };
        format!(
            "{}; {} calls, {} faults{failed}",
            self.rates(took),
            self.calls,
            self.faults
        )
    }
}

fn clear_progress() {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _ = write!(out, "\r\x1b[K");
    }
}

/// The one number that is not repeated; it is printed, so that all that follows from it can be.
#[expect(
    clippy::disallowed_methods,
    reason = "which seeds are tried next is no part of a run"
)]
fn random_seed() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    crate::random::Random::seeded(u64::try_from(since.as_nanos()).unwrap_or_default()).draw() >> 16
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

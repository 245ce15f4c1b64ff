//! The command line of `simulate`.
#![expect(
    clippy::disallowed_methods,
    reason = "how long runs take, and which seeds are tried next, is no part of a run"
)]

use std::io::{IsTerminal as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use clap::{Parser, ValueEnum};

use crate::faults::Kind;
use crate::lock::lock;
use crate::plan::Wishes;
use crate::run::{Options, Outcome, RunError, run};
use crate::scenario::{Scenario, ScenarioError};
use crate::shrink::shrink;
use crate::{timeline, workload};

/// How much of a run before a broken promise is shown in detail.
const BEFORE: Duration = Duration::from_millis(1_500);
/// How much of it afterwards.
const AFTER: Duration = Duration::from_millis(300);

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
    /// Runs what these files hold; a run that fails leaves one behind.
    #[arg(long, value_name = "FILES", num_args = 1.., conflicts_with_all = ["seed", "seeds", "minutes", "nodes", "faults",
        "faults_for", "without", "without_clients"])]
    replay: Vec<PathBuf>,
    /// Runs so many seeds from a random one on.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["seed", "seeds", "minutes", "replay"])]
    seeds_from_random: Option<u64>,
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
    /// Leaves out these clients.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    without_clients: Vec<workload::Kind>,
    /// Writes all events of a seed into this file.
    #[arg(long, value_name = "FILE", requires = "seed")]
    trace: Option<PathBuf>,
    /// Draws a seed's timeline into this file; one that fails is always drawn.
    #[arg(long, value_name = "FILE.html", requires = "seed")]
    timeline: Option<PathBuf>,
    /// Writes a seed's calls and their answers into this file.
    #[arg(long, value_name = "FILE", requires = "seed")]
    history: Option<PathBuf>,
    /// Writes a seed's run into this file, to be replayed; one that fails is always written.
    #[arg(long, value_name = "FILE.json", requires = "seed")]
    save: Option<PathBuf>,
    /// When a run has failed, leaves out clients and faults as long as it still fails.
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

/// Why something could not be run.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error("seed {0}: {1}")]
    Run(u64, RunError),
}

impl Arguments {
    /// Runs what was asked for. The exit code is 1 if a promise was broken, 2 if something could not be run.
    pub fn execute(&self) -> ExitCode {
        let begun = Instant::now();
        let seeds = self.chosen_seeds();
        match (self.replay.is_empty(), seeds.end) {
            (false, files) => say(&format!("{files} files")),
            (true, u64::MAX) => say(&format!("seeds {}..", seeds.start)),
            (true, end) => say(&format!("seeds {}..{end}", seeds.start)),
        }
        let end = self.minutes.map(|minutes| begun + Duration::from_secs(60 * minutes));
        let (next, tally) = (AtomicU64::new(seeds.start), Mutex::new(Tally::default()));
        let trouble = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| {
                    while end.is_none_or(|end| Instant::now() < end) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let is_over = self.until_failure && !lock(&tally).failed.is_empty();
                        if number >= seeds.end || is_over || lock(&trouble).is_some() {
                            return;
                        }
                        if let Err(error) = self.run_one(number, &tally, begun) {
                            *lock(&trouble) = Some(error.to_string());
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

    /// The numbers of the runs: seeds, or places among the files.
    fn chosen_seeds(&self) -> Range<u64> {
        match (self.seed, &self.seeds) {
            _ if !self.replay.is_empty() => 0..u64::try_from(self.replay.len()).unwrap_or(u64::MAX),
            (Some(seed), _) => seed..seed + 1,
            (None, Some(seeds)) => seeds.clone(),
            (None, None) => {
                let first = random_seed();
                match (self.minutes, self.seeds_from_random) {
                    (Some(_), _) => first..u64::MAX,
                    (None, count) => first..first + count.unwrap_or(1),
                }
            }
        }
    }

    fn wishes(&self) -> Wishes {
        Wishes {
            nodes: self.nodes,
            kinds: self.faults.clone().unwrap_or_else(|| Kind::ALL.to_vec()),
            faults_for: Duration::from_secs(self.faults_for),
            without: self.without.clone(),
            without_clients: self.without_clients.clone(),
        }
    }

    /// The run of this number, and the command that repeats it.
    fn options(&self, number: u64) -> Result<(Options, String), ScenarioError> {
        let file = usize::try_from(number).ok().and_then(|place| self.replay.get(place));
        let (options, command) = match file {
            Some(file) => {
                let Scenario { seed, plan, .. } = Scenario::read(file)?;
                (Options::of_plan(seed, plan), replaying(file))
            }
            None => {
                let wishes = self.wishes();
                (Options::of_seed(number, &wishes), repeating(number, &wishes))
            }
        };
        let trace = self.trace.clone();
        Ok((Options { trace, ..options }, command))
    }

    fn run_one(&self, number: u64, tally: &Mutex<Tally>, begun: Instant) -> Result<(), Trouble> {
        let (options, command) = self.options(number)?;
        let seed = options.seed;
        let outcome = run(&options).map_err(|error| Trouble::Run(seed, error))?;
        {
            let mut tally = lock(tally);
            tally.add(&outcome);
            tally.show_progress(begun.elapsed());
        }
        if let Some(file) = &self.history {
            write(file, &format!("{:#?}\n", outcome.history));
        }
        if let Some(file) = &self.save {
            scenario(&outcome).write(file)?;
        }
        if self.seed.is_some() {
            say(&format!("trace sha256 {}, {} lines", outcome.digest, outcome.lines));
        }
        if !outcome.broken.is_empty() {
            self.explain(options, outcome, &command)?;
        } else if let Some(file) = &self.timeline {
            draw(&outcome, &command, file);
        }
        Ok(())
    }

    /// Says what was broken, how to see it again, and what happened around it.
    fn explain(&self, options: Options, outcome: Outcome, command: &str) -> Result<(), Trouble> {
        let seed = options.seed;
        let (options, outcome) = if self.shrink {
            shrink(&options, outcome, |step| say(&format!("seed {seed}: {step}")))
        } else {
            (options, outcome)
        };
        let outcome = closer(options, outcome).map_err(|error| Trouble::Run(seed, error))?;
        clear_progress();
        say(&format!("seed {seed} FAILED; repeat it with: {command}"));
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
        for (_, line) in around(&outcome) {
            say(&format!("    {}", line.trim_end()));
        }
        let file = PathBuf::from(format!("seed-{seed}.json"));
        scenario(&outcome).write(&file)?;
        let timeline = self.timeline.clone().unwrap_or_else(|| file.with_extension("html"));
        draw(&outcome, &replaying(&file), &timeline);
        say(&format!("  this run: {}", replaying(&file)));
        Ok(())
    }
}

/// A run to be kept.
fn scenario(outcome: &Outcome) -> Scenario {
    let broken = outcome.broken.first();
    Scenario {
        about: broken.map_or_else(String::new, |(invariant, violation)| {
            format!("{invariant} at {}: {}", violation.at, violation.what)
        }),
        seed: outcome.seed,
        plan: outcome.plan.clone(),
    }
}

/// The same run again, with a closer look at what came before the first promise that was broken.
fn closer(options: Options, outcome: Outcome) -> Result<Outcome, RunError> {
    let Some((_, violation)) = outcome.broken.first() else {
        return Ok(outcome);
    };
    let at = Duration::from_micros(violation.at.0);
    run(&Options {
        closeup: at.saturating_sub(BEFORE)..at + AFTER,
        ..options
    })
}

/// The last events before the first promise that was broken, and the first ones after it.
fn around(outcome: &Outcome) -> &[(Duration, String)] {
    let lines = &outcome.closeup.lines;
    let broken_at = outcome.closeup.window.end.saturating_sub(AFTER);
    let middle = lines.partition_point(|(at, _)| *at < broken_at);
    &lines[middle.saturating_sub(12)..lines.len().min(middle + 4)]
}

fn draw(outcome: &Outcome, command: &str, file: &Path) {
    write(file, &timeline::page(outcome, command));
    say(&format!("  timeline: {}", file.display()));
}

fn write(file: &Path, text: &str) {
    if let Err(error) = std::fs::write(file, text) {
        say(&format!("  {} can't be written: {error}", file.display()));
    }
}

/// The command that repeats the run in a file.
fn replaying(file: &Path) -> String {
    format!("cargo run --release -p simulation -- --replay {}", file.display())
}

/// The command that repeats the run of a seed.
fn repeating(seed: u64, wishes: &Wishes) -> String {
    let mut command = format!("cargo run --release -p simulation -- --seed {seed}");
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
    let clients = wishes.without_clients.iter().filter_map(ValueEnum::to_possible_value);
    let clients: Vec<String> = clients.map(|kind| kind.get_name().to_owned()).collect();
    if !clients.is_empty() {
        command += &format!(" --without-clients {}", clients.join(","));
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

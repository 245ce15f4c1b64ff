//! How a cluster came through, and how that is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::history::History;
use super::invariants::Verdict;

/// How many violations of a guarantee are shown.
const SHOWN: usize = 10;

/// How one fault went.
pub enum FaultOutcome {
    /// It is over, and hit this.
    Over(String),
    /// This machine can't do it, because of this.
    Skipped(String),
    /// The cluster did not recover, or something else is wrong.
    Failed(String),
}

/// A cluster that went through its faults.
pub struct Report {
    /// What it was.
    pub cluster: String,
    /// What chose the order of its faults, and whom they hit.
    pub seed: u64,
    /// Its faults, and how long each took.
    pub faults: Vec<(&'static str, FaultOutcome, Duration)>,
    /// What the judge says.
    pub verdicts: Vec<Verdict>,
    /// All calls by their names, with how often each was answered how.
    pub calls: BTreeMap<&'static str, BTreeMap<String, usize>>,
}

/// How many cases there were.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// As they should be.
    pub passed: usize,
    /// Not as they should be.
    pub failed: usize,
    /// Not possible here.
    pub skipped: usize,
}

impl Report {
    /// Of a cluster that has not been through anything.
    pub fn new(cluster: &str, seed: u64) -> Self {
        Self {
            cluster: cluster.to_owned(),
            seed,
            faults: Vec::new(),
            verdicts: Vec::new(),
            calls: BTreeMap::new(),
        }
    }

    /// Counts what clients have asked and heard.
    pub fn count_calls(&mut self, history: &History) {
        for entry in &history.entries {
            let answers = self.calls.entry(entry.call.name()).or_default();
            *answers.entry(entry.answer.name()).or_default() += 1;
        }
    }

    /// Each fault is a case, and each guarantee is one; a guarantee against which nothing was held was not tested.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, outcome, _) in &self.faults {
            match outcome {
                FaultOutcome::Over(_) => counts.passed += 1,
                FaultOutcome::Skipped(_) => counts.skipped += 1,
                FaultOutcome::Failed(_) => counts.failed += 1,
            }
        }
        for verdict in &self.verdicts {
            match (verdict.judged, verdict.violations.len()) {
                (0, _) => counts.skipped += 1,
                (_, 0) => counts.passed += 1,
                _ => counts.failed += 1,
            }
        }
        counts
    }

    /// The report as lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}, seed {}", self.cluster, self.seed)];
        for (name, outcome, took) in &self.faults {
            let how = match outcome {
                FaultOutcome::Over(whom) => whom.clone(),
                FaultOutcome::Skipped(why) => format!("SKIPPED: {why}"),
                FaultOutcome::Failed(why) => format!("FAILED: {why}"),
            };
            lines.push(format!("  {name:<29} {:>5.1} s  {how}", took.as_secs_f64()));
        }
        let total: usize = self.calls.values().flat_map(BTreeMap::values).sum();
        lines.push(format!("  {total} calls"));
        for (name, answers) in &self.calls {
            let answers: Vec<String> = answers
                .iter()
                .map(|(answer, count)| format!("{count} {answer}"))
                .collect();
            lines.push(format!("    {name:<27} {}", answers.join(", ")));
        }
        for verdict in &self.verdicts {
            lines.extend(judgement(verdict));
        }
        lines
    }
}

fn judgement(verdict: &Verdict) -> Vec<String> {
    let count = verdict.violations.len();
    let Verdict {
        guarantee,
        judged,
        of_what,
        violations,
    } = verdict;
    let mut lines = vec![format!("  {guarantee}: {count} violations in {judged} {of_what}")];
    let shown = violations.iter().take(SHOWN);
    lines.extend(shown.map(|violation| format!("    VIOLATED at {}: {}", violation.at, violation.what)));
    if count > SHOWN {
        lines.push(format!("    and {} more", count - SHOWN));
    }
    lines
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

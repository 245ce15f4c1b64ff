//! What a cluster goes through: it is made, clients begin to work, faults come one after the other, clients stop, and the
//! judge reads the history.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::cluster::{Cluster, Role};
use super::failure::Failure;
use super::faults::{Fault, Outcome};
use super::history::Recorder;
use super::http_wire::HttpWire;
use super::invariants;
use super::random::Random;
use super::report::{FaultOutcome, Report};
use super::scene::Scene;
use super::workload::{Shared, Workload, close};

/// How long clients work before the first fault, and between two.
const QUIET: Duration = Duration::from_millis(1_500);

/// A cluster and its faults.
pub struct Ordeal {
    /// What it is called.
    pub name: String,
    /// The nodes.
    pub roles: Vec<Role>,
    /// What they go through, in an order that the seed chooses.
    pub faults: Vec<Fault>,
    /// Chooses.
    pub seed: u64,
}

impl Ordeal {
    /// A cluster of so many voters.
    pub fn of(nodes: usize, faults: &[Fault], seed: u64) -> Self {
        let voter = Role {
            region: String::new(),
            is_voter: true,
        };
        Self {
            name: format!("{nodes} nodes"),
            roles: vec![voter; nodes],
            faults: faults.to_vec(),
            seed,
        }
    }

    /// How many cases it has: its faults, and the guarantees.
    pub fn cases(&self) -> usize {
        self.faults.len() + invariants::check(&super::history::History::default()).len()
    }

    /// Goes through it. Each fault is told to `tell` when it is over.
    pub async fn run(&self, tell: impl Fn(&str)) -> Report {
        let mut report = Report::new(&self.name, self.seed);
        let random = Random::seeded(self.seed);
        let begun = Instant::now();
        let cluster = match Cluster::start(&self.roles, random.branch(1_000)).await {
            Ok(cluster) => cluster,
            Err(failure) => {
                let failed = FaultOutcome::Failed(failure.to_string());
                report.faults.push(("start", failed, begun.elapsed()));
                return report;
            }
        };
        tell(&format!(
            "{} are ready after {:.1} s",
            self.name,
            begun.elapsed().as_secs_f64()
        ));
        match self.go_through(cluster, &random, &mut report, &tell).await {
            Ok(()) => {}
            Err(failure) => {
                let failed = FaultOutcome::Failed(failure.to_string());
                report.faults.push(("the run itself", failed, begun.elapsed()));
            }
        }
        report
    }

    async fn go_through(
        &self,
        cluster: Cluster,
        random: &Random,
        report: &mut Report,
        tell: &impl Fn(&str),
    ) -> Result<(), Failure> {
        let shared = Arc::new(Shared::new(
            Arc::new(HttpWire::new()?),
            cluster.admin.clone(),
            Recorder::start(),
        ));
        let mut scene = Scene {
            cluster,
            shared: shared.clone(),
            random: random.branch(1_001),
        };
        scene.announce_nodes();
        let workload = Workload::start(&shared, random, 1, &[]);
        let mut faults = self.faults.clone();
        random.branch(1_002).shuffle(&mut faults);
        sleep(QUIET).await;
        let is_whole = inject_all(&faults, &mut scene, report, tell).await;
        sleep(QUIET).await;
        workload.stop().await?;
        if is_whole {
            close(&shared, random).await?;
        }
        let history = shared.recorder.history();
        report.count_calls(&history);
        report.verdicts = invariants::check(&history);
        if !is_whole {
            // What should be there at the end could not be looked at.
            report
                .verdicts
                .retain(|verdict| verdict.guarantee != "no_acknowledged_write_lost");
        }
        let is_violated = report.verdicts.iter().any(|verdict| !verdict.violations.is_empty());
        if is_violated || !is_whole {
            let folder = evidence();
            scene.cluster.keep_logs(&folder)?;
            std::fs::write(folder.join("history.txt"), format!("{history:#?}"))?;
            tell(&format!("the nodes' logs and the history are in {}", folder.display()));
        }
        Ok(())
    }
}

/// Whether the cluster came through all of them; the first from which it does not recover is the last.
async fn inject_all(faults: &[Fault], scene: &mut Scene, report: &mut Report, tell: &impl Fn(&str)) -> bool {
    for fault in faults {
        let begun = Instant::now();
        let outcome = match fault.inject(scene).await {
            Ok(Outcome::Over(whom)) => FaultOutcome::Over(whom),
            Ok(Outcome::Skipped(why)) => FaultOutcome::Skipped(why),
            Err(failure) => FaultOutcome::Failed(failure.to_string()),
        };
        let has_failed = matches!(outcome, FaultOutcome::Failed(_));
        tell(&format!("{} {:.1} s", fault.name(), begun.elapsed().as_secs_f64()));
        report.faults.push((fault.name(), outcome, begun.elapsed()));
        if has_failed {
            return false;
        }
        sleep(QUIET).await;
    }
    true
}

/// Where what a failed run has left is kept.
fn evidence() -> PathBuf {
    std::env::temp_dir().join(format!(
        "agentidp-faults-{}-{}",
        std::process::id(),
        crate::unique::number()
    ))
}

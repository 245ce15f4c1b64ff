//! `agentidp-bench`: how much of a plain HTTP server's speed is left once requests do something.
//!
//! It starts a node of its own on each store and drives it over loopback in a closed loop: the static route, then every
//! scenario, round after round. Machines are noisy, so each scenario is held against the static route of its own round;
//! ratios travel, absolute numbers don't.

mod cell;
mod cluster;
mod cluster_report;
mod connection;
mod disk;
mod load;
mod memory;
mod options;
mod report;
mod request;
mod scenario;
mod store_run;
mod tokens;
mod usage;

use clap::Parser;

use crate::options::{Options, Plan};
use crate::report::Report;

/// One thread: the load generator must not take more than one core from the node.
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = Plan::from(Options::parse());
    let mut report = Report::new(&plan);
    report.header();
    report.disk(disk::time_to_sync());
    if let Some(cluster) = &plan.cluster {
        cluster::run(cluster, &mut report).await;
        return report.finish();
    }
    for store in &plan.stores {
        let cells = store_run::run(*store, &plan, &mut report).await;
        report.table(*store, &cells);
        if plan.memory_agents > 0 {
            report.memory(*store, &memory::measure(*store, &plan).await);
        }
    }
    report.finish()
}

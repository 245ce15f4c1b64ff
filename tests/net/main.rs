//! `cluster-faults`: whole clusters over real networks, under load and under faults, and a judge that reads what clients
//! saw. See `tests/src/net`.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use e2e::net::HttpWire;
use e2e::net::ability;
use e2e::net::cluster::{Cluster, Role};
use e2e::net::conduct::Conduct;
use e2e::net::failure::Failure;
use e2e::net::faults::Fault;
use e2e::net::history::Recorder;
use e2e::net::names;
use e2e::net::ordeal::Ordeal;
use e2e::net::random::Random;
use e2e::net::report::Counts;
use e2e::net::workload::{Shared, Workload};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

/// Puts clusters in network namespaces through faults, and checks from what clients saw that guarantees hold.
#[derive(Parser)]
struct Options {
    /// Chooses the order of the faults and whom they hit; drawn if not given, and printed for repeating.
    #[arg(long)]
    seed: Option<u64>,
    /// Goes on with new seeds for so long.
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    minutes: u64,
    /// Only faults whose name contains this; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Only clusters of so many nodes: 3 or 5.
    #[arg(long)]
    nodes: Option<usize>,
    /// Injects nothing; makes a cluster of five nodes in two regions and shows what `agentidp cluster status` prints.
    #[arg(long)]
    show_regions: bool,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let mut terminate = signal(SignalKind::terminate()).expect("a signal can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a signal can be listened to");
    // Whatever is under way is dropped, and with it every process, namespace, device and mount.
    let code = tokio::select! {
        code = run(&options) => code,
        _ = terminate.recv() => ExitCode::from(143),
        _ = interrupt.recv() => ExitCode::from(130),
    };
    names::remove_left_overs();
    code
}

async fn run(options: &Options) -> ExitCode {
    if options.show_regions {
        return match show_regions().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                say(&failure.to_string());
                ExitCode::FAILURE
            }
        };
    }
    let seed = options
        .seed
        .unwrap_or_else(|| u64::from(std::process::id()) * 1_000_003 % 100_000_000);
    let mut seeds = Random::seeded(seed);
    let mut round = ordeals(options, seed);
    if let Some(missing) = ability::what_is_missing().await {
        let skipped: usize = round.iter().map(Ordeal::cases).sum();
        say(&format!("skipped: {missing}"));
        say(&format!("0 passed, 0 failed, {skipped} skipped"));
        return ExitCode::SUCCESS;
    }
    let (mut counts, end) = (
        Counts::default(),
        Instant::now() + Duration::from_secs(options.minutes * 60),
    );
    loop {
        for ordeal in &round {
            let report = ordeal.run(|line| say(&format!("    … {line}"))).await;
            report.lines().iter().for_each(|line| say(line));
            counts += report.counts();
        }
        if Instant::now() >= end || counts.failed > 0 {
            break;
        }
        round = ordeals(options, seeds.draw() % 100_000_000);
    }
    let Counts {
        passed,
        failed,
        skipped,
    } = counts;
    say(&format!("{passed} passed, {failed} failed, {skipped} skipped"));
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn ordeals(options: &Options, seed: u64) -> Vec<Ordeal> {
    let wanted = |faults: &[Fault]| -> Vec<Fault> {
        let is_wanted = |fault: &Fault| options.only.iter().any(|name| fault.name().contains(name.as_str()));
        let all = faults.iter().copied();
        all.filter(|fault| options.only.is_empty() || is_wanted(fault))
            .collect()
    };
    let all = [(3, wanted(&Fault::OF_THREE)), (5, wanted(&Fault::OF_FIVE))];
    let mut ordeals = Vec::new();
    for (nodes, faults) in all {
        if !faults.is_empty() && options.nodes.is_none_or(|only| only == nodes) {
            ordeals.push(Ordeal::of(nodes, &faults, seed));
        }
    }
    ordeals
}

/// Three voters in one region and two learners in another, an ocean between them, and clients at work for a minute.
async fn show_regions() -> Result<(), Failure> {
    let role = |region: &str, is_voter| Role {
        region: region.to_owned(),
        is_voter,
    };
    let mut roles = vec![role("eu-central", true); 3];
    roles.extend(vec![role("us-east", false); 2]);
    let random = Random::seeded(0);
    let cluster = Cluster::start(&roles, random.branch(1)).await?;
    let ocean = Conduct {
        delay: Duration::from_millis(45),
        jitter: Duration::from_millis(2),
        ..Conduct::default()
    };
    let (here, there) = (BTreeSet::from([1, 2, 3]), BTreeSet::from([4, 5]));
    cluster.network.set_between(&here, &there, ocean);
    let shared = Arc::new(Shared::new(
        Arc::new(HttpWire::new()?),
        cluster.admin.clone(),
        Recorder::start(),
    ));
    shared.set_targets(cluster.targets());
    let workload = Workload::start(&shared, &random, 1, &[]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    say(&cluster.operate(&["status"]).await?);
    workload.stop().await?;
    Ok(())
}

#[allow(clippy::print_stdout, reason = "this is what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

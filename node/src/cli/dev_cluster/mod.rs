//! `agentidp dev --nodes N`: a whole cluster on one machine. Each node is a process of its own, started with
//! `agentidp serve` and a configuration that can be read; they share one master key, one embedded store and one issuer,
//! and talk over mutual TLS with certificates that are made here.

mod children;
mod layout;
mod page;

use std::time::Duration;

use cluster::{Formats, Founding, OsFiles, require_newcomer};
use sdk::{Client, Joining, Secret};
use tokio::time::{Instant, sleep};

use self::children::Children;
use self::layout::{Administrator, Layout, Member};
use super::dev::{store, warn_if_exposed};
use super::output::{self, CommandError};
use super::server_options::{Overrides, load};
use super::signals::{Hangup, Signals};
use crate::app::{AdminSecret, Foundation, Machine, MasterKeyPolicy};
use crate::config::Environment;
use crate::telemetry::init_logging;

/// The most nodes that make sense on one machine.
const NODES_MAX: u16 = 9;
/// How long the nodes may take to be ready.
const READY_MAX: Duration = Duration::from_secs(60);
/// How often they are asked.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long an invitation holds, in seconds; it is used at once.
const INVITE_SECONDS: u64 = 60;

/// What `agentidp dev` was asked for.
pub struct Wanted {
    /// How many nodes.
    pub nodes: u16,
    /// Whether programs read the output.
    pub json: bool,
    /// Where the first node listens, and where everything is kept.
    pub overrides: Overrides,
}

/// Starts the nodes, tells how to reach them, and stops them when it is told to stop.
pub async fn run(wanted: Wanted, environment: &Environment) -> Result<(), CommandError> {
    if !(1..=NODES_MAX).contains(&wanted.nodes) {
        return Err(CommandError::Nodes { most: NODES_MAX });
    }
    let (config, _) = load(None, environment, &wanted.overrides)?;
    init_logging(&config.telemetry);
    let mut signals = Signals::listen(Hangup::Ends)?;
    let mut layout = Layout::prepare(&config, wanted.nodes)?;
    let administrator = install(&mut layout, environment).await?;
    let mut children = Children::default();
    let started = tokio::select! {
        started = start(&layout, &mut children, environment) => started.map(|()| true),
        () = signals.stop() => Ok(false),
    };
    if let Ok(true) = started {
        warn_if_exposed(&config.server);
        output::line(&if wanted.json {
            page::as_json(&layout, &administrator, &children)
        } else {
            page::as_page(&layout, &administrator, &children, &store_of(&layout, environment)?)
        })?;
        tokio::select! {
            () = children.watch() => tracing::error!("no node is left"),
            () = signals.stop() => {}
        }
    }
    children.stop().await;
    started.map(drop)
}

/// Which store the nodes share, and who said so.
fn store_of(layout: &Layout, environment: &Environment) -> Result<String, CommandError> {
    let (file, environment) = (layout.first().config_file(), environment.of_nodes());
    let (config, _) = load(Some(&file), &environment, &Overrides::default())?;
    Ok(store(&config.store.location, layout.data_dir(), &environment))
}

/// Makes the installation in the first node's folder, at the first start; later it is only remembered who administers it.
async fn install(layout: &mut Layout, environment: &Environment) -> Result<Administrator, CommandError> {
    if let Some(known) = layout.administrator() {
        return Ok(known);
    }
    let file = layout.first().config_file();
    let (config, _) = load(Some(&file), &environment.of_nodes(), &Overrides::default())?;
    let founding = Foundation::open(
        config,
        Machine::real(),
        MasterKeyPolicy::CreateIfMissing,
        Founding::Alone,
    );
    let foundation = founding.await?;
    let installed = foundation.bootstrap(AdminSecret::IfNone).await;
    let closed = foundation.close().await;
    let installation = installed?;
    closed?;
    layout.on_installed(installation)
}

/// Starts the processes and waits until each is ready; those that hold nothing yet are added to the cluster one by one.
async fn start(layout: &Layout, children: &mut Children, environment: &Environment) -> Result<(), CommandError> {
    let is_newcomer = |member: &&Member| require_newcomer(&OsFiles, &member.folder).is_ok();
    let (newcomers, known): (Vec<&Member>, Vec<&Member>) = layout.members().iter().partition(is_newcomer);
    for member in layout.members() {
        children.start(member, environment)?;
    }
    let mut ready = Vec::new();
    for member in known {
        match until_ready(member, children).await {
            Ok(()) => ready.push(member),
            // One that was removed, for instance. The others may do without it.
            Err(error) if children.has_ended(member.node_id) => tracing::warn!("{error}"),
            Err(error) => return Err(error),
        }
    }
    let seed = ready.first().ok_or_else(|| not_ready(layout.first()))?;
    if newcomers.is_empty() {
        return Ok(());
    }
    let token = std::fs::read_to_string(layout.operator_token_file())?;
    let (operator, token) = (
        Client::builder(&seed.operator_url()).build()?,
        Secret::new(token.trim()),
    );
    for member in &newcomers {
        let invitation = operator.cluster(&token).invite(Some(INVITE_SECONDS)).await?;
        let joining = Joining {
            node_id: member.node_id,
            address: member.peers.to_string(),
            region: String::new(),
            voter: true,
            known_format: Some(Formats::default().known()),
        };
        operator.join_cluster(&invitation.invite, &joining).await?;
        until_ready(member, children).await?;
    }
    until_all_vote(&operator, &token, ready.len() + newcomers.len()).await
}

fn not_ready(member: &Member) -> CommandError {
    CommandError::NodeNotReady {
        node_id: member.node_id,
        log: member.log_file(),
    }
}

/// Asks a node until it is ready; a node that has ended will not be.
async fn until_ready(member: &Member, children: &mut Children) -> Result<(), CommandError> {
    let client = Client::builder(&member.url()).build()?;
    let give_up_at = Instant::now() + READY_MAX;
    loop {
        if client.health().ready().await.is_ok_and(|report| report.is_healthy()) {
            return Ok(());
        }
        if children.has_ended(member.node_id) || Instant::now() >= give_up_at {
            return Err(not_ready(member));
        }
        sleep(ASK_EVERY).await;
    }
}

/// Only when all nodes vote can any of them be lost.
async fn until_all_vote(operator: &Client, token: &Secret, nodes: usize) -> Result<(), CommandError> {
    let give_up_at = Instant::now() + READY_MAX;
    loop {
        let status = operator.cluster(token).status().await?;
        let voters = status.members.iter().filter(|member| member.voter).count();
        if voters == nodes || Instant::now() >= give_up_at {
            return Ok(());
        }
        sleep(ASK_EVERY).await;
    }
}

//! `agentidp cluster`: looks at the members of a cluster and changes them, over a node's operator listener; and makes the
//! certificates that nodes show each other.

mod access;
mod certs;
mod join;
mod keys;
mod restore;
mod snapshot;
mod status;

use clap::{Args, Subcommand};

use self::access::OperatorAccess;
pub use self::certs::open as open_certificates;
use super::output::{self, CommandError};
use crate::config::Environment;

/// What can be done with a cluster.
#[derive(Subcommand)]
pub enum ClusterCommand {
    /// Show every member: role, region, term, lag, freshness, version, uptime.
    Status(status::Options),
    /// Make an invitation, which lets one node join.
    Invite(InviteOptions),
    /// Add the node of a configuration to the cluster that invited it; then start it with: agentidp serve.
    Join(join::Options),
    /// Give a learner a vote.
    Promote(MemberOptions),
    /// Take a voter's vote; it goes on as a learner.
    Demote(MemberOptions),
    /// Let a member go: it hands over, finishes what it was asked, and stops; see that nothing starts it again.
    Remove(MemberOptions),
    /// Ask the leader to hand over to another voter.
    TransferLeader(MemberOptions),
    /// Ask a node to write a snapshot of the replicated state now, and save it in a file.
    Snapshot(snapshot::Options),
    /// Found a cluster again whose majority is lost for good, with the node of a configuration, which must be stopped, as
    /// its only member. Its identity, keys and revocations stay; every other member has to join anew.
    Restore(restore::Options),
    /// Show the signing keys: what signs, since when, and what comes next.
    Keys(keys::Options),
    /// Have signing keys replaced: unnoticed, or in an emergency at once.
    RotateKeys(keys::RotateOptions),
    /// Make an authority for a cluster, and certificates for its nodes and operators.
    Certs(certs::Options),
}

/// Options of `cluster invite`.
#[derive(Args)]
pub struct InviteOptions {
    #[command(flatten)]
    access: OperatorAccess,
    /// For how many seconds it holds; an hour if not given, a week at most.
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Options of the commands that are about one member.
#[derive(Args)]
pub struct MemberOptions {
    #[command(flatten)]
    access: OperatorAccess,
    /// The member's number.
    #[arg(value_name = "NODE_ID")]
    node_id: u64,
}

/// Does it.
pub async fn run(command: ClusterCommand, environment: &Environment) -> Result<(), CommandError> {
    match command {
        ClusterCommand::Status(options) => status::run(options, environment).await,
        ClusterCommand::Invite(options) => invite(options, environment).await,
        ClusterCommand::Join(options) => join::run(options, environment).await,
        ClusterCommand::Certs(options) => certs::run(&options),
        ClusterCommand::Keys(options) => keys::show(options, environment).await,
        ClusterCommand::RotateKeys(options) => keys::rotate(options, environment).await,
        ClusterCommand::Promote(options) => {
            let operator = options.access.open(environment)?;
            operator.cluster().promote(options.node_id).await?;
            Ok(output::line(&format!("Node {} votes from now on.", options.node_id))?)
        }
        ClusterCommand::Demote(options) => {
            let operator = options.access.open(environment)?;
            operator.cluster().demote(options.node_id).await?;
            Ok(output::line(&format!("Node {} is a learner now.", options.node_id))?)
        }
        ClusterCommand::Remove(options) => {
            let operator = options.access.open(environment)?;
            operator.cluster().remove(options.node_id).await?;
            Ok(output::line(&format!(
                "Node {} is no longer a member.",
                options.node_id
            ))?)
        }
        ClusterCommand::TransferLeader(options) => {
            let operator = options.access.open(environment)?;
            operator.cluster().transfer_leader(options.node_id).await?;
            let text = format!(
                "The leader was asked to hand over to node {}; see: agentidp cluster status",
                options.node_id
            );
            Ok(output::line(&text)?)
        }
        ClusterCommand::Snapshot(options) => snapshot::run(options, environment).await,
        ClusterCommand::Restore(options) => restore::run(options, environment).await,
    }
}

async fn invite(options: InviteOptions, environment: &Environment) -> Result<(), CommandError> {
    let operator = options.access.open(environment)?;
    let made = operator.cluster().invite(options.expires_in).await?;
    if options.json {
        let made = serde_json::json!({ "invite": made.invite.expose(), "expiresAt": made.expires_at });
        return Ok(output::line(&made.to_string())?);
    }
    // The invitation alone goes where a file may be made of it.
    output::line(made.invite.expose())?;
    Ok(output::remark(&format!(
        "\nIt lets one node in until {}. Put it into a file on that node's machine, and there:\n  agentidp cluster join --config FILE --seed {} --invite-file FILE",
        made.expires_at,
        operator.url()
    ))?)
}

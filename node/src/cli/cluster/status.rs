//! `agentidp cluster status`: a table of the members that a person can read.

use clap::Args;
use comfy_table::{Table, presets};
use sdk::{ClusterStatus, MemberStatus};

use super::access::OperatorAccess;
use crate::cli::output::{self, CommandError};
use crate::config::Environment;

/// Options of `cluster status`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    access: OperatorAccess,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Asks and prints.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let operator = options.access.open(environment)?;
    let status = operator.cluster().status().await?;
    let text = if options.json {
        serde_json::to_string(&status).map_err(std::io::Error::other)?
    } else {
        page(&status)
    };
    Ok(output::line(&text)?)
}

fn page(status: &ClusterStatus) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "NODE", "ROLE", "REGION", "ADDRESS", "TERM", "APPLIED", "LAG", "FRESH", "REVOKED", "VERSION", "UP",
    ]);
    for member in &status.members {
        table.add_row(row(member));
    }
    let text = table.trim_fmt();
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    lines.join("\n")
}

fn row(member: &MemberStatus) -> [String; 11] {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    [
        member.node_id.to_string(),
        role(member),
        if member.region.is_empty() {
            "-".to_owned()
        } else {
            member.region.clone()
        },
        member.address.clone(),
        number(member.term),
        number(member.last_applied),
        number(member.lag),
        freshness(member),
        number(member.revocations),
        text(&member.version),
        member.uptime_seconds.map_or_else(|| "-".to_owned(), uptime),
    ]
}

fn role(member: &MemberStatus) -> String {
    match &member.role {
        Some(role) => role.clone(),
        None => "unreachable".to_owned(),
    }
}

/// How old its view of revocations may be; a node that is not fresh vouches for nothing.
fn freshness(member: &MemberStatus) -> String {
    match (member.fresh, member.staleness_ms) {
        (Some(true), Some(age)) => format!("{age} ms"),
        (Some(false), Some(age)) => format!("STALE {} s", age / 1_000),
        (Some(false), None) => "STALE".to_owned(),
        _ => "-".to_owned(),
    }
}

fn uptime(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_a_table_and_those_that_can_not_be_asked_are_in_it() {
        let json = r#"{"nodeId":1,"leader":1,"term":3,"members":[
            {"nodeId":1,"address":"10.0.0.1:3950","region":"eu","voter":true,"reachable":true,"role":"leader","term":3,
             "lastApplied":42,"lag":0,"stalenessMs":12,"fresh":true,"revocations":7,"version":"0.1.0","uptimeSeconds":3700},
            {"nodeId":2,"address":"10.0.0.2:3950","region":"","voter":true,"reachable":false,"reason":"refused"}]}"#;
        let status: ClusterStatus = serde_json::from_str(json).expect("a status");
        let expected = "\
NODE  ROLE         REGION  ADDRESS        TERM  APPLIED  LAG  FRESH  REVOKED  VERSION  UP
1     leader       eu      10.0.0.1:3950  3     42       0    12 ms  7        0.1.0    1h01m
2     unreachable  -       10.0.0.2:3950  -     -        -    -      -        -        -";
        assert_eq!(page(&status), expected);
    }

    #[test]
    fn times_are_short() {
        assert_eq!(
            [59, 60, 3_599, 86_399, 90_000].map(uptime),
            ["59s", "1m", "59m", "23h59m", "1d01h"]
        );
    }
}

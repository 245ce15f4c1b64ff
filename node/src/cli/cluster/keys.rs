//! `agentidp cluster keys` and `agentidp cluster rotate-keys`: the signing keys, what becomes of each, and others in their
//! place.

use clap::Args;
use clap::builder::PossibleValuesParser;
use comfy_table::{Table, presets};
use domain::SigningAlgorithm;
use sdk::{ClusterKeys, RotateKeys, SigningKey, Timestamp};

use super::access::OperatorAccess;
use crate::cli::output::{self, CommandError};
use crate::config::Environment;

/// What an emergency does.
const EMERGENCY: &str = "an emergency kills every token that the former keys have signed, at once and on every node; \
                         verifiers that check offline refuse new tokens, and take old ones, until they fetch the key set \
                         again";

/// Options of `cluster keys`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    access: OperatorAccess,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Options of `cluster rotate-keys`.
#[derive(Args)]
pub struct RotateOptions {
    #[command(flatten)]
    access: OperatorAccess,
    /// Replace the key of this algorithm only; may be given more than once. All of them if not given.
    #[arg(long, value_name = "ALGORITHM", value_delimiter = ',', value_parser = algorithms())]
    algorithm: Vec<String>,
    /// A private key is known to somebody else: sign with new ones at once, and let every earlier key of the algorithms,
    /// and every token that it signed, die at once.
    #[arg(long)]
    emergency: bool,
    /// Confirm an emergency.
    #[arg(long)]
    yes: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

fn algorithms() -> PossibleValuesParser {
    PossibleValuesParser::new(SigningAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()))
}

/// Shows the keys.
pub async fn show(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let operator = options.access.open(environment)?;
    print(&operator.cluster().keys().await?, options.json)
}

/// Has keys replaced, and shows them.
pub async fn rotate(options: RotateOptions, environment: &Environment) -> Result<(), CommandError> {
    if options.emergency && !options.yes {
        return Err(CommandError::Unconfirmed(EMERGENCY.to_owned()));
    }
    let operator = options.access.open(environment)?;
    let wanted = RotateKeys {
        algorithms: options.algorithm,
        emergency: options.emergency,
    };
    print(&operator.cluster().rotate_keys(&wanted).await?, options.json)
}

fn print(keys: &ClusterKeys, is_json: bool) -> Result<(), CommandError> {
    let text = if is_json {
        serde_json::to_string(keys).map_err(std::io::Error::other)?
    } else {
        page(keys)
    };
    Ok(output::line(&text)?)
}

fn page(keys: &ClusterKeys) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ALGORITHM", "STATE", "PUBLISHED", "SIGNED FROM", "NEXT", "KEY"]);
    let mut sorted: Vec<&SigningKey> = keys.keys.iter().collect();
    sorted.sort_by_key(|key| (&key.algorithm, key.published_at));
    for key in sorted {
        table.add_row([
            key.algorithm.clone(),
            key.state.clone(),
            minute(key.published_at),
            key.current_since.map_or_else(|| "-".to_owned(), minute),
            format!("{} {}", key.next.step, minute(key.next.at)),
            key.key_id.clone(),
        ]);
    }
    let text = table.trim_fmt();
    let rows = text
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned());
    rows.chain(notes(keys)).collect::<Vec<String>>().join("\n")
}

/// To the second, which is what people compare.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.')
        .map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

fn notes(keys: &ClusterKeys) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(node_id) = keys.schedule.node_id {
        notes.push(format!("Node {node_id} moves them on (epoch {}).", keys.schedule.epoch));
    }
    let sealing = &keys.sealing;
    let all = sealing.sealed_with_master_key + sealing.sealed_with_former_master_keys;
    notes.push(match sealing.sealed_with_former_master_keys {
        0 => format!("All {all} secrets are sealed with master key {}.", sealing.master_key_id),
        former => format!(
            "{former} of {all} secrets are still sealed with a former master key; they are sealed anew with {} when every \
             member holds it.",
            sealing.master_key_id
        ),
    });
    if !keys.unconfirmed_members.is_empty() {
        let members: Vec<String> = keys.unconfirmed_members.iter().map(u64::to_string).collect();
        notes.push(format!(
            "Not confirmed in time by node {}: it may take dead tokens until it is heard again, and no longer than \
             cluster.max_revocation_staleness.",
            members.join(", ")
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_table_with_what_comes_next() {
        let json = r#"{"keys":[
            {"keyId":"k2","algorithm":"EdDSA","state":"published","publishedAt":"2026-03-01T10:00:00.123Z",
             "currentSince":null,"retiredAt":null,"next":{"step":"signs","at":"2026-03-02T10:00:00.123Z"}},
            {"keyId":"k1","algorithm":"EdDSA","state":"current","publishedAt":"2026-01-01T10:00:00.000Z",
             "currentSince":"2026-01-02T10:00:00.000Z","retiredAt":null,
             "next":{"step":"retires","at":"2026-03-02T10:00:00.123Z"}}],
            "schedule":{"nodeId":2,"epoch":3},
            "terms":{"jwksMaxAgeSeconds":300,"tokenTtlMaxSeconds":86400,"clockSkewSeconds":60},
            "sealing":{"masterKeyId":"0123456789abcdef","sealedWithMasterKey":1,"sealedWithFormerMasterKeys":2},
            "unconfirmedMembers":[3]}"#;
        let keys: ClusterKeys = serde_json::from_str(json).expect("keys");
        let expected = "\
ALGORITHM  STATE      PUBLISHED             SIGNED FROM           NEXT                          KEY
EdDSA      current    2026-01-01T10:00:00Z  2026-01-02T10:00:00Z  retires 2026-03-02T10:00:00Z  k1
EdDSA      published  2026-03-01T10:00:00Z  -                     signs 2026-03-02T10:00:00Z    k2
Node 2 moves them on (epoch 3).
2 of 3 secrets are still sealed with a former master key; they are sealed anew with 0123456789abcdef when every member holds it.
Not confirmed in time by node 3: it may take dead tokens until it is heard again, and no longer than cluster.max_revocation_staleness.";
        assert_eq!(page(&keys), expected);
    }
}

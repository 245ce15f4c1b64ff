//! What can be said on the command line, and what can't.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::{AGENT, CREDENTIAL, Cli, parse};
use crate::cli::client::ClientCommand;

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_is_understood() {
    for arguments in [
        "token",
        "token --scope agents:read --scope openid --resource https://api.example --nonce n --json",
        "token introspect --token-file t",
        "token revoke --token-file -",
        "agents list --status active --type screener --owner o --env production -q x --page 2 --limit 100",
        "agents get self",
        &format!("agents get {AGENT}"),
        "agents register --email a@b.example --owner o --type screener --agent-version 1.2.3 --capability a:b --capability c:* --env staging --public",
        &format!("agents update {AGENT} --owner o --public false --if-match 3"),
        &format!("agents update {AGENT} --no-capabilities"),
        &format!("agents suspend {AGENT}"),
        "agents suspend self --yes",
        &format!("agents reactivate {AGENT}"),
        &format!("agents decommission {AGENT} --yes --if-match 3"),
        &format!("credentials list {AGENT} --status revoked"),
        &format!("credentials generate {AGENT} --expires-at 2027-01-31T12:00:00Z --scope agents:read --save-secret f"),
        &format!("credentials rotate {AGENT} {CREDENTIAL} --overlap 10m"),
        &format!("credentials revoke {AGENT} {CREDENTIAL}"),
        &format!(
            "audit tail -n 5 -f --interval 1s --agent {AGENT} --action token.issued --outcome failure --from 2026-01-31T12:00:00Z"
        ),
        &format!("audit get {CREDENTIAL}"),
        "audit verify --from 2026-01-31T12:00:00Z --to 2026-02-01T12:00:00+01:00",
    ] {
        assert!(
            parse(arguments).is_ok(),
            "{arguments}: {}",
            parse(arguments).err().map(|e| e.to_string()).unwrap_or_default()
        );
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (arguments, kind) in [
        ("agents", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("agents get x", ErrorKind::ValueValidation),
        ("agents get ../audit", ErrorKind::ValueValidation),
        ("agents list --status asleep", ErrorKind::InvalidValue),
        ("agents list --limit 101", ErrorKind::ValueValidation),
        ("agents list --page 0", ErrorKind::ValueValidation),
        (
            "agents register --email a@b.example",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "agents update self --no-capabilities --capability a:b",
            ErrorKind::ArgumentConflict,
        ),
        ("agents update self --if-match a\"b", ErrorKind::ValueValidation),
        (
            "credentials generate self --expires-at tomorrow",
            ErrorKind::ValueValidation,
        ),
        ("credentials rotate self", ErrorKind::MissingRequiredArgument),
        ("credentials rotate self x", ErrorKind::ValueValidation),
        ("audit tail -n 10001", ErrorKind::ValueValidation),
        ("audit tail --interval 1ms", ErrorKind::ValueValidation),
        ("audit tail -f --to 2026-01-31T12:00:00Z", ErrorKind::ArgumentConflict),
        ("token --scope openid introspect", ErrorKind::ArgumentConflict),
        ("token introspect --scope openid", ErrorKind::UnknownArgument),
        ("token --scope agents:raed", ErrorKind::ValueValidation),
        (
            "credentials generate self --scope agents:raed",
            ErrorKind::ValueValidation,
        ),
        ("agents list --timeout 5", ErrorKind::ValueValidation),
    ] {
        assert_eq!(
            parse(arguments).err().map(|error| error.kind()),
            Some(kind),
            "{arguments}"
        );
    }
}

#[test]
fn a_secret_has_no_place_among_the_arguments() {
    for arguments in [
        "token --client-secret x",
        "token introspect --token x",
        "token introspect x",
        "token revoke x",
    ] {
        assert!(parse(arguments).is_err(), "{arguments}");
    }
}

#[test]
fn the_connection_may_be_named_before_and_after_the_command() {
    for arguments in [
        "agents --server https://a.example --json list",
        "agents list --server https://a.example --json",
        "agents --json list --server https://a.example",
    ] {
        let Ok(ClientCommand::Agents(options)) = parse(arguments) else {
            panic!("{arguments}")
        };
        assert_eq!(
            (options.connection.server.as_deref(), options.json),
            (Some("https://a.example"), true),
            "{arguments}"
        );
    }
    for arguments in [
        "token introspect --server https://a.example --json",
        "token --server https://a.example --json",
    ] {
        let Ok(ClientCommand::Token(options)) = parse(arguments) else {
            panic!("{arguments}")
        };
        assert_eq!(
            (options.connection.server.as_deref(), options.json),
            (Some("https://a.example"), true),
            "{arguments}"
        );
    }
}

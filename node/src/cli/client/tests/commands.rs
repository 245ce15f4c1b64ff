//! Each command from its arguments to what it prints.

use sdk::Client;

use super::{AGENT, CREDENTIAL, parse, server};
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::output::{Format, Output};
use crate::cli::client::session::Session;
use crate::cli::client::{ClientCommand, Run};

const AGENT_JSON: &str = r#"{"agentId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d","organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6f","email":"a@b.example","agentType":"screener","version":"1.0.0","capabilities":["resume:read"],"owner":"team","deploymentEnv":"staging","status":"suspended","isPublic":false,"did":null,"createdAt":"2026-01-31T12:00:00.000Z","updatedAt":"2026-01-31T12:00:00.000Z"}"#;
const CREDENTIAL_JSON: &str = r#"{"credentialId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c70","clientId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d","status":"active","createdAt":"2026-01-31T12:00:00.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"clientSecret":"sk_live_new"}"#;

/// What came of a command.
struct Ran {
    result: Result<Exit, Failure>,
    printed: String,
    /// The requests but those for tokens.
    requests: Vec<String>,
}

/// Runs a command against a server that answers so.
async fn run(arguments: &str, status: u16, body: &'static str) -> Ran {
    let (address, log) = server::start(status, body).await;
    let client = Client::builder(&address)
        .credentials(AGENT, "s")
        .build()
        .expect("a client");
    let mut bytes = Vec::new();
    let result = match parse(arguments).expect(arguments) {
        ClientCommand::Token(options) => run_in(options, client, &mut bytes).await,
        ClientCommand::Agents(options) => run_in(options, client, &mut bytes).await,
        ClientCommand::Credentials(options) => run_in(options, client, &mut bytes).await,
        ClientCommand::Audit(options) => run_in(options, client, &mut bytes).await,
    };
    let requests = log.lock().expect("no test panics while it holds this").clone();
    let requests = requests
        .into_iter()
        .filter(|request| !request.starts_with("POST /oauth2/token"))
        .collect();
    Ran {
        result,
        printed: String::from_utf8(bytes).expect("UTF-8"),
        requests,
    }
}

async fn run_in<C: clap::Args + Run>(
    options: crate::cli::client::Options<C>,
    client: Client,
    bytes: &mut Vec<u8>,
) -> Result<Exit, Failure> {
    let format = if options.json {
        Format::Json
    } else {
        Format::Page { width: None }
    };
    options
        .command
        .run(&mut Session::new(client, Output::new(bytes, format)))
        .await
}

/// Runs a command that must succeed.
async fn done(arguments: &str, status: u16, body: &'static str) -> Ran {
    let ran = run(arguments, status, body).await;
    assert!(matches!(ran.result, Ok(Exit::Done)), "{arguments}: {:?}", ran.result);
    ran
}

#[tokio::test]
async fn a_token_is_printed_alone_so_that_a_shell_can_catch_it() {
    assert_eq!(done("token", 500, "").await.printed, "t0ken\n");
    let json: serde_json::Value = serde_json::from_str(&done("token --json", 500, "").await.printed).expect("JSON");
    let expected =
        serde_json::json!({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 60, "scope": "agents:read"});
    assert_eq!(json, expected);
}

#[tokio::test]
async fn a_token_is_looked_at_and_killed_from_a_file() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "a.b.c\n").expect("writable");
    let path = file.path().display();
    let ran = done(
        &format!("token introspect --token-file {path}"),
        200,
        r#"{"active":true,"sub":"x","exp":0}"#,
    )
    .await;
    assert!(ran.printed.contains("1970-01-01T00:00:00.000Z"), "{}", ran.printed);
    assert_eq!(
        ran.requests,
        ["POST /oauth2/introspect token=a.b.c&token_type_hint=access_token"]
    );
    let introspect = format!("token introspect --json --token-file {path}");
    let ran = run(&introspect, 200, r#"{"active":false}"#).await;
    assert_eq!(ran.printed, "{\"active\":false}\n");
    assert!(matches!(ran.result, Ok(Exit::Broken)), "{:?}", ran.result);

    let revoke = format!("token revoke --json --token-file {path}");
    let ran = done(&revoke, 200, r#"{"active":true}"#).await;
    assert_eq!(ran.printed, "{\"revoked\":true}\n");
    let ran = run(&revoke, 200, r#"{"active":false}"#).await;
    assert_eq!(ran.printed, "{\"revoked\":false}\n");
    assert!(matches!(ran.result, Ok(Exit::NotFound)), "{:?}", ran.result);
    let both =
        ["introspect", "revoke"].map(|path| format!("POST /oauth2/{path} token=a.b.c&token_type_hint=access_token"));
    assert_eq!(ran.requests, both, "it is killed whatever the look told");
}

#[tokio::test]
async fn agents_are_listed_as_a_table_and_as_they_came() {
    const PAGE: &str = concat!(
        r#"{"data":[{"agentId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d","organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6f","#,
        r#""email":"a@b.example","agentType":"screener","version":"1.0.0","capabilities":[],"owner":"team","deploymentEnv":"staging","#,
        r#""status":"active","isPublic":false,"did":null,"createdAt":"2026-01-31T12:00:00.000Z","updatedAt":"2026-01-31T12:00:00.000Z"}],"#,
        r#""total":21,"page":2,"limit":20}"#
    );
    let ran = done("agents list --page 2 --type screener", 200, PAGE).await;
    let lines: Vec<Vec<&str>> = ran
        .printed
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        ["AGENT", "EMAIL", "STATUS", "TYPE", "ENV", "OWNER", "VERSION"]
    );
    assert_eq!(
        lines[1],
        [AGENT, "a@b.example", "active", "screener", "staging", "team", "1.0.0"]
    );
    assert_eq!(lines[2].join(" "), "page 2 with 1 of 21 agents");
    assert_eq!(ran.requests, ["GET /api/v1/agents?agentType=screener&page=2&limit=20"]);

    let ran = done("agents list --json", 200, PAGE).await;
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(value(&ran.printed), value(PAGE));
}

#[tokio::test]
async fn one_agent_is_shown_with_its_revision() {
    let ran = done("agents get self", 200, AGENT_JSON).await;
    assert_eq!(ran.requests, [format!("GET /api/v1/agents/{AGENT}")]);
    let lines: Vec<Vec<&str>> = ran
        .printed
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        lines.contains(&vec!["status", "suspended"]) && lines.contains(&vec!["revision", "3"]),
        "{}",
        ran.printed
    );
    let json = done("agents get self --json", 200, AGENT_JSON).await.printed;
    assert_eq!(json.trim_end(), AGENT_JSON);
}

#[tokio::test]
async fn an_agent_is_registered_changed_and_ended() {
    let ran = done(
        "agents register --email a@b.example --owner team --capability resume:read",
        201,
        AGENT_JSON,
    )
    .await;
    let expected = r#"POST /api/v1/agents {"email":"a@b.example","agentType":"custom","version":"1.0.0","capabilities":["resume:read"],"owner":"team","deploymentEnv":"development","isPublic":false}"#;
    assert_eq!(ran.requests, [expected]);

    let ran = done(
        &format!("agents update {AGENT} --no-capabilities --public true"),
        200,
        AGENT_JSON,
    )
    .await;
    assert_eq!(
        ran.requests,
        [format!(
            r#"PATCH /api/v1/agents/{AGENT} {{"capabilities":[],"isPublic":true}}"#
        )]
    );

    let ran = done(&format!("agents suspend {AGENT} --yes"), 200, AGENT_JSON).await;
    assert_eq!(
        ran.requests,
        [format!(r#"PATCH /api/v1/agents/{AGENT} {{"status":"suspended"}}"#)]
    );
    assert_eq!(ran.printed, format!("{AGENT} (a@b.example) is suspended now\n"));

    let ran = done(&format!("agents decommission {AGENT} --yes"), 204, "").await;
    assert_eq!(ran.requests, [format!("DELETE /api/v1/agents/{AGENT}")]);
}

#[tokio::test]
async fn what_can_not_be_meant_is_not_sent() {
    let ran = run(&format!("agents decommission {AGENT}"), 204, "").await;
    assert!(matches!(ran.result, Err(Failure::NotConfirmed(_))) && ran.requests.is_empty());
    let ran = run("agents suspend self", 200, AGENT_JSON).await;
    assert!(matches!(ran.result, Err(Failure::NotConfirmed(_))) && ran.requests.is_empty());
    let ran = run(&format!("agents update {AGENT}"), 200, AGENT_JSON).await;
    assert!(matches!(ran.result, Err(Failure::NothingToChange)) && ran.requests.is_empty());
}

#[tokio::test]
async fn a_secret_is_made_and_replaced() {
    let ran = done("credentials generate self --scope agents:read", 201, CREDENTIAL_JSON).await;
    assert_eq!(
        ran.requests,
        [format!(
            r#"POST /api/v1/agents/{AGENT}/credentials {{"scopes":["agents:read"]}}"#
        )]
    );
    assert_eq!(ran.printed.matches("sk_live_new").count(), 1, "{}", ran.printed);

    let ran = done(
        &format!("credentials rotate self {CREDENTIAL} --overlap 1m --json"),
        200,
        CREDENTIAL_JSON,
    )
    .await;
    assert_eq!(
        ran.requests,
        [format!(
            r#"POST /api/v1/agents/{AGENT}/credentials/{CREDENTIAL}/rotate {{"overlapSeconds":60}}"#
        )]
    );
    let json: serde_json::Value = serde_json::from_str(&ran.printed).expect("JSON");
    assert_eq!(
        (json["clientSecret"].as_str(), json["credentialId"].as_str()),
        (Some("sk_live_new"), Some(CREDENTIAL))
    );

    let ran = done(&format!("credentials revoke self {CREDENTIAL}"), 204, "").await;
    assert_eq!(
        ran.requests,
        [format!("DELETE /api/v1/agents/{AGENT}/credentials/{CREDENTIAL}")]
    );
}

#[tokio::test]
async fn a_refused_secret_leaves_no_file_behind() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("secret");
    let refusal = r#"{"code":"AGENT_NOT_ACTIVE","message":"the agent is suspended"}"#;
    let ran = run(
        &format!("credentials generate self --save-secret {}", path.display()),
        400,
        refusal,
    )
    .await;
    assert!(ran.result.is_err() && !path.exists());
    done(
        &format!("credentials generate self --save-secret {}", path.display()),
        201,
        CREDENTIAL_JSON,
    )
    .await;
    assert_eq!(std::fs::read_to_string(path).expect("written"), "sk_live_new\n");
}

#[tokio::test]
async fn a_broken_chain_has_an_exit_code_of_its_own() {
    let ran = done(
        "audit verify",
        200,
        r#"{"verified":true,"checkedCount":7,"brokenAtEventId":null}"#,
    )
    .await;
    assert_eq!(ran.printed, "the chain is whole; 7 events checked\n");
    const BROKEN: &str =
        r#"{"verified":false,"checkedCount":3,"brokenAtEventId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c70"}"#;
    let ran = run("audit verify", 200, BROKEN).await;
    assert!(
        matches!(ran.result, Ok(Exit::Broken)) && ran.printed.contains(CREDENTIAL),
        "{}",
        ran.printed
    );
    let ran = run("audit verify --json", 200, BROKEN).await;
    assert_eq!(ran.printed.trim_end(), BROKEN);
}

#[tokio::test]
async fn the_latest_events_come_oldest_first_each_in_a_line() {
    const PAGE: &str = concat!(
        r#"{"data":["#,
        r#"{"eventId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c72","sequence":2,"organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6f","agentId":null,"action":"token.issued","outcome":"success","ipAddress":null,"userAgent":null,"metadata":{},"timestamp":"2026-01-31T12:00:01.000Z","previousHash":"01","hash":"02"},"#,
        r#"{"eventId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c71","sequence":1,"organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6f","agentId":null,"action":"auth.failed","outcome":"failure","ipAddress":null,"userAgent":null,"metadata":{},"timestamp":"2026-01-31T12:00:00.000Z","previousHash":"00","hash":"01"}"#,
        r#"],"total":2,"page":1,"limit":20}"#
    );
    let ran = done("audit tail --action token.issued", 200, PAGE).await;
    let actions: Vec<&str> = ran
        .printed
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    assert_eq!(actions, ["ACTION", "auth.failed", "token.issued"]);
    assert_eq!(ran.requests, ["GET /api/v1/audit?action=token.issued&limit=20"]);

    let ran = done("audit tail --json", 200, PAGE).await;
    let sequences: Vec<serde_json::Value> = ran
        .printed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["sequence"].clone())
        .collect();
    assert_eq!(sequences, [1, 2]);
}

#[tokio::test]
async fn a_refusal_is_told_with_what_to_do() {
    let refusal = r#"{"code":"AGENT_NOT_FOUND","message":"there is no such agent in this organization"}"#;
    let failure = run("agents get self", 404, refusal).await.result.expect_err("refused");
    assert_eq!(failure.exit(), Exit::NotFound);
    assert_eq!(
        failure.to_string(),
        "there is no such agent in this organization (HTTP 404, AGENT_NOT_FOUND)"
    );
    let moved_on = r#"{"code":"PRECONDITION_FAILED","message":"it has moved on"}"#;
    let ran = run(&format!("agents update {AGENT} --owner o --if-match 2"), 412, moved_on).await;
    assert_eq!(ran.result.expect_err("refused").exit(), Exit::Conflict);
}

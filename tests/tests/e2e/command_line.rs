//! The client commands against a live node: what they print, how they end, and that no secret is in their arguments.

use e2e::options::bare_command;
use e2e::process::Process;
use e2e::shell::printed;
use e2e::{Backend, Node, Shell, eventually, on_both_stores};
use serde_json::json;

on_both_stores!(
    a_token_is_taken_looked_at_and_killed,
    what_is_no_live_token_is_not_called_revoked,
    agents_live_their_lives,
    credentials_live_their_lives,
    the_audit_log_is_read_followed_and_verified,
    exit_codes_tell_what_went_wrong,
    errors_say_what_to_do,
    with_json_an_error_is_one_object,
    whoever_may_lock_themselves_out_has_to_confirm_it,
    a_secret_comes_from_a_file_too_and_is_never_in_the_arguments,
);

async fn a_token_is_taken_looked_at_and_killed(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let token = shell
        .run(&["token", "--scope", "agents:read", "--scope", "audit:read"])
        .expect(0)
        .out;
    assert!(
        node.is_active(token.trim()).await,
        "a token, and nothing else, so that a shell can catch it: {token}"
    );
    let answer = shell.json(&["token", "--scope", "openid"]);
    assert_eq!(
        (&answer["scope"], &answer["token_type"]),
        (&json!("openid"), &json!("Bearer"))
    );
    assert!(answer["id_token"].is_string());
    let page = shell.run_with_input(&["token", "introspect"], &token).expect(0).out;
    assert!(
        page.contains("agents:read audit:read") && page.contains(&node.admin.id),
        "{page}"
    );
    let body = shell
        .run_with_input(&["token", "introspect", "--json"], &token)
        .expect(0)
        .out;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body).expect("JSON")["active"],
        true
    );
    let killed = shell.run_with_input(&["token", "revoke"], &token).expect(0).out;
    assert!(killed.starts_with("revoked"), "{killed}");
    assert!(!node.is_active(token.trim()).await);
    let dead = shell.run_with_input(&["token", "introspect"], &token).expect(6).out;
    assert!(
        dead.contains("not active") && dead.contains("its agent is suspended"),
        "{dead}"
    );
    let dead = shell
        .run_with_input(&["token", "introspect", "--json"], &token)
        .expect(6);
    assert!(dead.out.contains("\"active\":false"), "{dead:?}");
}

async fn what_is_no_live_token_is_not_called_revoked(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let token = shell.run(&["token"]).expect(0).out;
    let _ = shell.run_with_input(&["token", "revoke"], &token).expect(0);
    for dead in [token.as_str(), "garbage"] {
        let told = shell.run_with_input(&["token", "revoke"], dead).expect(4).out;
        assert!(
            told.starts_with("not revoked") && told.contains("no live token"),
            "{told}"
        );
        let told = shell.run_with_input(&["token", "revoke", "--json"], dead).expect(4).out;
        assert_eq!(told.trim(), r#"{"revoked":false}"#);
    }
    // Who may not look may kill all the same, and is told no more than is known.
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let narrow = admin.new_secret(&agent, &json!({ "scopes": ["agents:read"] })).await;
    let blind = Shell::of(&node, &narrow);
    let token = blind.run(&["token"]).expect(0).out;
    for token in [token.as_str(), "garbage"] {
        let told = blind.run_with_input(&["token", "revoke"], token).expect(0).out;
        assert!(
            told.contains("will not accept it") && told.contains("not known"),
            "{told}"
        );
    }
    assert!(!node.is_active(token.trim()).await);
    let others = shell.run(&["token"]).expect(0).out;
    let _ = blind.run_with_input(&["token", "revoke"], &others).expect(3);
    assert!(node.is_active(others.trim()).await);
}

const NEW_AGENT: [&str; 10] = [
    "agents",
    "register",
    "--email",
    "cli@agents.example",
    "--owner",
    "shell",
    "--type",
    "router",
    "--capability",
    "mail:send",
];

async fn agents_live_their_lives(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let agent = shell.json(&NEW_AGENT);
    let id = agent["agentId"].as_str().expect("an id");
    assert_eq!(
        (&agent["email"], &agent["agentType"]),
        (&json!("cli@agents.example"), &json!("router"))
    );
    let table = shell.run(&["agents", "list", "--type", "router"]).expect(0).out;
    assert!(table.contains(id) && !table.contains(&node.admin.id), "{table}");
    assert_eq!(shell.json(&["agents", "list"])["total"], 2);
    let _ = shell
        .run(&["agents", "update", id, "--owner", "somebody else"])
        .expect(0);
    assert_eq!(shell.json(&["agents", "get", id])["owner"], "somebody else");
    for (command, status) in [("suspend", "suspended"), ("reactivate", "active")] {
        let _ = shell.run(&["agents", command, id]).expect(0);
        assert_eq!(shell.json(&["agents", "get", id])["status"], status);
    }
    let _ = shell.run(&["agents", "decommission", id]).expect(2);
    assert_eq!(
        shell.json(&["agents", "get", id])["status"],
        "active",
        "not without confirmation"
    );
    let _ = shell.run(&["agents", "decommission", id, "--yes"]).expect(0);
    assert_eq!(shell.json(&["agents", "get", id])["status"], "decommissioned");
    assert_eq!(shell.json(&["agents", "get", "self"])["agentId"], node.admin.id);
}

async fn credentials_live_their_lives(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let agent = shell.json(&NEW_AGENT)["agentId"].as_str().expect("an id").to_owned();
    let made = e2e::Client::of_credential(&shell.json(&["credentials", "generate", &agent, "--scope", "agents:read"]));
    let _ = node.token(&made, "agents:read").await;
    let rotated = shell.json(&["credentials", "rotate", &agent, &made.credential]);
    let rotated = made.with_secret(rotated["clientSecret"].as_str().expect("a secret"));
    let token = node.token(&rotated, "agents:read").await;
    let list = shell.run(&["credentials", "list", &agent]).expect(0).out;
    assert!(
        list.contains(&made.credential) && list.contains("active") && !list.contains(&rotated.secret),
        "{list}"
    );
    let _ = shell
        .run(&["credentials", "revoke", &agent, &made.credential])
        .expect(0);
    assert!(!node.is_active(&token).await);
    let _ = shell
        .run(&["credentials", "revoke", &agent, &made.credential])
        .expect(5);
}

async fn the_audit_log_is_read_followed_and_verified(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let follow = [
        "audit",
        "tail",
        "--follow",
        "--interval",
        "200ms",
        "--action",
        "agent.created",
        "--json",
    ];
    let log = shell.path("follow.log");
    let (mut following, _) = Process::start(&mut shell.command(&follow), &log);
    let agent = shell.json(&NEW_AGENT)["agentId"].as_str().expect("an id").to_owned();
    let followed = || std::fs::read_to_string(&log).unwrap_or_default();
    eventually("the new event", async || followed().contains(&agent).then_some(())).await;
    assert!(
        followed()
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{}",
        followed()
    );
    following.kill();
    let tail = shell.run(&["audit", "tail", "-n", "3"]).expect(0).out;
    assert!(
        tail.contains("agent.created") || tail.contains("token.issued"),
        "{tail}"
    );
    assert!(tail.starts_with("TIME ") && !tail.contains('…'), "{tail}");
    let _ = shell.run(&["audit", "verify"]).expect(0);
    node.place
        .store
        .execute_unchecked("UPDATE audit_events SET action = 'agent.updated' WHERE sequence = 1")
        .await;
    let broken = shell.run(&["audit", "verify"]).expect(6);
    assert!(broken.out.to_uppercase().contains("BROKEN"), "{broken:?}");
}

async fn exit_codes_tell_what_went_wrong(backend: Backend) {
    let mut node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let nobody = "01900000-0000-7000-8000-000000000000";
    let _ = shell.run(&NEW_AGENT).expect(0);
    let _ = shell.run(&NEW_AGENT).expect(5);
    let _ = shell.run(&["agents", "get", nobody]).expect(4);
    let _ = shell.run(&["agents", "get", "not-an-id"]).expect(2);
    let _ = shell.run(&["agents", "fly"]).expect(2);
    let _ = shell
        .run(&["agents", "register", "--email", "no address", "--owner", "x"])
        .expect(2);
    let impostor = Shell::of(&node, &node.admin.with_secret("sk_live_0"));
    let _ = impostor.run(&["agents", "list"]).expect(3);
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let weak = Shell::of(
        &node,
        &admin.new_secret(&agent, &json!({ "scopes": ["agents:read"] })).await,
    );
    let _ = weak.run(&["agents", "suspend", &agent, "--yes"]).expect(3);
    let _ = printed(shell.command(&["token"]).env_remove("AGENTIDP_CLIENT_SECRET"), "").expect(2);
    let _ = printed(shell.command(&["token"]).env_remove("AGENTIDP_CLIENT_ID"), "").expect(2);
    node.kill();
    let _ = shell.run(&["agents", "list"]).expect(69);
}

async fn errors_say_what_to_do(backend: Backend) {
    let mut node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let impostor = Shell::of(&node, &node.admin.with_secret("sk_live_0"));
    let refused = impostor.run(&["agents", "list"]);
    assert!(refused.out.is_empty() && refused.err.contains("secret"), "{refused:?}");
    let invalid = shell.run(&["agents", "register", "--email", "no address", "--owner", ""]);
    assert!(
        invalid.err.contains("email") && invalid.err.contains("owner"),
        "every field is named: {invalid:?}"
    );
    node.kill();
    let gone = shell.run(&["agents", "list"]);
    assert!(
        gone.err.contains("agentidp dev") && gone.err.contains(node.api().base()),
        "{gone:?}"
    );
    for failed in [refused, invalid, gone] {
        assert!(
            !failed.err.contains("panicked") && !failed.err.contains("sk_live_"),
            "{failed:?}"
        );
    }
}

async fn with_json_an_error_is_one_object(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let error = |arguments: &[&str], code: i32| -> serde_json::Value {
        let failed = shell.run(&[arguments, &["--json"]].concat()).expect(code);
        assert_eq!(failed.out, "", "{failed:?}");
        let mut object: serde_json::Value = serde_json::from_str(&failed.err).expect("one JSON object");
        let error = object["error"].take();
        let keys: Vec<&String> = error.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["code", "hint", "message"], "{failed:?}");
        error
    };
    let nobody = "01900000-0000-7000-8000-000000000000";
    assert_eq!(error(&["agents", "get", nobody], 4)["code"], "AGENT_NOT_FOUND");
    let mistyped = error(&["token", "--scope", "agents:raed"], 2);
    assert_eq!(mistyped["code"], "USAGE");
    let message = mistyped["message"].as_str().expect("a text");
    assert!(
        message.contains("did you mean agents:read?") && message.contains("admin:orgs"),
        "{message}"
    );
    assert_eq!(error(&["agents", "suspend", "self"], 2)["code"], "NOT_CONFIRMED");
    let empty = error(&["token", "introspect"], 2);
    assert_eq!(empty["message"], "standard input is empty; it must hold one line");
    let nowhere = error(&["config", "check", "--config", "/nowhere.toml"], 2);
    assert_eq!(nowhere["code"], "CONFIGURATION_INVALID");
}

async fn whoever_may_lock_themselves_out_has_to_confirm_it(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let told = shell.run(&["agents", "suspend", "self"]).expect(2).err;
    assert!(told.contains("--yes"), "{told}");
    let admin = node.admin().await;
    let other = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let may_write = json!({ "scopes": ["agents:read", "agents:write"] });
    let writer = Shell::of(&node, &admin.new_secret(&other, &may_write).await);
    let told = writer.run(&["agents", "suspend", &node.admin.id]).expect(2).err;
    assert!(told.contains("admin:orgs") && told.contains("--yes"), "{told}");
    assert_eq!(shell.json(&["agents", "get", "self"])["status"], "active");
    // Another one who could undo it.
    let may_undo = json!({ "scopes": ["agents:read", "agents:write", "admin:orgs"] });
    let operator = Shell::of(&node, &admin.new_secret(&other, &may_undo).await);
    let _ = writer.run(&["agents", "suspend", &node.admin.id]).expect(3);
    let _ = operator.run(&["agents", "suspend", &node.admin.id]).expect(0);
    let _ = operator.run(&["agents", "reactivate", &node.admin.id]).expect(0);
    let _ = shell.run(&["agents", "suspend", &other]).expect(0);
}

async fn a_secret_comes_from_a_file_too_and_is_never_in_the_arguments(backend: Backend) {
    let node = Node::start(backend).await;
    let shell = Shell::of(&node, &node.admin);
    let file = shell.path("secret");
    std::fs::write(&file, format!("{}\n", node.admin.secret)).expect("a directory of our own");
    let mut from_file = shell.command(&["token", "--client-secret-file", &file.display().to_string()]);
    let token = printed(from_file.env_remove("AGENTIDP_CLIENT_SECRET"), "")
        .expect(0)
        .out;
    assert!(node.is_active(token.trim()).await);
    let saved = shell.path("saved");
    let generate = [
        "credentials",
        "generate",
        "self",
        "--save-secret",
        &saved.display().to_string(),
    ];
    let shown = shell.run(&generate).expect(0);
    let secret = std::fs::read_to_string(&saved).expect("the secret was saved");
    assert!(
        secret.starts_with("sk_live_") && !shown.out.contains(secret.trim()),
        "{shown:?}"
    );
    // There is no option that takes one.
    for command in [
        &["token"][..],
        &["credentials", "generate"],
        &["agents", "list"],
        &["dev"],
        &["serve"],
        &["init"],
    ] {
        let help = printed(&mut bare_command(&[command, &["--help"]].concat()), "")
            .expect(0)
            .out;
        for word in help.split_whitespace().filter(|word| word.starts_with("--")) {
            let takes_a_file_or_nothing =
                word.ends_with("-file") || ["--save-secret", "--new-admin-secret"].contains(&word);
            assert!(
                takes_a_file_or_nothing || !(word.contains("secret") || word.contains("password") || word == "--token"),
                "{word} in {help}"
            );
        }
    }
    let argument = shell.run(&["token", "--client-secret", &node.admin.secret]);
    assert_eq!(argument.code, 2, "{argument:?}");
}

#[test]
fn completion_scripts_are_scripts() {
    let shells = [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])];
    for (shell, check) in shells {
        let script = printed(&mut bare_command(&["completion", shell]), "").expect(0).out;
        for word in ["agentidp", "dev", "credentials", "decommission"] {
            assert!(script.contains(word), "{word} in the script for {shell}");
        }
        let mut parse = std::process::Command::new(shell);
        match parse.args(check).arg("/dev/stdin").spawn_checked(&script) {
            Some(true) => {}
            Some(false) => panic!("{shell} does not parse its script:\n{script}"),
            None => e2e::skip::note(
                &format!("command_line::completion_scripts_are_scripts ({shell})"),
                "there is no such shell",
            ),
        }
    }
    assert_eq!(printed(&mut bare_command(&["completion", "cmd.exe"]), "").code, 2);
}

/// Whether a program that may not be installed accepts a script on its input.
trait SpawnChecked {
    fn spawn_checked(&mut self, script: &str) -> Option<bool>;
}

impl SpawnChecked for std::process::Command {
    fn spawn_checked(&mut self, script: &str) -> Option<bool> {
        self.get_program().to_str().filter(|name| which(name))?;
        Some(printed(self, script).code == 0)
    }
}

fn which(program: &str) -> bool {
    e2e::settings::search_path()
        .split(':')
        .any(|folder| std::path::Path::new(folder).join(program).exists())
}

#[test]
fn the_version_and_the_help_are_printed() {
    let version = printed(&mut bare_command(&["version"]), "").expect(0).out;
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let json = printed(&mut bare_command(&["version", "--json"]), "").expect(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("a JSON object");
    let commit = json["commit"].as_str().expect("a commit");
    assert!(version.contains(commit), "{version}");
    assert!(
        commit == "unknown" || (commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{json}"
    );
    let help = printed(&mut bare_command(&["--help"]), "").expect(0).out;
    for command in [
        "dev",
        "init",
        "serve",
        "migrate",
        "config",
        "token",
        "agents",
        "credentials",
        "audit",
        "completion",
        "version",
    ] {
        assert!(help.contains(command), "{command} in {help}");
    }
    let below = printed(&mut bare_command(&["agents", "suspend", "--help"]), "")
        .expect(0)
        .out;
    for help in [help, below] {
        for code in ["0", "1", "2", "3", "4", "5", "6", "69"] {
            assert!(
                help.split(|c: char| !c.is_ascii_digit()).any(|word| word == code),
                "the exit code {code} is documented in {help}"
            );
        }
    }
    assert_eq!(printed(&mut bare_command(&[]), "").code, 2);
}

//! `agentidp config check`: what is in force, or everything that is wrong.

use std::process::Output;

use e2e::options::bare_command;
use e2e::scratch::Scratch;

struct Check {
    scratch: Scratch,
    environment: Vec<(&'static str, String)>,
}

impl Check {
    fn of(toml: &str) -> Self {
        let scratch = Scratch::new();
        std::fs::write(scratch.path("agentidp.toml"), toml).expect("the scratch directory can be written");
        Self {
            scratch,
            environment: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    fn run(&self, more: &[&str]) -> Output {
        let file = self.scratch.path("agentidp.toml").display().to_string();
        let mut command = bare_command(&["config", "check", "--config", &file]);
        command
            .args(more)
            .envs(self.environment.iter().cloned())
            .current_dir(self.scratch.path(""));
        command.output().expect("the program runs")
    }

    fn effective(&self, more: &[&str]) -> serde_json::Value {
        let output = self.run(&[&["--json"], more].concat());
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("a JSON object")
    }

    /// The complaint about a configuration that must be refused.
    fn complaint(&self) -> String {
        let output = self.run(&[]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8(output.stderr).expect("text")
    }
}

#[test]
fn defaults_are_the_documented_ones() {
    let effective = Check::of("").effective(&[]);
    for (key, value) in [
        ("server.listen", "127.0.0.1:3000"),
        ("server.operator_listen", "127.0.0.1:3900"),
        ("limits.requests_per_minute", "100"),
        ("limits.verify_per_minute", "30"),
        ("store.pool_max", "20"),
        ("store.pool_min", "2"),
        ("keys.algorithm", "EdDSA"),
        ("cluster.heartbeat", "100ms"),
        ("cluster.max_revocation_staleness", "5s"),
        ("server.drain_timeout", "30s"),
        ("server.request_timeout", "10s"),
        ("server.connections_max", "10000"),
        ("server.connections_per_address_max", "1000"),
    ] {
        assert_eq!(effective[key], value, "{key}");
    }
}

#[test]
fn the_environment_overrides_the_file_and_flags_override_both() {
    let check = Check::of("[server]\nlisten = \"127.0.0.1:1111\"\nbody_limit = \"1 KiB\"\n");
    assert_eq!(check.effective(&[])["server.listen"], "127.0.0.1:1111");
    let check = check.with("AGENTIDP_SERVER__LISTEN", "127.0.0.1:2222");
    assert_eq!(check.effective(&[])["server.listen"], "127.0.0.1:2222");
    assert_eq!(
        check.effective(&["--listen", "127.0.0.1:3333"])["server.listen"],
        "127.0.0.1:3333"
    );
}

#[test]
fn an_address_has_at_most_all_connections() {
    let few = Check::of("[server]\nconnections_max = 4\n").effective(&[]);
    assert_eq!(few["server.connections_per_address_max"], "4");
    for wrong in [0, 5] {
        let toml = format!("[server]\nconnections_max = 4\nconnections_per_address_max = {wrong}\n");
        let complaint = Check::of(&toml).complaint();
        assert!(complaint.contains("server.connections_per_address_max"), "{complaint}");
    }
}

#[test]
fn well_known_names_are_understood() {
    let check = Check::of("")
        .with("DATABASE_URL", "postgres://user:hunter2@db.example/idp")
        .with("REDIS_URL", "redis://:hunter2@r.example");
    let text = String::from_utf8(check.run(&[]).stdout).expect("text");
    assert!(text.contains("store.url") && text.contains("redis.url"), "{text}");
    assert!(!text.contains("hunter2"), "secrets are masked: {text}");
    let port = Check::of("").with("PORT", "8123");
    assert!(String::from_utf8(port.run(&[]).stdout).expect("text").contains("8123"));
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    for (toml, near) in [
        ("[server]\nlisten_adress = \"127.0.0.1:1\"\n", "server.listen"),
        ("[limits]\nrequest_per_minute = 5\n", "limits.requests_per_minute"),
        ("[cluster]\nhartbeat = \"1s\"\n", "cluster.heartbeat"),
    ] {
        let complaint = Check::of(toml).complaint();
        assert!(complaint.contains(near), "{near} in: {complaint}");
    }
    let complaint = Check::of("").with("AGENTIDP_SERVER__LISTN", "127.0.0.1:1").complaint();
    assert!(complaint.contains("server.listen"), "{complaint}");
}

#[test]
fn every_mistake_is_told_at_once() {
    let toml = "[server]\nlisten = \"nowhere\"\nrequest_timeout = \"soon\"\n[limits]\nrequests_per_minute = -5\n[keys]\nalgorithm = \"HS256\"\n[telemetry]\nlog_format = \"xml\"\n";
    let complaint = Check::of(toml).complaint();
    for key in [
        "server.listen",
        "server.request_timeout",
        "limits.requests_per_minute",
        "keys.algorithm",
        "telemetry.log_format",
    ] {
        assert!(complaint.contains(key), "{key} in: {complaint}");
    }
}

#[test]
fn what_the_files_on_this_machine_have_wrong_is_told_with_the_rest() {
    let toml = "[server]\nlisten = \"127.0.0.1:4000\"\noperator_listen = \"127.0.0.1:4000\"\nbody_limt = 1\n\
                tls.cert = \"cert.pem\"\ntls.key = \"key.pem\"\n\
                [keys]\nmaster_key_file = \"key\"\n[cluster]\ndata_dir = \"agentidp.toml/data\"\n";
    let check = Check::of(toml);
    std::fs::write(check.scratch.path("key"), "short").expect("the scratch directory can be written");
    let complaint = check.complaint();
    for key in [
        "server.operator_listen",
        "server.body_limt",
        "server.tls.cert",
        "server.tls.key",
        "keys.master_key",
        "cluster.data_dir",
    ] {
        assert!(complaint.contains(&format!("\n  {key}")), "{key} in: {complaint}");
    }
}

#[test]
fn what_follows_from_other_settings_is_shown_and_nothing_is_made() {
    let check = Check::of("").with("PORT", "8123");
    let effective = check.effective(&[]);
    assert_eq!(effective["server.listen"], "127.0.0.1:8123");
    assert!(effective.get("server.port").is_none(), "{effective}");
    assert_eq!(effective["server.public_url"], "http://127.0.0.1:8123");
    assert_eq!(effective["store.url"], "embedded:agentidp-data/agentidp.db");
    assert_eq!(effective["keys.master_key"], "in agentidp-data/master.key");
    assert!(!check.scratch.path("agentidp-data").exists());
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_place() {
    let complaint = Check::of("[server]\nlisten = \n").complaint();
    assert!(
        complaint.contains("agentidp.toml") && complaint.contains("line 2"),
        "{complaint}"
    );
    let missing = bare_command(&["config", "check", "--config", "/nowhere/agentidp.toml"])
        .output()
        .expect("it runs");
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nowhere/agentidp.toml"));
}

#[test]
fn a_secret_may_be_in_a_file_and_is_never_printed() {
    let secret = "0123456789abcdef".repeat(4);
    let check = Check::of("[keys]\nmaster_key_file = \"key\"\n");
    std::fs::write(check.scratch.path("key"), &secret).expect("the scratch directory can be written");
    let output = check.run(&[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains(&secret), "{text}");
    let unreadable = Check::of("[keys]\nmaster_key_file = \"nowhere\"\n").complaint();
    assert!(
        unreadable.contains("master_key_file") && unreadable.contains("nowhere"),
        "{unreadable}"
    );
    let bad = Check::of("[keys]\nmaster_key = \"not hexadecimal\"\n").run(&[]);
    assert!(!String::from_utf8_lossy(&bad.stderr).contains("not hexadecimal"));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (toml, key) in [
        ("[cluster]\nheartbeat = \"1s\"\n", "cluster.election_timeout"),
        ("[store]\npool_min = 5\npool_max = 2\n", "store.pool_max"),
        ("[server]\ncors_origins = [\"*\"]\n", "server.cors_origins"),
        ("[server.tls]\ncert = \"cert.pem\"\n", "server.tls"),
        ("[store]\nurl = \"mysql://x\"\n", "store.url"),
    ] {
        let complaint = Check::of(toml).complaint();
        assert!(complaint.contains(key), "{key} in: {complaint}");
    }
}

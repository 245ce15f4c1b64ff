//! Layers, mistakes and masking.

use super::*;

fn load(toml: &str, env: &[(&str, &str)]) -> Result<(Config, Vec<Effective>), ConfigError> {
    Config::load(vec![
        Source::toml("agentidp.toml", toml)?,
        Environment::of(env).settings(),
    ])
}

fn mistakes(toml: &str, env: &[(&str, &str)]) -> String {
    load(toml, env)
        .map(|_| ())
        .expect_err("the configuration is wrong")
        .to_string()
}

#[test]
fn an_empty_configuration_is_a_node_on_loopback_with_an_embedded_store() {
    let (config, _) = load("", &[]).expect("all keys have defaults");
    assert!(config.server.listen.ip().is_loopback());
    assert!(matches!(config.store.location, StoreLocation::Embedded(None)));
    assert_eq!(config.limits.token_requests_per_minute, 100);
}

#[test]
fn the_environment_wins_over_the_file() {
    let toml = "[server]\nlisten = '127.0.0.1:1'\nrequest_timeout = '3s'\n[limits]\nrequests_per_minute = 7";
    let (config, effective) = load(toml, &[("AGENTIDP_SERVER__LISTEN", "127.0.0.1:2")]).expect("valid");
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.server.request_timeout.as_secs(), 3);
    assert_eq!(config.limits.introspect_per_minute, 7);
    let listen = effective
        .iter()
        .find(|setting| setting.key == "server.listen")
        .expect("printed");
    assert_eq!(listen.origin, "environment");
}

#[test]
fn well_known_names_are_understood_and_yield_to_ours() {
    let env = [
        ("DATABASE_URL", "postgres://a@b/c"),
        ("PORT", "8080"),
        ("AGENTIDP_STORE__URL", "embedded:/tmp/x.db"),
    ];
    let (config, _) = load("", &env).expect("valid");
    assert_eq!(config.server.listen.port(), 8080);
    assert!(matches!(config.store.location, StoreLocation::Embedded(Some(path)) if path.ends_with("x.db")));
}

#[test]
fn the_variable_that_gives_a_key_is_known_by_name() {
    let variable = |env: &[(&str, &str)]| Environment::of(env).variable_of("store.url");
    assert_eq!(variable(&[]), None);
    assert_eq!(variable(&[("DATABASE_URL", "x")]).as_deref(), Some("DATABASE_URL"));
    let both = [("DATABASE_URL", "x"), ("AGENTIDP_STORE__URL", "y")];
    assert_eq!(variable(&both).as_deref(), Some("AGENTIDP_STORE__URL"));
}

#[test]
fn what_follows_from_other_keys_is_shown_and_a_port_is_part_of_its_address() {
    let env = [("PORT", "8080"), ("AGENTIDP_CLUSTER__DATA_DIR", "/d")];
    let (_, effective) = load("", &env).expect("valid");
    let shown = |key: &str| {
        let setting = effective.iter().find(|setting| setting.key == key)?;
        Some((setting.value.as_str(), setting.origin.as_str()))
    };
    assert_eq!(shown("server.listen"), Some(("127.0.0.1:8080", "environment")));
    assert_eq!(shown("server.port"), None);
    assert_eq!(shown("server.public_url"), Some(("http://127.0.0.1:8080", "default")));
    assert_eq!(shown("store.url"), Some(("embedded:/d/agentidp.db", "default")));
    assert_eq!(shown("keys.master_key"), Some(("in /d/master.key", "default")));
}

#[test]
fn two_listeners_do_not_share_a_port() {
    let toml =
        |listen: &str, operators: &str| format!("[server]\nlisten = '{listen}'\noperator_listen = '{operators}'");
    for (listen, operators) in [("127.0.0.1:4000", "127.0.0.1:4000"), ("0.0.0.0:4000", "127.0.0.1:4000")] {
        assert!(mistakes(&toml(listen, operators), &[]).contains("server.operator_listen"));
    }
    for (listen, operators) in [("127.0.0.1:0", "127.0.0.1:0"), ("127.0.0.1:4000", "127.0.0.2:4000")] {
        assert!(load(&toml(listen, operators), &[]).is_ok(), "{listen} {operators}");
    }
}

#[test]
fn who_listens_everywhere_is_found_on_this_machine() {
    let issuer = |listen: &str| {
        let (config, _) = load(&format!("[server]\nlisten = '{listen}'"), &[]).expect("valid");
        config.server.default_issuer(config.server.listen)
    };
    assert_eq!(issuer("0.0.0.0:3000"), "http://127.0.0.1:3000");
    assert_eq!(issuer("[::]:3000"), "http://[::1]:3000");
    assert_eq!(issuer("10.0.0.1:3000"), "http://10.0.0.1:3000");
}

#[test]
fn a_port_alone_changes_an_address_of_a_weaker_layer_only() {
    let port = |file: &str, env: &[(&str, &str)]| load(file, env).expect("valid").0.server.listen.port();
    let listen = "[server]\nlisten = '127.0.0.1:4000'";
    assert_eq!(port(listen, &[]), 4000);
    assert_eq!(port(listen, &[("PORT", "8080")]), 8080);
    let both = [("PORT", "8080"), ("AGENTIDP_SERVER__LISTEN", "127.0.0.1:5000")];
    assert_eq!(port(listen, &both), 5000);
}

#[test]
fn every_mistake_is_reported_at_once_and_the_nearest_key_is_named() {
    let text = mistakes(
        "[server]\nlisten = 'here'\nbody_limt = 5\n[cluster]\nheartbeat = '2s'",
        &[("AGENTIDP_LIMITS__VERIFY_PER_MINUTE", "-1")],
    );
    assert!(
        text.contains("server.listen (agentidp.toml): must be an address and a port"),
        "{text}"
    );
    assert!(text.contains("did you mean server.body_limit?"), "{text}");
    assert!(text.contains("cluster.election_timeout"), "{text}");
    assert!(text.contains("limits.verify_per_minute (environment)"), "{text}");
}

#[test]
fn variables_of_the_client_commands_are_no_settings() {
    assert!(
        load(
            "",
            &[
                ("AGENTIDP_SERVER", "http://127.0.0.1:1"),
                ("AGENTIDP_CLIENT_SECRET", "x")
            ]
        )
        .is_ok()
    );
}

#[test]
fn secrets_are_masked_and_can_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "postgres://user:hunter2@db/x\n").expect("written");
    let toml = format!("[store]\nurl_file = '{}'", file.path().display());
    let (config, effective) = load(&toml, &[]).expect("valid");
    assert!(
        matches!(config.store.location, StoreLocation::Postgres(url) if url.expose() == "postgres://user:hunter2@db/x")
    );
    assert!(!format!("{effective:?}").contains("hunter2"));
    assert!(mistakes("[store]\nurl_file = '/nonexistent/secret'", &[]).contains("store.url_file"));
    assert!(mistakes("[store]\nurl_file = '/x'\nurl = 'postgres://a'", &[]).contains("give one of them"));
}

#[test]
fn a_wildcard_origin_and_half_a_certificate_are_refused() {
    let text = mistakes("[server]\ncors_origins = ['*']\ntls.cert = 'a.pem'", &[]);
    assert!(
        text.contains("server.cors_origins") && text.contains("server.tls"),
        "{text}"
    );
}

#[test]
fn broken_toml_names_the_line() {
    assert!(mistakes("[server\n", &[]).contains("line 1"));
    assert!(mistakes("x = 1.5", &[]).contains("float"));
}

#[test]
fn keys_that_follow_each_other_keep_what_is_promised() {
    let (config, effective) = load("", &[]).expect("the defaults keep it");
    assert_eq!(config.keys.retain, config.keys.terms().kept_after_use());
    let shown = effective.iter().find(|setting| setting.key == "keys.retain");
    assert_eq!(shown.map(|setting| setting.value.as_str()), Some("1day 1m"));

    let seconds = "[keys]\nrotation_interval = '9s'\npublish_ahead = '4s'\nretain = '8s'\n\
                   jwks_max_age = '1s'\ntoken_ttl_max = '5s'\nclock_skew = '3s'\n\
                   former_master_key_files = ['/a', '/b']\n[cluster]\nmax_revocation_staleness = '3s'";
    let (config, _) = load(seconds, &[]).expect("short, and kept all the same");
    assert_eq!(config.keys.former_master_key_files.len(), 2);
    let env = [("AGENTIDP_KEYS__PUBLISH_AHEAD", "2h")];
    let (config, _) = load("", &env).expect("valid");
    assert_eq!(config.keys.publish_ahead.as_secs(), 7_200);
}

#[test]
fn a_schedule_that_can_keep_no_promise_is_refused_with_all_its_reasons() {
    let hasty = "[keys]\nrotation_interval = '1m'\npublish_ahead = '5m'\nretain = '1h'\nclock_skew = '1s'";
    let refused = mistakes(hasty, &[]);
    for expected in [
        "keys.publish_ahead: must be at least 5m 1s",
        "keys.retain: must be at least 1day 1s",
        "keys.rotation_interval: must be at least 10m",
        "keys.rotation_interval: must be at least keys.retain / 50",
        "keys.clock_skew: must be at least cluster.max_revocation_staleness",
    ] {
        assert!(refused.contains(expected), "{expected} in\n{refused}");
    }
    let impossible = "[keys]\ntoken_ttl_max = '25h'\njwks_max_age = '0s'\nclock_skew = '2d'";
    let refused = mistakes(impossible, &[]);
    for expected in ["keys.token_ttl_max", "keys.jwks_max_age", "keys.clock_skew"] {
        assert!(refused.contains(expected), "{expected} in\n{refused}");
    }
}

#[test]
fn operators_are_served_off_this_machine_over_tls_only() {
    let listening = |address: &str, tls: &str| format!("[server]\noperator_listen = '{address}'\n{tls}");
    let pair = "operator_tls.cert = 'a'\noperator_tls.key = 'b'";
    for address in ["0.0.0.0:3900", "10.0.0.1:3900", "[::]:3900"] {
        let refused = mistakes(&listening(address, ""), &[]);
        assert!(
            refused.contains("server.operator_tls") && refused.contains("token"),
            "{refused}"
        );
        let (config, _) = load(&listening(address, pair), &[]).expect("valid");
        assert_eq!(config.server.operator_tls.expect("it is there").ca, None);
    }
    assert!(load(&listening("[::1]:3900", ""), &[]).is_ok());
    for half in [
        "operator_tls.cert = 'a'",
        "operator_tls.ca = 'a'",
        "operator_tls.ca = 'a'\noperator_tls.key = 'b'",
    ] {
        assert!(
            mistakes(&listening("127.0.0.1:3900", half), &[]).contains("both cert and key"),
            "{half}"
        );
    }
}

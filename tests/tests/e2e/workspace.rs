//! The direction of dependencies, as ARCHITECTURE.md draws it, compared with what `cargo metadata` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each crate and which others of the workspace it may use. Siblings never import each other; they meet in `node`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("storage", &["domain"]),
    ("cluster", &["domain"]),
    ("actors", &["domain", "protocol"]),
    ("sdk", &[]),
    ("node", &["actors", "cluster", "domain", "protocol", "sdk", "storage"]),
    ("simulation", &["cluster", "domain", "node", "protocol", "storage"]),
    ("e2e", &["sdk", "simulation"]),
];

/// Each library that is kept in one place, and that place. The tests look behind the node's back, so they know the
/// stores' clients too.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("warp", &["node"]),
    ("hyper", &["node"]),
    ("tokio-postgres", &["storage", "e2e"]),
    ("bb8-postgres", &["storage"]),
    ("rusqlite", &["storage", "e2e"]),
    ("openraft", &["cluster"]),
    ("redb", &["cluster"]),
    ("bincode", &["cluster"]),
    ("ractor", &["actors"]),
    ("clap", &["node", "simulation", "e2e"]),
    ("redis", &["node"]),
    ("jsonwebtoken", &["protocol", "e2e"]),
];

/// What each crate depends on directly, tests and build scripts included.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(e2e::settings::cargo())
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    packages
        .iter()
        .map(|package| {
            (
                name(package),
                package["dependencies"]
                    .as_array()
                    .expect("dependencies")
                    .iter()
                    .map(name)
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn crates_use_only_what_lies_below_them() {
    let dependencies = dependencies();
    let ours: BTreeSet<&String> = dependencies.keys().collect();
    let listed: BTreeSet<String> = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        ours.into_iter().cloned().collect::<BTreeSet<_>>(),
        listed,
        "every crate has its place here"
    );
    for (name, allowed) in MAY_USE {
        let used: BTreeSet<&str> = dependencies[*name]
            .iter()
            .map(String::as_str)
            .filter(|used| listed.contains(*used))
            .collect();
        let forbidden: Vec<&&str> = used.iter().filter(|used| !allowed.contains(used)).collect();
        assert!(forbidden.is_empty(), "{name} must not use {forbidden:?}");
    }
}

#[test]
fn each_library_stays_where_it_belongs() {
    let dependencies = dependencies();
    for (library, places) in KEPT_IN {
        let users: Vec<&String> = dependencies
            .iter()
            .filter(|(_, used)| used.contains(*library))
            .map(|(name, _)| name)
            .collect();
        let strangers: Vec<&&String> = users.iter().filter(|name| !places.contains(&name.as_str())).collect();
        assert!(
            strangers.is_empty(),
            "{library} is for {places:?}, not for {strangers:?}"
        );
    }
}

#[test]
fn only_the_http_folder_knows_warp() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node/src");
    let strangers: Vec<_> = e2e::store::files_under(&source)
        .into_iter()
        .filter(|path| !path.starts_with(source.join("http")))
        .filter(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("warp::")))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn only_the_storage_crate_knows_sql() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let statements = ["INSERT INTO ", "SELECT ", "DELETE FROM ", "UPDATE "];
    let strangers: Vec<_> = [
        "node/src",
        "node/domain",
        "node/protocol",
        "node/sdk",
        "actors",
        "cluster",
    ]
    .iter()
    .flat_map(|folder| e2e::store::files_under(&root.join(folder)))
    .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
    .filter(|path| {
        std::fs::read_to_string(path).is_ok_and(|text| statements.iter().any(|statement| text.contains(statement)))
    })
    .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

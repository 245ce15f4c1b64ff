//! Black-box tests over the real program: one binary, one module for each thing that the program promises.
//!
//! Every test has a node, a data directory and a database of its own, so tests run in any order and beside each other.

#[path = "e2e/agent_info.rs"]
mod agent_info;
#[path = "e2e/agents.rs"]
mod agents;
#[path = "e2e/agents_list.rs"]
mod agents_list;
#[path = "e2e/algorithms.rs"]
mod algorithms;
#[path = "e2e/audit.rs"]
mod audit;
#[path = "e2e/authorization.rs"]
mod authorization;
#[path = "e2e/bad_input.rs"]
mod bad_input;
#[path = "e2e/bearer.rs"]
mod bearer;
#[path = "e2e/cluster.rs"]
mod cluster;
#[path = "e2e/command_line.rs"]
mod command_line;
#[path = "e2e/configuration.rs"]
mod configuration;
#[path = "e2e/connections.rs"]
mod connections;
#[path = "e2e/conventions.rs"]
mod conventions;
#[path = "e2e/crash_loop.rs"]
mod crash_loop;
#[path = "e2e/credentials.rs"]
mod credentials;
#[path = "e2e/damage.rs"]
mod damage;
#[path = "e2e/discovery.rs"]
mod discovery;
#[path = "e2e/disk.rs"]
mod disk;
#[path = "e2e/first_start.rs"]
mod first_start;
#[path = "e2e/greed.rs"]
mod greed;
#[path = "e2e/heads.rs"]
mod heads;
#[path = "e2e/health.rs"]
mod health;
#[path = "e2e/introspection.rs"]
mod introspection;
#[path = "e2e/key_rotation.rs"]
mod key_rotation;
#[path = "e2e/life_cycle.rs"]
mod life_cycle;
#[path = "e2e/limits.rs"]
mod limits;
#[path = "e2e/master_key.rs"]
mod master_key;
#[path = "e2e/metrics.rs"]
mod metrics;
#[path = "e2e/operator_tls.rs"]
mod operator_tls;
#[path = "e2e/proxies.rs"]
mod proxies;
#[path = "e2e/recovery.rs"]
mod recovery;
#[path = "e2e/reload.rs"]
mod reload;
#[path = "e2e/revocation.rs"]
mod revocation;
#[path = "e2e/rust_client.rs"]
mod rust_client;
#[path = "e2e/secrecy.rs"]
mod secrecy;
#[path = "e2e/tampering.rs"]
mod tampering;
#[path = "e2e/tenants.rs"]
mod tenants;
#[path = "e2e/tidy.rs"]
mod tidy;
#[path = "e2e/tls.rs"]
mod tls;
#[path = "e2e/tokens.rs"]
mod tokens;
#[path = "e2e/workspace.rs"]
mod workspace;

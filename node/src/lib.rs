//! An AgentIdP node: configuration, composition, the HTTP front end and the command line.
//!
//! `app.rs` is the composition root: the only place where storage, cluster and actors meet, and where the machine's
//! clock and randomness enter. Everything below it is given what it needs.

pub mod app;
pub mod build_info;
pub mod cli;
pub mod config;
pub mod http;
pub mod policy;
pub mod telemetry;

//! Clusters over real processes and real networks, faults injected into them, and the judges of `simulation`, who
//! read what clients saw.

pub mod ability;
pub mod blueprint;
pub mod cluster;
pub mod failure;
pub mod faketime;
pub mod faults;
pub mod gateway;
mod http_wire;
pub mod ip;
pub mod member;
pub mod names;
pub mod network;
pub mod ordeal;
pub mod report;
pub mod scene;
pub mod switch;

pub use http_wire::HttpWire;
pub use simulation::{conduct, history, invariants, random, workload};

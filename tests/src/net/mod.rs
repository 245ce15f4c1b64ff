//! Clusters over real processes and real networks, faults injected into them, and a checker that judges what clients saw.

pub mod ability;
pub mod blueprint;
pub mod checker;
pub mod cluster;
pub mod conduct;
pub mod failure;
pub mod faketime;
pub mod faults;
pub mod gateway;
pub mod history;
pub mod ip;
pub mod member;
pub mod names;
pub mod network;
pub mod ordeal;
pub mod random;
pub mod report;
pub mod scene;
pub mod switch;
pub mod workload;

//! How the node feels: alive, ready, and in detail.

mod certificate_gauges;
pub mod detailed;
pub mod live;
pub mod ready;
mod redis_probe;
mod state;

pub use certificate_gauges::ShownCertificates;
pub use redis_probe::RedisProbe;
pub use state::{Health, Readiness};

//! How the node feels: alive, ready, and in detail.

pub mod detailed;
pub mod live;
pub mod ready;
mod redis_probe;
mod state;

pub use redis_probe::RedisProbe;
pub use state::{Health, Readiness};

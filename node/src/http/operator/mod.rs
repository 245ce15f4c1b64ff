//! What operators and their monitoring call.

pub mod cluster;
pub mod metrics;

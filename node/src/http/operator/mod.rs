//! What operators and their monitoring call.

pub mod metrics;

//! The actors of a node over honest in-memory ports: under load, under faults, at their bounds.

mod audit;
mod authority;
mod authorize;
mod credentials;
mod key_rotation;
mod limiter;
mod outbox;
mod supervision;
mod support;
mod writes;

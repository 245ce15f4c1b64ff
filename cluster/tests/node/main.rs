//! The cluster crate from outside: real folders, real log, real consensus, through the handle only.

#![expect(clippy::unwrap_used, reason = "a test whose set-up fails should stop where it does")]

mod memory;
mod support;

mod bootstrapping;
mod damage;
mod files;
mod kill;
mod lifecycle;
mod repeating;
mod revoking;
mod rotating;

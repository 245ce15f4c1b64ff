//! The cluster crate from outside: real folders, real log, real consensus, through the handle only.

mod support;

mod bootstrapping;
mod damage;
mod kill;
mod lifecycle;
mod revoking;

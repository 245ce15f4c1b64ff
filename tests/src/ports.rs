//! Ports for nodes that must come back at the same address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::unique;

/// Below the range that operating systems draw from for outgoing connections, so that none of the many connections of
/// the tests can take a node's port while the node is down.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;
/// How far the ranges of two processes are apart.
const STRIDE: u32 = 211;
/// How many are tried.
const TRIES: u32 = 500;

/// Above the others and still below what operating systems draw from: runs of ports for clusters.
const RUNS_FIRST: u16 = 32_000;
const RUN: u16 = 5;
const RUNS: u32 = 150;

/// The first of a run of five ports on loopback that nobody listens on.
pub fn free_run() -> SocketAddr {
    for _ in 0..RUNS {
        let number = std::process::id().wrapping_mul(STRIDE).wrapping_add(unique::number()) % RUNS;
        let first = RUNS_FIRST + u16::try_from(number).expect("there are few runs") * RUN;
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (first..first + RUN).all(is_free) {
            return SocketAddr::from((Ipv4Addr::LOCALHOST, first));
        }
    }
    panic!("no five free ports in a row from {RUNS_FIRST}");
}

/// An address on loopback that nobody listens on.
pub fn free() -> SocketAddr {
    for _ in 0..TRIES {
        let offset = (std::process::id().wrapping_mul(STRIDE)).wrapping_add(unique::number()) % COUNT;
        let port = u16::try_from(FIRST + offset).expect("the range ends below 32768");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}

//! What the disk takes to make something durable: the floor under every answer that waits for its audit record. Measured
//! in the same run, beside the directory of the node.
#![allow(clippy::disallowed_methods, reason = "a load generator measures real time")]

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use e2e::Scratch;

/// About what a batch of 16 audit records writes.
const BLOCK: [u8; 8 * 1024] = [0x5a; 8 * 1024];
/// How often it is measured.
const ROUNDS: usize = 50;

/// The median time to append a block to a file and have it on the disk (`fdatasync`).
pub fn time_to_sync() -> Duration {
    let scratch = Scratch::new();
    let mut file = File::create(scratch.path("synced")).expect("the temporary directory can be written");
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            let written = file.write_all(&BLOCK).and_then(|()| file.sync_data());
            written.expect("the temporary directory has room");
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

//! `simulate`: whole clusters in simulated worlds, from one seed.

use std::process::ExitCode;

use clap::Parser as _;
use simulation::cli::Arguments;

fn main() -> ExitCode {
    Arguments::parse().execute()
}

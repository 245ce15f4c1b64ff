//! The `agentidp` binary: hands the machine's environment and arguments to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main(node::config::Environment::of_process())
}

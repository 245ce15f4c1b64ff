//! The client commands of the program, as somebody at a shell would run them.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::client::Client;
use crate::node::Node;
use crate::options::bare_command;
use crate::scratch::Scratch;

/// Somebody with an identity, at a shell of their own.
pub struct Shell {
    server: String,
    client: Client,
    scratch: Scratch,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Printed {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Shell {
    /// Somebody who talks to this node with these credentials, which are in the environment.
    pub fn of(node: &Node, client: &Client) -> Self {
        Self {
            server: node.api().base().to_owned(),
            client: client.clone(),
            scratch: Scratch::new(),
        }
    }

    /// A path in a directory of their own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// A command with the environment set, that has not been started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare_command(arguments);
        command
            .env("AGENTIDP_SERVER", &self.server)
            .env("AGENTIDP_CLIENT_ID", &self.client.id)
            .env("AGENTIDP_CLIENT_SECRET", &self.client.secret)
            .env("HOME", self.scratch.path(""))
            .current_dir(self.scratch.path(""));
        command
    }

    /// Runs a command without input.
    pub fn run(&self, arguments: &[&str]) -> Printed {
        self.run_with_input(arguments, "")
    }

    /// Runs a command that is sent a text on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Printed {
        printed(&mut self.command(arguments), input)
    }

    /// Runs a command with `--json` that must succeed, and reads its answer.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.run(&[arguments, &["--json"]].concat()).expect(0);
        serde_json::from_str(&printed.out).unwrap_or_else(|error| panic!("{error}: {printed:?}"))
    }
}

impl Printed {
    /// The same, if the command ended with this code; panics with what it said otherwise.
    #[track_caller]
    #[must_use]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// Runs a command to its end.
pub fn printed(command: &mut Command, input: &str) -> Printed {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("input was asked for");
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the program ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Printed {
        code: status.code().unwrap_or(-1),
        out: text(stdout),
        err: text(stderr),
    }
}

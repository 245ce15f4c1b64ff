//! The process's own streams: the one place that touches them.

use std::io::{self, IsTerminal, Read, Write};

/// Where results go.
pub fn stdout() -> io::Stdout {
    io::stdout()
}

/// How wide the terminal is that results go to; `None` if they go elsewhere, where nothing is cut to size.
pub fn width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}

/// Tells somebody what is not a result. Nobody can be told that this failed.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "agentidp: {text}");
}

/// Whether there is somebody to ask.
pub fn has_somebody_to_ask() -> bool {
    io::stderr().is_terminal()
}

/// Whether the input is typed.
pub fn input_is_typed() -> bool {
    io::stdin().is_terminal()
}

/// The input, up to one byte more than `limit`.
pub fn read_input(limit: usize) -> io::Result<Vec<u8>> {
    read_bounded(io::stdin().lock(), limit)
}

/// What a reader holds, up to one byte more than `limit`, so that the caller sees when there is too much.
pub fn read_bounded(reader: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    // Room for everything at once, so that growing leaves no copy of a secret behind.
    let mut bytes = Vec::with_capacity(limit + 1);
    reader.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

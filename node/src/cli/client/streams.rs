//! The process's own streams: the one place that touches them.

use std::io::{self, IsTerminal, Read, Write};

/// Asks somebody a question and waits for a line.
pub type Ask = fn(&str) -> io::Result<String>;

/// Where results go.
pub fn stdout() -> io::Stdout {
    io::stdout()
}

/// How wide the terminal is that results go to; `None` if they go elsewhere, where nothing is cut to size.
pub fn width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}

/// Whether there is somebody to ask.
pub fn has_somebody_to_ask() -> bool {
    io::stderr().is_terminal()
}

/// A way to ask whoever sits at the terminal, if somebody does.
pub fn somebody_to_ask() -> Option<Ask> {
    (has_somebody_to_ask() && input_is_typed()).then_some(ask)
}

fn ask(question: &str) -> io::Result<String> {
    let mut stderr = io::stderr().lock();
    stderr.write_all(question.as_bytes())?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer)
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

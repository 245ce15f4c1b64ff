//! The exit codes of the client commands, in one place.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Done,
    /// It failed in a way that has no code of its own.
    Failed,
    /// The command was wrong, or the server found its values wrong; clap uses the same code.
    Usage,
    /// The server does not know who we are, or we may not do this.
    Refused,
    /// There is no such thing.
    NotFound,
    /// The thing is not in the state in which this can be done.
    Conflict,
    /// Something was checked and found broken or dead: the audit chain, a token.
    Broken,
    /// The server can't be reached, or is busy; trying later may help (`EX_UNAVAILABLE` of sysexits.h).
    Unavailable,
}

/// The codes and what they mean, for help and documentation.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "failed"),
    (2, "wrong usage, values or configuration"),
    (3, "not authenticated or refused"),
    (4, "not found"),
    (5, "conflict"),
    (6, "checked and found broken or dead"),
    (69, "the server is unavailable"),
];

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::NotFound => 4,
            Self::Conflict => 5,
            Self::Broken => 6,
            Self::Unavailable => 69,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented_and_no_other() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Refused,
            Exit::NotFound,
            Exit::Conflict,
            Exit::Broken,
            Exit::Unavailable,
        ];
        assert!(
            all.iter()
                .map(|exit| exit.code())
                .eq(EXIT_CODES.iter().map(|(code, _)| *code))
        );
    }
}

//! Where secrets come from: a file, the environment or the keyboard. Never the arguments, which every user of the machine
//! can read.

use std::path::{Path, PathBuf};

use sdk::Secret;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::streams;
use crate::config::Environment;

/// The variable that may hold the client secret.
pub const VARIABLE: &str = "AGENTIDP_CLIENT_SECRET";

/// What the input is called.
const INPUT: &str = "standard input";

/// The longest client secret, in bytes.
const CLIENT_SECRET_MAX: usize = 1024;
/// The longest token, in bytes.
const TOKEN_MAX: usize = 16 * 1024;

/// The client secret: from the file that was named, else from the environment, else from the profile's file, else from the
/// keyboard.
pub fn client_secret(
    named: Option<&Path>,
    environment: &Environment,
    of_profile: Option<&PathBuf>,
) -> Result<Secret, Failure> {
    if let Some(path) = named {
        return from_file(path, CLIENT_SECRET_MAX);
    }
    if let Some(secret) = environment.get(VARIABLE) {
        return Ok(Secret::new(secret));
    }
    match of_profile {
        Some(path) => from_file(path, CLIENT_SECRET_MAX),
        None if streams::has_somebody_to_ask() => ask("Client secret: "),
        None => Err(Failure::NoSecret),
    }
}

/// A token: from a file, else from the input, which is asked for without echo if it is typed.
pub fn token(file: Option<&Path>) -> Result<Secret, Failure> {
    match file {
        Some(path) if path != Path::new("-") => from_file(path, TOKEN_MAX),
        _ if streams::input_is_typed() => ask("Token: "),
        _ => {
            let unreadable = |source| Failure::Unreadable {
                path: INPUT.to_owned(),
                source,
            };
            one_line(INPUT, streams::read_input(TOKEN_MAX).map_err(unreadable)?, TOKEN_MAX)
        }
    }
}

fn from_file(path: &Path, limit: usize) -> Result<Secret, Failure> {
    let name = path.display().to_string();
    let read = std::fs::File::open(path).and_then(|file| streams::read_bounded(file, limit));
    match read {
        Ok(bytes) => one_line(&name, bytes, limit),
        Err(source) => Err(Failure::Unreadable { path: name, source }),
    }
}

fn ask(question: &str) -> Result<Secret, Failure> {
    rpassword::prompt_password(question)
        .map(Secret::new)
        .map_err(Failure::Prompt)
}

/// The one line that is there, less the white space round it. Editors add a line break, and so does `echo`.
fn one_line(what: &str, bytes: Vec<u8>, limit: usize) -> Result<Secret, Failure> {
    let bytes = Zeroizing::new(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(Failure::Empty(what.to_owned()));
    }
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim();
    let is_one = !text.is_empty() && bytes.len() <= limit && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_one {
        Ok(Secret::new(text))
    } else {
        Err(Failure::NotOneLine {
            what: what.to_owned(),
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), content).expect("writable");
        file
    }

    #[test]
    fn a_file_that_was_named_comes_before_the_environment_and_that_before_the_profile() {
        let (named, of_profile) = (file(b"one\n"), file(b"three"));
        let profile = of_profile.path().to_owned();
        let environment = Environment::of(&[(VARIABLE, "two")]);
        let get = |named, environment| {
            client_secret(named, environment, Some(&profile)).map(|secret| secret.expose().to_owned())
        };
        assert_eq!(get(Some(named.path()), &environment).ok().as_deref(), Some("one"));
        assert_eq!(get(None, &environment).ok().as_deref(), Some("two"));
        assert_eq!(get(None, &Environment::default()).ok().as_deref(), Some("three"));
    }

    #[test]
    fn a_file_must_hold_one_line_of_a_sane_size() {
        for empty in [&b""[..], b"\n"] {
            let failure = one_line(INPUT, empty.to_vec(), CLIENT_SECRET_MAX).err().expect("empty");
            assert_eq!(failure.to_string(), "standard input is empty; it must hold one line");
        }
        for bad in [&b"a\nb"[..], b"a b", b"\xff", &[b'a'; CLIENT_SECRET_MAX + 1]] {
            let result = from_file(file(bad).path(), CLIENT_SECRET_MAX);
            assert!(matches!(result.err(), Some(Failure::NotOneLine { .. })), "{bad:?}");
        }
        assert!(from_file(file(&[b'a'; CLIENT_SECRET_MAX]).path(), CLIENT_SECRET_MAX).is_ok());
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = from_file(Path::new("/nonexistent/secret"), 9)
            .err()
            .expect("no such file");
        assert!(
            failure.to_string().starts_with("/nonexistent/secret can't be read"),
            "{failure}"
        );
    }
}

//! What becomes of a new secret: it is shown once, or put into a file that only its owner can read.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;
use sdk::{Credential, IssuedCredential};
use serde::Serialize;

use crate::cli::client::failure::Failure;
use crate::cli::client::output::{Output, or_dash};

/// Where the secret goes.
#[derive(Args)]
pub struct SecretPlace {
    /// Put the secret into this new file, readable by you only, instead of showing it.
    #[arg(long, value_name = "FILE")]
    save_secret: Option<PathBuf>,
}

/// An open place for a secret.
pub struct OpenPlace(Option<(PathBuf, File)>);

impl SecretPlace {
    /// Opens the file before anything is asked of the server: a secret that can't be kept must not be made.
    pub fn open(self) -> Result<OpenPlace, Failure> {
        let Some(path) = self.save_secret else {
            return Ok(OpenPlace(None));
        };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => Ok(OpenPlace(Some((path, file)))),
            Err(source) => Err(Failure::Unwritable { path, source }),
        }
    }
}

impl OpenPlace {
    /// Takes the file away again, since there is nothing to put into it.
    pub fn discard(self) {
        if let Some((path, _)) = self.0 {
            // It is empty; if it can't be removed, it does no harm.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Keeps or shows the secret, and prints the credential.
    pub fn take(self, issued: &IssuedCredential, out: &mut Output<'_>) -> Result<(), Failure> {
        let credential = &issued.credential;
        let (shown, place) = match self.0 {
            None => (
                Some(issued.client_secret.expose()),
                "shown this once; keep it now".to_owned(),
            ),
            Some((path, mut file)) => {
                let written = writeln!(file, "{}", issued.client_secret.expose()).and_then(|()| file.sync_all());
                if let Err(source) = written {
                    return Err(Failure::SecretLost {
                        path,
                        source,
                        credential: credential.credential_id,
                    });
                }
                (None, format!("in {}", path.display()))
            }
        };
        if out.is_json() {
            return Ok(out.json(&Answer {
                credential,
                client_secret: shown,
            })?);
        }
        out.page([
            ("credential", credential.credential_id.to_string()),
            ("client id", credential.client_id.to_string()),
            ("client secret", shown.map_or_else(|| place.clone(), str::to_owned)),
            (
                "scopes",
                credential
                    .scopes
                    .clone()
                    .unwrap_or_else(|| "all but admin:orgs".to_owned()),
            ),
            ("expires", or_dash(credential.expires_at)),
        ])?;
        if shown.is_some() {
            out.line(&format!("The secret is {place}."))?;
        }
        Ok(())
    }
}

/// The answer as it came, with the secret unless it went into a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(flatten)]
    credential: &'a Credential,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::client::output::Format;

    const SECRET: &str = "sk_live_0123";

    fn issued() -> IssuedCredential {
        serde_json::from_value(serde_json::json!({
            "credentialId": "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d", "clientId": "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6e",
            "status": "active", "createdAt": "2026-01-31T12:00:00.000Z", "expiresAt": null, "revokedAt": null,
            "lastUsedAt": null, "clientSecret": SECRET,
        }))
        .expect("a credential")
    }

    fn taken(place: Option<PathBuf>, format: Format) -> String {
        let mut bytes = Vec::new();
        let place = SecretPlace { save_secret: place }.open().expect("a place");
        place
            .take(&issued(), &mut Output::new(&mut bytes, format))
            .expect("printed");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_secret_is_shown_once_and_whole() {
        for width in [None, Some(60)] {
            let text = taken(None, Format::Page { width });
            assert_eq!(text.matches(SECRET).count(), 1, "{text}");
        }
        let json: serde_json::Value = serde_json::from_str(&taken(None, Format::Json)).expect("JSON");
        assert_eq!(json["clientSecret"], SECRET);
    }

    #[test]
    fn a_secret_in_a_file_is_the_owners_only_and_not_shown() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (name, format) in [("page", Format::Page { width: None }), ("json", Format::Json)] {
            let path = directory.path().join(name);
            assert!(!taken(Some(path.clone()), format).contains(SECRET));
            assert_eq!(std::fs::read_to_string(&path).expect("readable").trim(), SECRET);
            assert_eq!(
                std::fs::metadata(&path).expect("there").permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_file_that_is_there_is_not_overwritten() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let failure = SecretPlace {
            save_secret: Some(file.path().to_owned()),
        }
        .open()
        .err()
        .expect("refused");
        assert!(failure.to_string().contains("nothing was made"), "{failure}");
    }
}

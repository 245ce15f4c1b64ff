//! Profiles: servers and identities by name, so that they need not be typed. A file holds the path of a secret, never the
//! secret.
//!
//! ```toml
//! [default]
//! server = "https://idp.example"
//! client_id = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d"
//! client_secret_file = "/run/secrets/agentidp"
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::Environment;

/// The profile that is used if none is named and there is one of this name.
const DEFAULT: &str = "default";

/// A server and an identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The server's address.
    pub server: Option<String>,
    /// Who we are.
    pub client_id: Option<String>,
    /// Where our secret is.
    pub client_secret_file: Option<PathBuf>,
    /// Certificates of a private authority.
    pub ca_file: Option<PathBuf>,
}

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file can't be read.
    #[error("{path} can't be read: {source}; it should hold the profiles")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} is not a file of profiles: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// There is no profile of that name.
    #[error("there is no profile `{name}` in {path}; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The file.
        path: String,
        /// The names that there are.
        known: String,
    },
    /// Nobody knows where the file is.
    #[error("there is no place for profiles: set AGENTIDP_PROFILES to a file, or HOME to a directory")]
    Nowhere,
}

impl Profile {
    /// The profile of that name. Without a name: the default one, or an empty one where there is none.
    pub fn load(name: Option<&str>, environment: &Environment) -> Result<Self, ProfileError> {
        let Some(path) = place(environment) else {
            return if name.is_some() {
                Err(ProfileError::Nowhere)
            } else {
                Ok(Self::default())
            };
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => pick(name, &text, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && name.is_none() => Ok(Self::default()),
            Err(source) => Err(ProfileError::Unreadable {
                path: path.display().to_string(),
                source,
            }),
        }
    }
}

fn pick(name: Option<&str>, text: &str, path: &Path) -> Result<Profile, ProfileError> {
    let path = path.display().to_string();
    let mut profiles: BTreeMap<String, Profile> = match toml::from_str(text) {
        Ok(profiles) => profiles,
        Err(error) => {
            return Err(ProfileError::Malformed {
                path,
                reason: error.to_string(),
            });
        }
    };
    match (profiles.remove(name.unwrap_or(DEFAULT)), name) {
        (Some(profile), _) => Ok(profile),
        (None, None) => Ok(Profile::default()),
        (None, Some(name)) => {
            let known = profiles.into_keys().collect::<Vec<_>>().join(", ");
            Err(ProfileError::Unknown {
                name: name.to_owned(),
                path,
                known,
            })
        }
    }
}

/// `AGENTIDP_PROFILES`, or `agentidp/profiles.toml` where configuration lives (XDG Base Directory Specification).
fn place(environment: &Environment) -> Option<PathBuf> {
    let below = |directory: &str| Path::new(directory).join("agentidp/profiles.toml");
    let at_home = || environment.get("HOME").map(|home| below(&format!("{home}/.config")));
    let given = environment.get("AGENTIDP_PROFILES").map(PathBuf::from);
    given
        .or_else(|| environment.get("XDG_CONFIG_HOME").map(below))
        .or_else(at_home)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "[default]\nserver = \"https://a.example\"\n[staging]\nserver = \"https://s.example\"\nclient_id = \"x\"\n";

    fn server(name: Option<&str>, text: &str) -> Result<Option<String>, String> {
        pick(name, text, Path::new("p.toml"))
            .map(|profile| profile.server)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_is_found_by_name_and_the_default_without_one() {
        assert_eq!(server(None, FILE), Ok(Some("https://a.example".to_owned())));
        assert_eq!(server(Some("staging"), FILE), Ok(Some("https://s.example".to_owned())));
        assert_eq!(server(None, ""), Ok(None));
        assert_eq!(
            server(Some("prod"), FILE),
            Err("there is no profile `prod` in p.toml; there are: default, staging".to_owned())
        );
    }

    #[test]
    fn a_secret_in_the_file_is_refused_like_every_key_that_is_none() {
        let error = server(None, "[default]\nclient_secret = \"sk_live\"\n").expect_err("refused");
        assert!(error.contains("unknown field `client_secret`"), "{error}");
    }

    #[test]
    fn the_file_is_looked_for_where_people_expect_it() {
        let find = |pairs: &[(&str, &str)]| place(&Environment::of(pairs)).map(|path| path.display().to_string());
        let all = [
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/x"),
            ("AGENTIDP_PROFILES", "/p.toml"),
        ];
        assert_eq!(find(&all).as_deref(), Some("/p.toml"));
        assert_eq!(find(&all[..2]).as_deref(), Some("/x/agentidp/profiles.toml"));
        assert_eq!(find(&all[..1]).as_deref(), Some("/h/.config/agentidp/profiles.toml"));
        assert_eq!(find(&[]), None);
        assert!(matches!(
            Profile::load(Some("a"), &Environment::default()),
            Err(ProfileError::Nowhere)
        ));
        assert_eq!(
            Profile::load(None, &Environment::of(&[("HOME", "/nonexistent")])).ok(),
            Some(Profile::default())
        );
    }
}

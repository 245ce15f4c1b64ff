//! The fields of an agent that have rules of their own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::named::named;

named! {
    /// What kind of work an agent does.
    AgentType {
        /// Decides what to let through.
        Screener = "screener",
        /// Sorts into classes.
        Classifier = "classifier",
        /// Directs other agents.
        Orchestrator = "orchestrator",
        /// Takes structured data out of documents.
        Extractor = "extractor",
        /// Condenses.
        Summarizer = "summarizer",
        /// Sends work to where it belongs.
        Router = "router",
        /// Watches.
        Monitor = "monitor",
        /// Anything else.
        Custom = "custom",
    }
}

named! {
    /// Where an agent runs.
    DeploymentEnv {
        /// A developer's machine.
        Development = "development",
        /// Before production.
        Staging = "staging",
        /// For real.
        Production = "production",
    }
}

/// An agent's address, unique in its organization; compared and kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// The text is not an e-mail address that we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address of at most 254 ASCII characters, such as screener@agents.example")]
pub struct InvalidEmail;

impl Email {
    /// The longest address that mail systems carry (RFC 5321 §4.5.3.1.3, less the angle brackets).
    pub const LENGTH_MAX: usize = 254;

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;
    /// Takes the dot-atom form of RFC 5322 §3.4.1 with a dotted domain; quoted local parts and comments are refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let label = |part: &str| {
            !part.is_empty()
                && part.len() <= 63
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let (local, host) = text.split_once('@').ok_or(InvalidEmail)?;
        let local_is_fine =
            local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
        let host_is_fine = host.contains('.') && host.split('.').all(label);
        if text.len() <= Self::LENGTH_MAX && local_is_fine && host_is_fine {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidEmail)
        }
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an agent can do: `resource:action`, with `*` allowed as the action.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Capability(String);

/// The text is not a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be resource:action in lower case letters, digits, '-', '_' and '.', such as resume:read or resume:*")]
pub struct InvalidCapability;

impl Capability {
    /// The longest capability, in characters.
    pub const LENGTH_MAX: usize = 128;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Capability {
    type Err = InvalidCapability;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
        };
        match text.split_once(':') {
            Some((resource, action))
                if text.len() <= Self::LENGTH_MAX && word(resource) && (action == "*" || word(action)) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidCapability),
        }
    }
}

impl TryFrom<String> for Capability {
    type Error = InvalidCapability;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.0
    }
}

/// The text is not a semantic version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a semantic version such as 1.2.3")]
pub struct InvalidVersion;

/// An agent's version (Semantic Versioning 2.0.0), at most 64 characters.
pub fn parse_version(text: &str) -> Result<String, InvalidVersion> {
    if text.len() > 64 {
        return Err(InvalidVersion);
    }
    semver::Version::parse(text)
        .map(|version| version.to_string())
        .map_err(|_| InvalidVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(
            "Bot.One+x@Agents.Example".parse::<Email>().expect("valid").as_str(),
            "bot.one+x@agents.example"
        );
    }

    #[test]
    fn addresses_that_mail_systems_would_refuse_are_refused() {
        for text in [
            "",
            "a",
            "a@b",
            "@b.c",
            "a@",
            "a..b@c.d",
            ".a@c.d",
            "a@-b.c",
            "a@b..c",
            "a b@c.d",
            "a@b.c\0",
            "\"a\"@b.c",
            "ä@b.c",
            "a@b@c.d",
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
        assert!(
            format!("{}@{}.example", "a".repeat(64), "b".repeat(63))
                .parse::<Email>()
                .is_ok()
        );
        assert!(format!("{}@b.example", "a".repeat(65)).parse::<Email>().is_err());
    }

    #[test]
    fn a_capability_names_a_resource_and_an_action() {
        for text in ["resume:read", "resume:*", "a.b-c_d:x1"] {
            assert!(text.parse::<Capability>().is_ok(), "{text:?}");
        }
        for text in [
            "",
            ":",
            "resume",
            "resume:",
            ":read",
            "*:read",
            "resume:**",
            "a:b:c",
            "Resume:read",
            "resume:re ad",
        ] {
            assert!(text.parse::<Capability>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_version_is_semantic() {
        assert_eq!(parse_version("1.2.3-rc.1+b5").as_deref(), Ok("1.2.3-rc.1+b5"));
        for text in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3 "] {
            assert!(parse_version(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_field_parser_panic(text in "\\PC{0,300}") {
            let _ = text.parse::<Email>();
            let _ = text.parse::<Capability>();
            let _ = text.parse::<AgentType>();
            let _ = parse_version(&text);
        }
    }
}

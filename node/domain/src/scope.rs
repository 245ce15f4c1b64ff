//! Scopes (RFC 6749 §3.3): what a token allows. The vocabulary is closed, so a set of scopes is one small integer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// One permission.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope { $($(#[$doc])* $variant),+ }

        impl Scope {
            /// Every scope, in the order in which sets are printed.
            pub const ALL: &'static [Scope] = &[$(Scope::$variant),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Scope::$variant => $text),+ }
            }
        }
    };
}

scopes! {
    /// Read agents and their credentials' metadata.
    AgentsRead = "agents:read",
    /// Register and change agents and credentials.
    AgentsWrite = "agents:write",
    /// Introspect tokens.
    TokensRead = "tokens:read",
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Read webhook subscriptions and deliveries.
    WebhooksRead = "webhooks:read",
    /// Change webhook subscriptions.
    WebhooksWrite = "webhooks:write",
    /// Manage organizations; in the system organization, operate the installation.
    AdminOrgs = "admin:orgs",
    /// Ask for an ID token (OpenID Connect Core §3.1.2.1).
    OpenId = "openid",
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no scope that this provider knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("names a scope that does not exist; the scopes are: {}", ScopeSet::all())]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Scope::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
            .ok_or(UnknownScope)
    }
}

/// A set of scopes. Written as RFC 6749 §3.3 does: names separated by one space.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeSet(u16);

impl ScopeSet {
    /// The set that holds nothing.
    pub const EMPTY: ScopeSet = ScopeSet(0);

    /// Every scope there is.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// What a credential allows that was not narrowed: everything but to operate the installation, which must be named.
    pub fn unnarrowed() -> Self {
        Scope::ALL
            .iter()
            .copied()
            .filter(|scope| *scope != Scope::AdminOrgs)
            .collect()
    }

    /// Whether `scope` is in the set.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u16) != 0
    }

    /// This set and `scope`.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | 1 << scope as u16)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether everything here is in `other` too.
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the set holds nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl FromStr for ScopeSet {
    type Err = UnknownScope;
    /// Accepts names separated by spaces, repeated names included; an empty text is the empty set.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(' ')
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_prints_in_one_order_whatever_the_order_it_came_in() {
        let set: ScopeSet = "openid agents:read  agents:read".parse().expect("known scopes");
        assert_eq!(set.to_string(), "agents:read openid");
    }

    #[test]
    fn an_unknown_or_differently_cased_name_is_refused() {
        assert!("agents:delete".parse::<ScopeSet>().is_err());
        assert!("Agents:Read".parse::<ScopeSet>().is_err());
        assert!("agents:read\tagents:write".parse::<ScopeSet>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses_or_is_refused_and_what_parses_round_trips(text in ".{0,80}") {
            if let Ok(set) = text.parse::<ScopeSet>() {
                proptest::prop_assert_eq!(set.to_string().parse::<ScopeSet>(), Ok(set));
            }
        }
    }
}

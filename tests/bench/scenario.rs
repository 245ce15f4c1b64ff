//! What is done over and over.

use clap::ValueEnum;
use e2e::Client;

use crate::load::Load;
use crate::request;
use crate::tokens::Token;

/// One kind of request. The static route is measured beside all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// GET /health: what the HTTP server costs.
    #[value(skip)]
    Static,
    /// A token for the client's secret in the form, signed with EdDSA.
    Token,
    /// Introspection of a few tokens, again and again.
    IntrospectSeen,
    /// Introspection of tokens that the node has issued and has not been asked about before: each look is recorded.
    IntrospectNew,
    /// GET /api/v1/agents/{id} with a bearer token.
    Read,
    /// Revocation, of each token once.
    Revoke,
}

impl Scenario {
    /// All but the static route.
    pub const ALL: &'static [Scenario] = &[
        Scenario::Token,
        Scenario::IntrospectSeen,
        Scenario::IntrospectNew,
        Scenario::Read,
        Scenario::Revoke,
    ];

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "static route",
            Self::Token => "token, EdDSA",
            Self::IntrospectSeen => "introspect, seen",
            Self::IntrospectNew => "introspect, new",
            Self::Read => "bearer read",
            Self::Revoke => "revoke",
        }
    }

    /// Whether every request needs a token that was not used before.
    pub const fn uses_tokens_up(self) -> bool {
        matches!(self, Self::IntrospectNew | Self::Revoke)
    }

    /// The smallest ratio to the static route that is aimed at, on the embedded store with 16 connections.
    pub const fn goal(self) -> Option<f64> {
        match self {
            Self::Token => Some(0.25),
            Self::IntrospectSeen => Some(0.5),
            Self::IntrospectNew => Some(0.2),
            Self::Static | Self::Read | Self::Revoke => None,
        }
    }

    /// The requests: with these clients, or with these tokens of theirs.
    pub fn load(self, clients: &[Client], tokens: &[Token]) -> Load {
        let with_tokens = |make: &dyn Fn(&Client, &str) -> Vec<u8>| -> Vec<Vec<u8>> {
            tokens
                .iter()
                .map(|token| make(&clients[token.client], &token.text))
                .collect()
        };
        match self {
            Self::Static => Load::cycle(vec![request::get("/health", None)], "\"status\""),
            Self::Token => Load::cycle(clients.iter().map(request::token).collect(), "\"access_token\":\""),
            Self::IntrospectSeen => Load::cycle(with_tokens(&request::introspect), "\"active\":true"),
            Self::IntrospectNew => Load::once(with_tokens(&request::introspect), "\"active\":true"),
            Self::Read => {
                let read =
                    |client: &Client, token: &str| request::get(&format!("/api/v1/agents/{}", client.id), Some(token));
                Load::cycle(with_tokens(&read), "\"agentId\"")
            }
            Self::Revoke => Load::once(with_tokens(&request::revoke), ""),
        }
    }
}

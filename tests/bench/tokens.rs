//! Tokens to be introspected, used and revoked: taken from the node before the clock runs.

use std::net::SocketAddr;
use std::time::Duration;

use e2e::Client;
use serde_json::Value;

use crate::load::{Drive, Load};
use crate::request;

/// A token and which of the clients it belongs to.
pub struct Token {
    /// The token.
    pub text: String,
    /// The client's index.
    pub client: usize,
}

/// Takes `count` fresh tokens, spread over the clients.
pub async fn take(address: SocketAddr, clients: &[Client], count: usize) -> Vec<Token> {
    let requests = clients.iter().map(request::token).collect();
    let load = Load {
        limit: count,
        ..Load::cycle(requests, "\"access_token\":\"")
    };
    let bodies = every_body(load, address).await;
    let token = |(index, body): (usize, Value)| Token {
        text: body["access_token"]
            .as_str()
            .expect("a token answer holds a token")
            .to_owned(),
        client: index % clients.len(),
    };
    bodies.into_iter().map(token).collect()
}

/// Runs a load to its end and reads the JSON of all answers; panics if one is not as expected.
pub async fn every_body(load: Load, address: SocketAddr) -> Vec<(usize, Value)> {
    const PREPARING_MAX: Duration = Duration::from_secs(300);
    let limit = load.limit;
    let drive = Drive {
        address,
        connections: 16,
        duration: PREPARING_MAX,
    };
    let outcome = Load {
        keep_bodies: true,
        ..load
    }
    .run(drive)
    .await;
    assert_eq!(
        outcome.bodies.len(),
        limit,
        "{} requests were refused while preparing",
        outcome.refused
    );
    let parse = |(index, body): (usize, Vec<u8>)| (index, serde_json::from_slice(&body).expect("an answer in JSON"));
    outcome.bodies.into_iter().map(parse).collect()
}

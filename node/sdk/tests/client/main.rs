//! The client against a real server on a real socket, whose answers the tests choose.

mod calls;
mod clock;
mod credentials_scope;
mod errors;
mod limits;
mod repetition;
mod server;
mod tls;
mod token_cache;

use std::sync::Arc;

use clock::ManualClock;
use sdk::Client;
use server::{Answer, Server};

const AGENT: &str = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d";
const OTHER_AGENT: &str = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6e";
const SECRET: &str = "sk_live_0123";

/// A client of `server` that lives on `clock`.
fn client(server: &Server, clock: &Arc<ManualClock>) -> Client {
    Client::builder(server.address())
        .credentials(AGENT, SECRET)
        .clock(clock.clone())
        .build()
        .expect("a client")
}

/// A token that lives for 1,000 seconds; its text says which it is.
fn token(number: usize) -> Answer {
    Answer::json(
        200,
        &format!(r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":1000}}"#),
    )
}

/// A page without entries.
fn empty_page() -> Answer {
    Answer::json(200, r#"{"data":[],"total":0,"page":1,"limit":20}"#)
}

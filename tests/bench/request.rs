//! Requests as the bytes that go over the wire, prepared before the clock runs.

use e2e::Client;

/// A GET, with a bearer token or without.
pub fn get(path: &str, token: Option<&str>) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{}\r\n", bearer(token)).into_bytes()
}

/// A POST of JSON with a bearer token.
pub fn json(path: &str, token: &str, body: &serde_json::Value) -> Vec<u8> {
    post(path, &bearer(Some(token)), "application/json", &body.to_string())
}

/// A token request with the secret in the form.
pub fn token(client: &Client) -> Vec<u8> {
    form("/oauth2/token", client, "grant_type=client_credentials")
}

/// A question about a token, asked by a client.
pub fn introspect(client: &Client, token: &str) -> Vec<u8> {
    form("/oauth2/introspect", client, &format!("token={token}"))
}

/// The order to revoke a token.
pub fn revoke(client: &Client, token: &str) -> Vec<u8> {
    form("/oauth2/revoke", client, &format!("token={token}"))
}

/// Nothing in our ids, secrets and tokens needs an escape.
fn form(path: &str, client: &Client, parameters: &str) -> Vec<u8> {
    let body = format!("{parameters}&client_id={}&client_secret={}", client.id, client.secret);
    post(path, "", "application/x-www-form-urlencoded", &body)
}

fn post(path: &str, headers: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n");
    format!("{head}content-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

fn bearer(token: Option<&str>) -> String {
    token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"))
}

//! The way to real nodes: HTTP over sockets.

use std::time::Duration;

use async_trait::async_trait;
use simulation::workload::{Ask, Heard, Target, Wire, max_age};

use super::failure::Failure;

/// Clients' connections.
pub struct HttpWire(reqwest::Client);

impl HttpWire {
    /// None yet.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self(reqwest::Client::builder().no_proxy().build()?))
    }
}

#[async_trait]
impl Wire for HttpWire {
    async fn ask(&self, target: &Target, ask: Ask) -> Option<Heard> {
        let method = ask.method.parse().expect("methods are written down in the workload");
        let mut request = self
            .0
            .request(method, format!("{}{}", target.url, ask.path))
            .timeout(ask.patience);
        if let Some(authorization) = ask.authorization {
            request = request.header("authorization", authorization);
        }
        if let Some((media_type, body)) = ask.body {
            request = request.header("content-type", media_type).body(body);
        }
        let response = request.send().await.ok()?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let seconds = header("retry-after").and_then(|text| text.parse().ok());
        let max_age = header("cache-control").and_then(max_age);
        Some(Heard {
            status: response.status().as_u16(),
            retry_after: seconds.map(Duration::from_secs),
            max_age,
            body: serde_json::from_slice(&response.bytes().await.ok()?).unwrap_or_default(),
        })
    }
}

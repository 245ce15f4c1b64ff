//! The way from clients to nodes: requests arrive at a node's front as if they had come over a connection.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};

use super::network::{Network, Place};
use super::reply::question;
use crate::workload::{Ask, Heard, Target, Wire, max_age};

/// A request, as a node's front takes it.
pub type FrontRequest = Request<Full<Bytes>>;

/// An answer, as a node's front gives it.
pub struct FrontAnswer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl FrontAnswer {
    /// What a front has answered.
    pub async fn of(response: node::http::reply::Response) -> Self {
        let (head, body) = response.into_parts();
        // A body that lies in memory can't fail.
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    fn heard(self) -> Heard {
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let seconds = header("retry-after").and_then(|text| text.parse().ok());
        Heard {
            status: self.status,
            retry_after: seconds.map(Duration::from_secs),
            max_age: header("cache-control").and_then(max_age),
            body: serde_json::from_slice(&self.body).unwrap_or_default(),
        }
    }
}

/// Clients' way to the nodes.
pub struct ClientWire(Network);

impl ClientWire {
    /// Over this network.
    pub fn new(network: Network) -> Self {
        Self(network)
    }
}

#[async_trait]
impl Wire for ClientWire {
    async fn ask(&self, target: &Target, ask: Ask) -> Option<Heard> {
        let (waiting, awaited) = question();
        let node = target.node.0;
        let what = format!("{} {}", ask.method, ask.path);
        let patience = ask.patience;
        let request = request(ask);
        self.0.send((Place::Clients, Place::Node(node)), &what, move |world| {
            world.take_request(node, request, waiting);
        });
        let answer = tokio::time::timeout(patience, awaited.get()).await;
        answer.ok()?.ok().map(FrontAnswer::heard)
    }
}

fn request(ask: Ask) -> FrontRequest {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(ask.path)
        .header("host", "id.agentidp.example");
    if let Some(authorization) = ask.authorization {
        request = request.header("authorization", authorization);
    }
    let (media_type, body) = ask.body.unzip();
    if let Some(media_type) = media_type {
        request = request.header("content-type", media_type);
    }
    let body = Full::new(Bytes::from(body.unwrap_or_default()));
    request.body(body).expect("clients write valid requests")
}

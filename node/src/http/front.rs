//! What happens to every request before and after its endpoint: an id, a place of origin, a bounded body, a bounded time,
//! a span, a count, and the headers that every answer carries.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::Origin;
use futures::FutureExt;
use http::header::{HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use tower_service::Service;
use tracing::{Instrument, debug_span};
use warp::Filter;
use warp::filters::BoxedFilter;

use super::body::{self, RequestBody};
use super::call::Call;
use super::client_address;
use super::connection::OperatorCertificate;
use super::cors::Cors;
use super::error::ApiError;
use super::head;
use super::places::Place;
use super::reply::Response;
use super::request_count::RequestCount;
use super::request_id::{self, X_REQUEST_ID};
use super::resource::Resource;
use super::services::Services;

/// The longest `User-Agent` that is recorded, in bytes.
const USER_AGENT_MAX: usize = 256;
/// What metrics call a request that reached no resource.
const UNMATCHED: &str = "unmatched";

/// What one listener puts up with.
#[derive(Clone)]
pub struct FrontLimits {
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether the listener speaks TLS, so that browsers may be told to insist on it.
    pub is_tls: bool,
    /// Which browser origins may call.
    pub cors: Cors,
    /// Counts the requests that are being answered.
    pub requests: RequestCount,
}

/// Turns requests into responses.
#[derive(Clone)]
pub struct Front {
    resources: Arc<Vec<Resource>>,
    routes: BoxedFilter<(Response,)>,
    services: Arc<Services>,
    limits: Arc<FrontLimits>,
}

/// The template of the resource that answered; rides on the response until it is counted.
#[derive(Clone, Copy)]
struct RouteName(&'static str);

impl Front {
    /// Over a table of resources.
    pub fn new(resources: Vec<Resource>, services: Arc<Services>, limits: FrontLimits) -> Self {
        let resources = Arc::new(resources);
        let routes = filter(resources.clone(), services.clone());
        Self {
            resources,
            routes,
            services,
            limits: Arc::new(limits),
        }
    }

    fn speaks_oauth(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        self.resources
            .iter()
            .any(|resource| resource.speaks_oauth() && resource.matches(&segments).is_some())
    }

    /// Answers one request. Always answers.
    pub async fn handle(&self, request: Request<impl RequestBody>, place: &Place) -> Response {
        let _counted = self.limits.requests.begin();
        let started = self.services.clock.monotonic();
        let id = request_id::of(
            request.headers(),
            self.services.clock.as_ref(),
            self.services.entropy.as_ref(),
        );
        let method = request.method().clone();
        let span = tracing::info_span!("request", id = id.to_str().unwrap_or(""), %method, path = request.uri().path());
        let browser_origin = self.limits.cors.origin_of(request.headers());
        let mut response = match self.limits.cors.preflight(&method, browser_origin.as_ref()) {
            Some(response) => response,
            None => self.answer_in_time(request, place).instrument(span).await,
        };
        let route = response
            .extensions_mut()
            .remove::<RouteName>()
            .map_or(UNMATCHED, |name| name.0);
        let took = self.services.clock.monotonic().saturating_sub(started);
        self.services.meters.request(&method, route, response.status(), took);
        self.finish(&mut response, id, browser_origin);
        response
    }

    async fn answer_in_time(&self, request: Request<impl RequestBody>, place: &Place) -> Response {
        let answer = AssertUnwindSafe(self.answer(request, place)).catch_unwind();
        match tokio::time::timeout(self.limits.request_timeout, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(_panic)) => {
                let error = ApiError::Internal("an endpoint panicked".to_owned());
                error.log();
                error.into_response()
            }
            Err(_elapsed) => {
                let message = "the request was not complete, or could not be answered, within the node's time limit";
                ApiError::management(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message).into_response()
            }
        }
    }

    async fn answer(&self, request: Request<impl RequestBody>, place: &Place) -> Response {
        if let Err(error) = head::check(&request) {
            return self.refuse(request.uri().path(), error);
        }
        let mut head = place.memory.heads.reservation();
        if !head.grow(head::weight(&request)) {
            let reason = "the heads of requests hold all memory that they may hold";
            return self.refuse(request.uri().path(), ApiError::unavailable(reason));
        }
        let (mut parts, body) = request.into_parts();
        let (path, limit) = (parts.uri.path(), self.limits.body_limit);
        let reading = body::read(&parts.headers, body, limit, &place.memory.bodies, || {
            self.speaks_oauth(path)
        });
        // What head and body hold stays reserved until the request is answered.
        let (body, _reservation) = match reading.instrument(debug_span!("body")).await {
            Ok(read) => read,
            Err(error) => return self.refuse(path, error),
        };
        parts.extensions.insert(self.origin(&parts.headers, place.peer.ip()));
        let request = Request::from_parts(parts, Full::new(body));
        let answered: Result<Response, Infallible> = warp::service(self.routes.clone()).call(request).await;
        match answered {
            Ok(response) => response,
        }
    }

    /// A refusal before any endpoint was reached, in the shape that clients of this path understand.
    fn refuse(&self, path: &str, error: ApiError) -> Response {
        let error = if self.speaks_oauth(path) {
            error.for_oauth()
        } else {
            error
        };
        error.into_response()
    }

    fn origin(&self, headers: &HeaderMap, peer: IpAddr) -> Origin {
        let user_agent = headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| truncated(text, USER_AGENT_MAX).to_owned());
        let address = client_address::of(peer, &self.limits.trusted_proxies, headers);
        Origin {
            ip_address: Some(address.to_string()),
            user_agent,
        }
    }

    fn finish(&self, response: &mut Response, id: HeaderValue, browser_origin: Option<HeaderValue>) {
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, id);
        for (name, value) in SECURITY_HEADERS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if self.limits.is_tls {
            headers.insert(
                http::header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000; includeSubDomains"),
            );
        }
        self.limits.cors.decorate(headers, browser_origin);
    }
}

/// On every response. The content policy is for browsers that open an API answer as a page: nothing may run there.
const SECURITY_HEADERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
];

/// One filter for all: the path picks the resource, plain code does the rest, so that 404 and 405 are exact.
fn filter(resources: Arc<Vec<Resource>>, services: Arc<Services>) -> BoxedFilter<(Response,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::path::full()
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(query)
        .and(warp::ext::get::<Origin>())
        .and(warp::ext::optional::<OperatorCertificate>())
        .and(warp::body::bytes())
        .then(
            move |path: warp::path::FullPath, method, headers, query, origin, operator_certificate, body| {
                let (resources, services) = (resources.clone(), services.clone());
                async move {
                    let call = Call {
                        services,
                        method,
                        headers,
                        query,
                        parameters: Vec::new(),
                        body,
                        origin,
                        operator_certificate,
                        caller: None,
                    };
                    route(&resources, path.as_str(), call).await
                }
            },
        )
        .boxed()
}

async fn route(resources: &[Resource], path: &str, mut call: Call) -> Response {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    for resource in resources {
        if let Some(parameters) = resource.matches(&segments) {
            call.parameters = parameters;
            let mut response = resource.dispatch(call).await;
            response.extensions_mut().insert(RouteName(resource.template()));
            return response;
        }
    }
    ApiError::path_not_found().into_response()
}

/// The longest prefix of at most `limit` bytes that ends between two characters.
fn truncated(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

//! A resource: a path template and what each method does there. Picking one and calling it is the same for all.

use std::future::Future;
use std::sync::Arc;

use actors::LimitClass;
use futures::future::BoxFuture;
use http::Method;
use tracing::{Instrument, debug_span};

use super::call::Call;
use super::error::ApiError;
use super::reply::Response;
use super::{access, limits};
use crate::policy::{Access, AccessRules};

type Handler = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Response, ApiError>> + Send + Sync>;

/// What one method does at a resource.
struct Endpoint {
    method: Method,
    handler: Handler,
    limit: LimitClass,
    access: Access,
}

/// A path template and its endpoints.
pub struct Resource {
    template: &'static str,
    segments: Vec<&'static str>,
    speaks_oauth: bool,
    endpoints: Vec<Endpoint>,
}

impl Resource {
    /// At a template such as `/api/v1/agents/{agentId}`: a segment in braces stands for any one segment.
    pub fn at(template: &'static str) -> Self {
        let segments = template.trim_start_matches('/').split('/').collect();
        Self {
            template,
            segments,
            speaks_oauth: false,
            endpoints: Vec::new(),
        }
    }

    /// Refusals here have the shape of RFC 6749 §5.2.
    #[must_use]
    pub fn speaking_oauth(mut self) -> Self {
        self.speaks_oauth = true;
        self
    }

    /// What a method does here.
    #[must_use]
    pub fn on<F, Fut>(self, method: Method, handler: F) -> Self
    where
        F: Fn(Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        self.limited_on(method, LimitClass::Requests, handler)
    }

    /// What a method does here, and which limit its callers share.
    #[must_use]
    pub fn limited_on<F, Fut>(mut self, method: Method, limit: LimitClass, handler: F) -> Self
    where
        F: Fn(Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call| Box::pin(handler(call)));
        // Nobody gets in before the rules have been asked; see `Resource::apply`.
        self.endpoints.push(Endpoint {
            method,
            handler,
            limit,
            access: Access::ByEndpoint(None),
        });
        self
    }

    /// The path template, which is also what metrics call this resource.
    pub fn template(&self) -> &'static str {
        self.template
    }

    /// Each method with the template, as access rules name them.
    pub fn rule_names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.endpoints
            .iter()
            .map(|endpoint| (endpoint.method.as_str(), self.template))
    }

    /// Takes the access of each endpoint from the rules, which must have been checked to be complete.
    pub fn apply(&mut self, rules: &AccessRules) {
        let template = self.template;
        self.endpoints
            .retain_mut(|endpoint| match rules.of(endpoint.method.as_str(), template) {
                Some(access) => {
                    endpoint.access = access;
                    true
                }
                None => false,
            });
    }

    /// The parts of the path that stand for something, if the path is one of this resource's.
    pub fn matches(&self, path: &[&str]) -> Option<Vec<String>> {
        if path.len() != self.segments.len() {
            return None;
        }
        let mut parameters = Vec::new();
        for (segment, actual) in self.segments.iter().zip(path) {
            if segment.starts_with('{') && !actual.is_empty() {
                parameters.push((*actual).to_owned());
            } else if segment != actual {
                return None;
            }
        }
        Some(parameters)
    }

    /// Whether refusals here have the shape of RFC 6749 §5.2.
    pub fn speaks_oauth(&self) -> bool {
        self.speaks_oauth
    }

    /// Calls the endpoint of the call's method.
    pub async fn dispatch(&self, call: Call) -> Response {
        let result = self.call(call).await;
        result.unwrap_or_else(|error| {
            let error = if self.speaks_oauth { error.for_oauth() } else { error };
            error.log();
            error.into_response()
        })
    }

    async fn call(&self, mut call: Call) -> Result<Response, ApiError> {
        // RFC 9110 §9.3.2: HEAD is GET without the body, which the server leaves out.
        let wanted = if call.method == Method::HEAD {
            &Method::GET
        } else {
            &call.method
        };
        let endpoint = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.method == wanted)
            .ok_or_else(|| self.not_allowed())?;
        access::authorize(&mut call, endpoint.access)
            .instrument(debug_span!("access"))
            .await?;
        let stage = debug_span!("endpoint", route = self.template);
        let Some(caller) = &call.caller else {
            return (endpoint.handler)(call).instrument(stage).await;
        };
        let permit = limits::admit(&call.services, caller.agent, endpoint.limit).await?;
        let answering = (endpoint.handler)(call).instrument(stage);
        let response = answering.await.unwrap_or_else(|error| {
            error.log();
            error.into_response()
        });
        Ok(permit.onto(response))
    }

    fn not_allowed(&self) -> ApiError {
        let mut allow: Vec<&str> = self.endpoints.iter().map(|endpoint| endpoint.method.as_str()).collect();
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        ApiError::MethodNotAllowed {
            allow: allow.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(template: &'static str, path: &str) -> Option<Vec<String>> {
        Resource::at(template).matches(&path.trim_start_matches('/').split('/').collect::<Vec<_>>())
    }

    #[test]
    fn a_template_matches_whole_paths_only() {
        assert_eq!(matches("/a/{x}/b", "/a/1/b"), Some(vec!["1".to_owned()]));
        assert_eq!(matches("/a/{x}/b", "/a/1"), None);
        assert_eq!(matches("/a/{x}/b", "/a/1/b/"), None);
        assert_eq!(matches("/a", "/a"), Some(vec![]));
        assert_eq!(matches("/a", "//a"), Some(vec![]));
        assert_eq!(matches("/a", "/A"), None);
    }
}

//! Permits and the headers that tell of them.

use std::time::Duration;

use actors::{Admission, LimitClass};
use domain::AgentId;
use http::{HeaderName, HeaderValue};
use tracing::{Instrument, debug_span};

use super::error::ApiError;
use super::reply::Response;
use super::services::Services;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// How a client stands in its window.
#[derive(Clone, Copy, Debug)]
pub struct Permit {
    admission: Admission,
}

impl Permit {
    /// Puts the headers on a response. A client without limit gets none.
    pub fn onto(&self, mut response: Response) -> Response {
        if self.admission.limit > 0 {
            let headers = response.headers_mut();
            headers.insert(LIMIT, HeaderValue::from(self.admission.limit));
            headers.insert(REMAINING, HeaderValue::from(self.admission.remaining));
            headers.insert(RESET, HeaderValue::from(self.admission.reset_at.as_seconds()));
        }
        response
    }

    /// How long a client that was refused should wait.
    pub fn retry_after(&self) -> Duration {
        self.admission.retry_after
    }
}

/// Takes a permit for a client.
pub async fn admit(services: &Services, client: AgentId, class: LimitClass) -> Result<Permit, ApiError> {
    let admitting = services.limiter.admit(client, class);
    let permit = Permit {
        admission: admitting.instrument(debug_span!("limit", ?class)).await,
    };
    if permit.admission.allowed {
        Ok(permit)
    } else {
        Err(ApiError::RateLimited { oauth: false, permit })
    }
}

//! Reading a request's body, within limits that hold whether its length was announced or not: how large one may be, and
//! how much all of them may hold together.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Body;

use super::error::ApiError;
use super::memory_budget::{MemoryBudget, Reservation};

/// The largest form that an OAuth endpoint takes, in bytes. It comes before any authentication, and a real one has less
/// than a tenth of that.
const FORM_MAX: usize = 16 * 1024;
/// How much of a body that is refused for its size is still read, in bytes, and for how long. A client that is sending it
/// would otherwise find its connection reset before it sees the answer (RFC 9112 §9.6).
const DISCARDED_MAX: usize = 8 << 20;
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// What a request's body may be: that of a connection, or one that lies in memory already.
pub trait RequestBody: Body<Data = Bytes> + Send + Unpin {}

impl<B: Body<Data = Bytes> + Send + Unpin> RequestBody for B {}

/// Reads a body of at most `limit` bytes, which stay reserved as long as the reservation is kept. A larger one is 413, a
/// larger form than any endpoint takes is 400, and one for which the budget has no room is 503.
pub async fn read<'a>(
    headers: &HeaderMap,
    mut body: impl RequestBody,
    limit: usize,
    budget: &'a MemoryBudget,
    is_form: impl Fn() -> bool,
) -> Result<(Bytes, Reservation<'a>), ApiError> {
    if announced_length(headers).is_some_and(|length| length > limit as u64) {
        // Who waits for `100 Continue` has sent nothing yet, and need not.
        if !headers.contains_key(EXPECT) {
            discard(body).await;
        }
        return Err(too_large(limit));
    }
    // The frames are copied: each may be a few bytes out of a large buffer, and would keep all of it.
    let (mut kept, mut reservation) = (Vec::new(), budget.reservation());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| bad_request("the body ended before it was complete"))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let length = kept.len() + data.len();
        let is_too_large = length > limit;
        if is_too_large || length > FORM_MAX && is_form() {
            drop((kept, reservation));
            let whole = length + discard(body).await;
            return Err(if whole > limit {
                too_large(limit)
            } else {
                bad_request(format!("the form is larger than {FORM_MAX} bytes"))
            });
        }
        if !reservation.grow(data.len()) {
            drop((kept, reservation));
            discard(body).await;
            return Err(ApiError::unavailable(
                "the bodies of requests hold all memory that they may hold",
            ));
        }
        kept.extend_from_slice(data);
    }
    Ok((Bytes::from(kept), reservation))
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError::management(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {limit} bytes");
    ApiError::management(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
}

/// Reads on without keeping anything, and answers how much that was.
async fn discard(mut body: impl RequestBody) -> usize {
    let mut count = 0;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await
            && count < DISCARDED_MAX
        {
            count += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    // Whether it came to an end or not, there is nothing more to do.
    let _ = tokio::time::timeout(DISCARD_TIME, read).await;
    count
}

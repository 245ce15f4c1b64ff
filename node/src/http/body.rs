//! Reading a request's body, up to a limit that holds whether its length was announced or not.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::error::ApiError;

/// How much of a body that is refused for its size is still read, in bytes, and for how long. A client that is sending it
/// would otherwise find its connection reset before it sees the answer (RFC 9112 §9.6).
const DISCARDED_MAX: usize = 8 << 20;
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Reads a body of at most `limit` bytes; a larger one is 413.
pub async fn read(headers: &HeaderMap, mut body: Incoming, limit: usize) -> Result<Bytes, ApiError> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        // Who waits for `100 Continue` has sent nothing yet, and need not.
        if !headers.contains_key(EXPECT) {
            discard(body).await;
        }
        return Err(too_large(limit));
    }
    match Limited::new(&mut body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(body).await;
            Err(too_large(limit))
        }
        Err(_) => {
            let message = "the body ended before it was complete";
            Err(ApiError::management(
                StatusCode::BAD_REQUEST,
                "INVALID_REQUEST",
                message,
            ))
        }
    }
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {limit} bytes");
    ApiError::management(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
}

/// Reads on without keeping anything.
async fn discard(mut body: Incoming) {
    let read = async {
        let mut count = 0;
        while let Some(Ok(frame)) = body.frame().await
            && count < DISCARDED_MAX
        {
            count += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    // Whether it came to an end or not, the answer is the same.
    let _ = tokio::time::timeout(DISCARD_TIME, read).await;
}

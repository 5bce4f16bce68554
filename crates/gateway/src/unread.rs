//! Request bodies that nobody wanted: read away within bounds, or the connection ends. Bytes left unread are never the next request.

use std::time::Duration;

use http::{HeaderValue, Response, header};
use http_body::Body as _;
use http_body_util::BodyExt;

use crate::Body;

/// A body that takes longer to read away is not worth its connection.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

/// Disposes of `body` beside an early answer. A client that waits for `100 Continue` is not invited: its connection ends.
pub(crate) fn dispose(response: &mut Response<Body>, body: Body, expects: bool, most: u64) {
    if body.is_end_stream() {
        return;
    }
    if expects || body.size_hint().lower() > most {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return;
    }
    tokio::spawn(tokio::time::timeout(DRAIN_WITHIN, drain(body, most)));
}

/// Reads to the end, or until `most` bytes went by; dropping a body before its end closes an HTTP/1.1 connection.
async fn drain(mut body: Body, most: u64) {
    let mut read = 0_u64;
    while let Some(Ok(frame)) = body.frame().await {
        read = read.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64));
        if read > most {
            return;
        }
    }
}

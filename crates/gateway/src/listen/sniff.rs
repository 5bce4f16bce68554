//! HTTP/1.1 or HTTP/2: told by the first bytes, which stay unread.

use std::{io::Error, time::Duration};

use tokio::net::TcpStream;

/// How an HTTP/2 connection without TLS begins (RFC 9113 §3.4); no HTTP/1.1 request does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Between two looks at a preface that comes in pieces.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether the client speaks HTTP/2. An empty stream counts as HTTP/1.1, whose server then sees its end.
pub(super) async fn is_http2(stream: &TcpStream) -> Result<bool, Error> {
    let mut first = [0; PREFACE.len()];
    loop {
        let read = stream.peek(&mut first).await?;
        let seen = first.get(..read).unwrap_or_default();
        if seen == PREFACE {
            return Ok(true);
        }
        if seen.is_empty() || !PREFACE.starts_with(seen) {
            return Ok(false);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

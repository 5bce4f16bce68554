//! HTTP/1.1 or HTTP/2: told by the first bytes, which stay unread.

use std::io::{Error, ErrorKind};

use tokio::{io::Interest, net::TcpStream};

/// How an HTTP/2 connection without TLS begins (RFC 9113 §3.4); no HTTP/1.1 request does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Whether the client speaks HTTP/2. An empty stream counts as HTTP/1.1, whose server then sees its end.
pub(super) async fn is_http2(stream: &TcpStream) -> Result<bool, Error> {
    let mut first = [0; PREFACE.len()];
    loop {
        // Nothing more will come of a preface that ends half way.
        let ended = stream.ready(Interest::READABLE).await?.is_read_closed();
        let read = stream.peek(&mut first).await?;
        let seen = first.get(..read).unwrap_or_default();
        if seen == PREFACE {
            return Ok(true);
        }
        if ended || seen.is_empty() || !PREFACE.starts_with(seen) {
            return Ok(false);
        }
        wait_for_more(stream);
    }
}

/// Forgets that there is something to read, until more of it comes: the bytes that were looked at are still there. Nothing is lost in
/// between, as a data-plane thread itself asks the kernel what has come.
fn wait_for_more(stream: &TcpStream) {
    let _ = stream.try_io(Interest::READABLE, || Err::<(), _>(ErrorKind::WouldBlock.into()));
}

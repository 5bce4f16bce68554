#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    future::poll_fn,
    io::ErrorKind,
    pin::{Pin, pin},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::rt::Write;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{io::ClientIo, sniff, upload::Upload};
use crate::{Body, BodyError, delivery::Outbox};

const MINUTE: Duration = Duration::from_secs(60);

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, client)
}

/// Closing while a client still sends would reset its connection, and could take the answer away from it.
#[tokio::test]
async fn a_client_that_is_still_sending_is_listened_to_after_the_answer() {
    let (server, mut client) = pair().await;
    let mut io = ClientIo::new(server, Outbox::default(), MINUTE);
    let ending = tokio::spawn(async move {
        poll_fn(|cx| Pin::new(&mut io).poll_shutdown(cx)).await.unwrap();
    });
    let mut rest = Vec::new();
    assert_eq!(client.read_to_end(&mut rest).await.unwrap(), 0, "our side has ended");
    for _ in 0..32 {
        client.write_all(&[0; 8192]).await.unwrap();
        tokio::task::yield_now().await;
    }
    drop(client);
    ending.await.unwrap();
}

#[tokio::test]
async fn the_first_bytes_tell_the_protocol() {
    for (pieces, http2) in [
        (&["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"][..], true),
        (&["PRI", " * HTT", "P/2.0\r\n"], true),
        (&["GET / HTTP/1.1\r\n"], false),
        (&["PRIVATE / HTTP/1.1\r\n"], false),
        (&["PUT / HTTP/1.1\r\n"], false),
        (&[""], false),
        (&["PRI"], false),
    ] {
        let (server, mut client) = pair().await;
        let sending = tokio::spawn(async move {
            for piece in pieces {
                client.write_all(piece.as_bytes()).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            }
        });
        assert_eq!(sniff::is_http2(&server).await.unwrap(), http2, "{pieces:?}");
        sending.await.unwrap();
    }
}

/// A preface that comes in pieces is waited for, not polled for.
#[tokio::test(start_paused = true)]
async fn half_a_preface_costs_nothing() {
    let (server, mut client) = pair().await;
    client.write_all(b"P").await.unwrap();
    let mut sniffing = pin!(sniff::is_http2(&server));
    let mut polls = 0;
    let counted = poll_fn(|cx| {
        polls += 1;
        sniffing.as_mut().poll(cx)
    });
    assert!(tokio::time::timeout(Duration::from_secs(5), counted).await.is_err());
    assert!(polls <= 4, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_has_gone() {
    let (server, mut client) = pair().await;
    let mut io = ClientIo::new(server, Outbox::default(), MINUTE);
    let mut write = async || {
        let mut written = 0;
        loop {
            match poll_fn(|cx| Pin::new(&mut io).poll_write(cx, &[0; 65_536])).await {
                Ok(bytes) => written += bytes,
                Err(error) => return (written, error.kind()),
            }
        }
    };
    let (mut taken, mut bytes) = (0, [0; 65_536]);
    let reading = async {
        for _ in 0..200 {
            tokio::time::sleep(MINUTE / 2).await;
            taken += client.read(&mut bytes).await.unwrap();
        }
        std::future::pending::<()>().await;
    };
    let (written, error) = tokio::select! { ended = write() => ended, () = reading => unreachable!() };
    assert!(taken > 0 && written >= taken);
    assert_eq!(error, ErrorKind::TimedOut);
}

/// So many pieces of that size, each after that long.
fn pieces(count: usize, size: usize, pause: u64) -> Body {
    let pieces = stream::iter(0..count).then(move |_| async move {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        Ok::<_, BodyError>(Frame::data(Bytes::from(vec![b'x'; size])))
    });
    Upload::paced(Body::new(StreamBody::new(pieces)), MINUTE / 2)
}

#[tokio::test(start_paused = true)]
async fn an_upload_has_a_pace() {
    for (count, size, pause) in [(3, 1, 10), (1, 1, 29), (1000, 1024, 29), (100_000, 100, 1)] {
        assert_eq!(pieces(count, size, pause).read(u64::MAX).await.unwrap().len(), count * size, "{count} of {size}");
    }
    for (count, size, pause) in [(1, 1_000_000, 31), (1000, 1, 20), (1000, 300, 20), (usize::MAX, 1, 1)] {
        assert!(matches!(pieces(count, size, pause).read(u64::MAX).await, Err(BodyError::Slow)), "{count} of {size}");
    }
}

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{future::poll_fn, pin::Pin};

use hyper::rt::Write;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{io::ClientIo, sniff};
use crate::delivery::Outbox;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, client)
}

/// Closing while a client still sends would reset its connection, and could take the answer away from it.
#[tokio::test]
async fn a_client_that_is_still_sending_is_listened_to_after_the_answer() {
    let (server, mut client) = pair().await;
    let mut io = ClientIo::new(server, Outbox::default());
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

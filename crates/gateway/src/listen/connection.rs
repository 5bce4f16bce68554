//! One client connection, HTTP/1.1 or HTTP/2.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

use http::Request;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{io::ClientIo, sniff, upload::Upload};
use crate::{
    Body, Limits,
    delivery::{Outbox, Pieces},
    origin::Origin,
    pipeline::{Peer, Pipeline},
};

/// Streams of one HTTP/2 connection.
const MOST_STREAMS: u32 = 200;
/// Streams reset by the client before they were served; beyond, the connection ends (CVE-2023-44487).
const MOST_RESETS: usize = 50;

/// Serves a connection to its end.
pub(super) async fn serve<O: Origin>(stream: TcpStream, peer: SocketAddr, pipeline: Arc<Pipeline<O>>, drain: CancellationToken) {
    let head = pipeline.shared.limits.head;
    let http2 = tokio::select! {
        sniffed = tokio::time::timeout(head, sniff::is_http2(&stream)) => match sniffed {
            Ok(Ok(http2)) => http2,
            Ok(Err(_)) | Err(_) => return,
        },
        () = drain.cancelled() => return,
    };
    let outbox = if http2 { Outbox::windowed() } else { Outbox::default() };
    let io = ClientIo::new(stream, outbox.clone(), pipeline.shared.limits.stall);
    let peer = Peer { address: peer.ip().into(), outbox: Some(outbox) };
    let ended = if http2 { serve_http2(io, peer, pipeline, drain).await } else { serve_http1(io, peer, pipeline, drain).await };
    if let Err(error) = ended {
        tracing::debug!(%error, "a client's connection broke off");
    }
}

/// `pipeline_flush` stays off: it swallows a last answer when the connection closes with unread bytes.
async fn serve_http1<O: Origin>(
    io: ClientIo,
    peer: Peer,
    pipeline: Arc<Pipeline<O>>,
    drain: CancellationToken,
) -> Result<(), hyper::Error> {
    let Limits { head, head_bytes, head_fields, .. } = pipeline.shared.limits;
    let service = service_fn(|request: Request<Incoming>| answer(&pipeline, request, peer.clone()));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(head_bytes)
        .max_header_size(head_bytes)
        .max_headers(head_fields);
    let mut connection = pin!(builder.serve_connection(io, service));
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = drain.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

/// Ends also where the client opens no window for what waits for it.
async fn serve_http2<O: Origin>(
    io: ClientIo,
    peer: Peer,
    pipeline: Arc<Pipeline<O>>,
    drain: CancellationToken,
) -> Result<(), hyper::Error> {
    let limits = pipeline.shared.limits.clone();
    let outbox = peer.outbox.clone().unwrap_or_default();
    let service = service_fn(move |request: Request<Incoming>| {
        let (pipeline, peer) = (Arc::clone(&pipeline), peer.clone());
        async move {
            let outbox = peer.outbox.clone().unwrap_or_default();
            answer(&pipeline, request, peer).await.map(|response| Pieces::of(response, outbox))
        }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_pending_accept_reset_streams(MOST_RESETS)
        .max_local_error_reset_streams(MOST_RESETS)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.head)
        .keep_alive_timeout(limits.head);
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut looks = tokio::time::interval(limits.stall);
    let mut draining = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = drain.cancelled(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = looks.tick() => if outbox.stands_still() {
                return Ok(());
            },
        }
    }
}

async fn answer<O: Origin>(
    pipeline: &Arc<Pipeline<O>>,
    request: Request<Incoming>,
    peer: Peer,
) -> Result<http::Response<Body>, Infallible> {
    let pause = pipeline.shared.limits.upload;
    Ok(pipeline.handle(request.map(|body| Upload::paced(body.into(), pause)), peer).await)
}

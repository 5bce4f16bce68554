//! HTTP in front of the node.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::rpc::{Node, Reply};

/// The longest request body, in bytes.
const BODY_LIMIT: usize = 16 << 20;

/// Closes a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the reply is dropped on command")]
struct Dropped;

/// Accepts connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, node: Arc<Node>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&node)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, node: Arc<Node>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no delay could not be set");
    }
    let service = service_fn(|request| {
        let node = Arc::clone(&node);
        async move { handle(&node, request).await }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn handle(node: &Node, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return Ok(response(StatusCode::NO_CONTENT, Bytes::new())),
        _ => return Ok(response(StatusCode::METHOD_NOT_ALLOWED, Bytes::from_static(b"JSON-RPC takes POST\n"))),
    }
    let Ok(body) = Limited::new(request.into_body(), BODY_LIMIT).collect().await else {
        return Ok(response(StatusCode::PAYLOAD_TOO_LARGE, Bytes::new()));
    };
    match node.reply(&body.to_bytes()).await {
        Reply::Json(value) => Ok(response(StatusCode::OK, value.to_string().into())),
        Reply::Failure => Ok(response(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new())),
        Reply::Dropped => Err(Dropped),
    }
}

fn response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        // Pages in a browser may ask a development chain.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// Mines a block whenever the interval has passed, as long as there is one.
pub(crate) async fn mine_by_the_clock(node: Arc<Node>) {
    let mut interval = node.interval.subscribe();
    loop {
        let period = *interval.borrow_and_update();
        let due = async {
            match period {
                Some(period) => tokio::time::sleep(period).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => { node.write().mine(); }
            changed = interval.changed() => if changed.is_err() { return },
        }
    }
}

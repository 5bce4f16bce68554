//! An origin that records what reaches it. What it answers is said by the last part of the path.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Channel, channel::Sender};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::Semaphore, task::AbortHandle};

type Reply = Response<Channel<Bytes, std::io::Error>>;

#[derive(Clone)]
pub struct Origin {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    seen: Mutex<Vec<Seen>>,
    /// What waits in `/hold` and between the events of `/events` goes on with a permit each.
    gate: Semaphore,
    /// Chunks of `/big` that were taken.
    chunks: AtomicUsize,
    accept: Mutex<Option<AbortHandle>>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Origin {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state =
            Arc::new(State { seen: Mutex::default(), gate: Semaphore::new(0), chunks: AtomicUsize::new(0), accept: Mutex::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        *state.accept.lock().unwrap() = Some(accepting.abort_handle());
        Self { address, state }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    pub fn hits(&self) -> usize {
        self.state.seen.lock().unwrap().len()
    }

    pub fn last(&self) -> Seen {
        self.seen().pop().expect("nothing reached the origin")
    }

    /// Lets one waiting answer, or event, go on.
    pub fn go_on(&self) {
        self.state.gate.add_permits(1);
    }

    /// Chunks of 64 KiB of `/big` that were taken, of 1024.
    pub fn chunks(&self) -> usize {
        self.state.chunks.load(Ordering::Relaxed)
    }

    /// Until so many requests have come.
    pub async fn wait_for(&self, hits: usize) {
        while self.hits() < hits {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Reply, Infallible> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.to_string();
    // Recorded before its body has come: a request whose body breaks off was a hit all the same.
    let index = {
        let mut seen = state.seen.lock().unwrap();
        seen.push(Seen { target, headers: parts.headers, body: Bytes::new(), trailers: None });
        seen.len() - 1
    };
    let last = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    if last != "early"
        && let Ok(body) = body.collect().await
    {
        let trailers = body.trailers().cloned();
        let mut seen = state.seen.lock().unwrap();
        seen[index].trailers = trailers;
        seen[index].body = body.to_bytes();
    }
    let body = state.seen.lock().unwrap()[index].body.clone();
    let (sender, channel) = Channel::new(1);
    let mut reply = Response::new(channel);
    reply.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
    reply.headers_mut().insert("cache-control", HeaderValue::from_static("public, max-age=60"));
    if let Ok(status) = StatusCode::from_bytes(last.as_bytes()) {
        *reply.status_mut() = status;
    }
    shape(&last, &mut reply);
    tokio::spawn(write(last, body, sender, state));
    Ok(reply)
}

fn shape(last: &str, reply: &mut Reply) {
    let headers = reply.headers_mut();
    match last {
        "forged" => {
            for name in [
                "payment-response",
                "x-payment-response",
                "payment-required",
                "payment-settlement",
                "payment-context",
                "keep-alive",
                "x-private",
            ] {
                headers.insert(name, HeaderValue::from_static("forged"));
            }
            headers.insert("connection", HeaderValue::from_static("x-private"));
        }
        "truncated" => {
            headers.insert("content-length", HeaderValue::from_static("1000"));
        }
        "trailers" => {
            headers.insert("trailer", HeaderValue::from_static("x-sum, payment-response"));
        }
        "events" => {
            headers.insert("content-type", HeaderValue::from_static("text/event-stream"));
        }
        "whole" => {
            headers.insert("content-length", HeaderValue::from_static("5"));
        }
        _ => {}
    }
}

async fn write(last: String, body: Bytes, mut sender: Sender<Bytes, std::io::Error>, state: Arc<State>) {
    match last.as_str() {
        "hold" => {
            state.gate.acquire().await.unwrap().forget();
            let _ = sender.send_data(Bytes::from_static(b"held")).await;
        }
        "events" => {
            for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
                if sender.send_data(Bytes::from(event)).await.is_err() {
                    return;
                }
                state.gate.acquire().await.unwrap().forget();
            }
        }
        "truncated" => {
            let _ = sender.send_data(Bytes::from_static(b"half")).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            sender.abort(std::io::Error::other("truncated"));
        }
        "trailers" => {
            let _ = sender.send_data(Bytes::from_static(b"data")).await;
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("7"));
            trailers.insert("payment-response", HeaderValue::from_static("forged"));
            let _ = sender.send(Frame::trailers(trailers)).await;
        }
        "big" => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            for _ in 0..1024 {
                if sender.send_data(chunk.clone()).await.is_err() {
                    return;
                }
                state.chunks.fetch_add(1, Ordering::Relaxed);
            }
        }
        "66000" => {
            let _ = sender.send_data(Bytes::from(vec![b'x'; 66_000])).await;
        }
        "echo" => {
            let _ = sender.send_data(body).await;
        }
        "empty" | "204" | "304" => {}
        _ => {
            let _ = sender.send_data(Bytes::from_static(b"hello")).await;
        }
    }
}

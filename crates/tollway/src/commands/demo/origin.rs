//! The demo's origin: a free page, and behind the gateway a page, an API, a download and a stream.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Something that is for sale.
pub struct Good {
    pub id: &'static str,
    pub path: &'static str,
    pub price: &'static str,
    pub what: &'static str,
}

pub const GOODS: [Good; 4] = [
    Good { id: "article", path: "/article", price: "$0.01", what: "A page to read" },
    Good { id: "weather", path: "/api/weather", price: "$0.001", what: "A JSON API" },
    Good { id: "readings", path: "/readings.csv", price: "$0.05", what: "A download of 4 MiB" },
    Good { id: "events", path: "/events", price: "$0.005", what: "A stream of ten events" },
];

/// Lines of the download, of 32 bytes each.
const LINES: u64 = 131_072;
const LINES_A_CHUNK: u64 = 1_024;
const LINE: u64 = 32;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| std::future::ready(Ok::<_, Infallible>(answer(request.uri().path()))));
            // A client that goes away is its own affair.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

fn answer(path: &str) -> Response<Body> {
    match path {
        "/" => respond("text/html; charset=utf-8", whole(front_page())),
        "/article" => respond("text/html; charset=utf-8", whole(ARTICLE.to_owned())),
        "/api/weather" => respond("application/json", whole(WEATHER.to_owned())),
        "/readings.csv" => {
            let mut response = respond("text/csv", streamed(readings()));
            response.headers_mut().insert(header::CONTENT_LENGTH, (LINES * LINE).into());
            response
        }
        "/events" => respond("text/event-stream", streamed(events())),
        _ => {
            let mut response = respond("text/plain; charset=utf-8", whole("not found\n".to_owned()));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

fn respond(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

fn whole(text: String) -> Body {
    Full::new(Bytes::from(text)).boxed_unsync()
}

fn streamed(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    StreamBody::new(chunks.map(|chunk| Ok(Frame::data(chunk)))).boxed_unsync()
}

/// `hour,celsius,hectopascal` in lines of equal length.
fn readings() -> impl Stream<Item = Bytes> + Send {
    let line = |n: u64| {
        format!("{:>09},{:>+06.1},{:>014.3}\n", n, f64::from((n % 400) as u32) / 10.0 - 10.0, 980.0 + f64::from((n % 613) as u32) / 10.0)
    };
    stream::iter((0..LINES / LINES_A_CHUNK).map(move |chunk| {
        let text: String = (chunk * LINES_A_CHUNK..(chunk + 1) * LINES_A_CHUNK).map(line).collect();
        Bytes::from(text)
    }))
}

/// Ten server-sent events, a quarter of a second apart.
fn events() -> impl Stream<Item = Bytes> + Send {
    stream::unfold(1_u8, async |n| {
        if n > 10 {
            return None;
        }
        if n > 1 {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Some((Bytes::from(format!("id: {n}\ndata: {{\"tick\":{n}}}\n\n")), n + 1))
    })
}

fn front_page() -> String {
    let item = |good: &Good| format!("<li><a href=\"{}\">{}</a>: {}, {}</li>", good.path, good.path, good.what, good.price);
    let list: String = GOODS.iter().map(item).collect();
    format!("<!doctype html><title>Tollway demo</title><h1>Tollway demo</h1><p>This page is free. For sale:</p><ul>{list}</ul>\n")
}

const ARTICLE: &str = "<!doctype html><title>Tolls</title><h1>On tolls</h1><p>You paid one cent for this page, \
and it went straight to whoever wrote it.</p>\n";
const WEATHER: &str = "{\"place\":\"Reykjavík\",\"celsius\":4.2,\"sky\":\"rain, later sun\"}\n";

//! The same pipeline over HTTP/2.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{Reply, World};

type Client = SendRequest<Full<Bytes>>;

async fn connect(world: &World) -> Client {
    let stream = TcpStream::connect(world.address).await.unwrap();
    let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn send(client: &Client, method: &str, target: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Response<Incoming> {
    let mut request = Request::builder().method(method).uri(format!("http://shop.example{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.clone().send_request(request.body(Full::from(body)).unwrap()).await.unwrap()
}

fn as_reply(headers: &HeaderMap, status: StatusCode) -> Reply {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    Reply { status: status.as_u16(), headers, body: Vec::new(), trailers: Vec::new(), whole: true }
}

#[tokio::test]
async fn offers_payments_and_deliveries() {
    let world = World::start().await;
    let client = connect(&world).await;
    let unpaid = send(&client, "GET", "/paid/a", &[], b"").await;
    let payment = world.buyer.pay(&as_reply(unpaid.headers(), unpaid.status()), world.now());
    let paid = send(&client, "GET", "/paid/a", &[("payment-signature", &payment)], b"").await;
    assert_eq!(paid.status(), 200);
    assert!(paid.headers().contains_key("payment-response"));
    assert_eq!(paid.into_body().collect().await.unwrap().to_bytes(), "hello");
    let id = World::id(&format!("PAYMENT-SIGNATURE: {payment}"));
    world.until(id, |record| record.delivered).await;
    assert_eq!(world.origin.last().header("host"), Some("shop.example"));
    // The same bytes over the other protocol are the same payment.
    assert_eq!(world.get("/paid/a", &[&format!("PAYMENT-SIGNATURE: {payment}")]).await.error(), "already_delivered");
}

#[tokio::test]
async fn bodies_pass_and_unwanted_ones_do_not_matter() {
    let world = World::start().await;
    let client = connect(&world).await;
    for _ in 0..5 {
        assert_eq!(send(&client, "POST", "/paid/a", &[], &[b'x'; 100_000]).await.status(), 402);
    }
    let echoed = send(&client, "POST", "/free/echo", &[], b"body").await;
    assert_eq!(echoed.into_body().collect().await.unwrap().to_bytes(), "body");
    let big = send(&client, "GET", "/free/big", &[], b"").await;
    assert_eq!(big.into_body().collect().await.unwrap().to_bytes().len(), 64 << 20);
}

#[tokio::test]
async fn two_authorities_are_refused() {
    let world = World::start().await;
    let client = connect(&world).await;
    assert_eq!(send(&client, "GET", "/", &[("host", "other.example")], b"").await.status(), 400);
    assert_eq!(send(&client, "GET", "/", &[("host", "SHOP.example")], b"").await.status(), 200);
    assert_eq!(send(&client, "GET", "//paid/a", &[], b"").await.status(), 400);
    assert_eq!(send(&client, "GET", "/x;y", &[], b"").await.status(), 400);
    assert_eq!(send(&client, "TRACE", "/", &[], b"").await.status(), 405);
    assert_eq!(world.origin.hits(), 1);
}

#[tokio::test]
async fn a_client_that_resets_its_stream_can_come_back() {
    let world = World::start().await;
    let client = connect(&world).await;
    let payment = world.payment("/paid/big").await;
    let value = payment.split_once(": ").unwrap().1;
    let mut reply = send(&client, "GET", "/paid/big", &[("payment-signature", value)], b"").await;
    assert!(reply.body_mut().frame().await.is_some());
    drop(reply);
    world.until(World::id(&payment), |record| record.redelivering.is_none()).await;
    let again = send(&client, "GET", "/paid/big", &[("payment-signature", value)], b"").await;
    assert_eq!(again.into_body().collect().await.unwrap().to_bytes().len(), 64 << 20);
    world.until(World::id(&payment), |record| record.delivered).await;
    assert_eq!(world.facilitator.settles(), 1);
}

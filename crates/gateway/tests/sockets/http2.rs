//! The same pipeline over HTTP/2.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{Reply, World, world::rules};

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

/// A client that says itself how much it takes.
async fn withholding(world: &World, window: u32) -> (h2::client::SendRequest<Bytes>, tokio::task::JoinHandle<()>) {
    let stream = TcpStream::connect(world.address).await.unwrap();
    let (client, connection) = h2::client::Builder::new().initial_window_size(window).handshake::<_, Bytes>(stream).await.unwrap();
    let driving = tokio::spawn(async move {
        let _ = connection.await;
    });
    (client.ready().await.unwrap(), driving)
}

async fn ask(client: &mut h2::client::SendRequest<Bytes>, target: &str, payment: &str) -> h2::RecvStream {
    let value = payment.split_once(": ").unwrap().1;
    let request = Request::get(format!("http://shop.example{target}")).header("payment-signature", value).body(()).unwrap();
    let response = client.send_request(request, true).unwrap().0.await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// What waits for a window that does not open has not been handed to the socket, however often other streams are flushed.
#[tokio::test]
async fn what_the_window_holds_back_is_not_delivered() {
    let world = World::start().await;
    for (target, window) in [("/paid/a", 0), ("/paid/a", 4), ("/paid/whole", 0), ("/paid/whole", 4), ("/paid/66000", 65_535)] {
        let payment = world.payment(target).await;
        let (mut client, driving) = withholding(&world, window).await;
        let mut body = ask(&mut client, target, &payment).await;
        let mut come = 0;
        while come < window as usize {
            come += body.data().await.unwrap().unwrap().len();
        }
        for _ in 0..3 {
            let request = Request::get("http://shop.example/free/empty").body(()).unwrap();
            assert_eq!(client.send_request(request, true).unwrap().0.await.unwrap().status(), 200);
        }
        driving.abort();
        let _ = driving.await;
        let record = world.until(World::id(&payment), |record| record.redelivering.is_none()).await;
        assert!(!record.delivered, "{target}, window {window}");
        let again = world.get(target, &[&payment]).await;
        assert!(again.status == 200 && again.whole, "{target}, window {window}: {}", again.status);
    }
}

#[tokio::test]
async fn what_a_window_lets_through_in_pieces_is_delivered() {
    let world = World::start().await;
    for (target, length, window) in [("/paid/a", 5, 4), ("/paid/whole", 5, 4), ("/paid/66000", 66_000, 1000)] {
        let payment = world.payment(target).await;
        let (mut client, _driving) = withholding(&world, window).await;
        let mut body = ask(&mut client, target, &payment).await;
        let mut come = 0;
        while let Some(data) = body.data().await {
            let data = data.unwrap();
            come += data.len();
            body.flow_control().release_capacity(data.len()).unwrap();
            client = client.ready().await.unwrap();
        }
        assert_eq!(come, length, "{target}");
        world.until(World::id(&payment), |record| record.delivered).await;
    }
}

/// RFC 9113 §8.2.3: cookies may come in crumbs; an HTTP/1.1 origin gets one field.
#[tokio::test]
async fn cookie_crumbs_are_joined() {
    let world = World::start().await;
    let client = connect(&world).await;
    assert_eq!(send(&client, "GET", "/free", &[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3; d=4")], b"").await.status(), 200);
    let seen = world.origin.last();
    assert_eq!(seen.headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2; c=3; d=4"]);
}

/// The client stays, and opens no window.
#[tokio::test]
async fn a_window_that_stays_closed_ends_the_connection() {
    let world = World::with(rules(), |config| config.limits.stall = Duration::from_millis(300)).await;
    let payment = world.payment("/paid/a").await;
    let (mut client, driving) = withholding(&world, 0).await;
    let _body = ask(&mut client, "/paid/a", &payment).await;
    driving.await.unwrap();
    let record = world.until(World::id(&payment), |record| record.redelivering.is_none()).await;
    assert!(!record.delivered);
}

//! One request, one answer: early answers, unread bodies, hostile framing (attacks B1, B2).

use std::time::Duration;

use ledger::State;

use crate::support::{Wire, World, world::request};

/// A body that looks like a request is never one.
#[tokio::test]
async fn the_body_of_an_early_402_is_not_the_next_request() {
    let world = World::start().await;
    let smuggled = "GET /free HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\n";
    for path in ["/paid/a", "/blocked", "/%2e%2e/x", "/.well-known/x402.json"] {
        let mut wire = Wire::open(world.address).await;
        wire.send(request("POST", path, &[], smuggled.as_bytes())).await;
        assert!(matches!(wire.reply().await.status, 400 | 402 | 403 | 405), "{path}");
        // Either the connection goes on with what was really sent next, or it has ended.
        wire.try_send(request("GET", "/paid/b", &[], b"")).await;
        assert_eq!(wire.next().await.map_or(402, |reply| reply.status), 402, "{path}");
    }
    assert_eq!(world.origin.hits(), 0);
}

#[tokio::test]
async fn a_connection_goes_on_after_an_early_answer_with_a_small_body() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    for _ in 0..3 {
        wire.send(request("POST", "/paid/a", &[], b"small")).await;
        assert_eq!(wire.reply().await.status, 402);
    }
    wire.send("POST /paid/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    assert_eq!(wire.reply().await.status, 402);
    wire.send("3\r\nabc\r\n0\r\n\r\n").await;
    wire.send(request("GET", "/free", &[], b"")).await;
    assert_eq!(wire.reply().await.status, 200);
}

/// A client that only sends more than anyone wants to read still gets its answer.
#[tokio::test]
async fn a_large_unwanted_body_does_not_swallow_the_answer() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    wire.send(format!("POST /paid/a HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 64 << 20)).await;
    wire.try_send(vec![b'x'; 512 << 10]).await;
    let reply = wire.reply().await;
    assert_eq!((reply.status, reply.header("connection")), (402, Some("close")));
}

#[tokio::test]
async fn an_early_402_does_not_invite_the_body() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    wire.send("POST /paid/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(wire.next().await.unwrap().status, 402);
    let mut wire = Wire::open(world.address).await;
    wire.send("POST /free/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(wire.next().await.unwrap().status, 100);
    wire.send("hello").await;
    assert_eq!(wire.reply().await.text(), "hello");
    assert_eq!(world.origin.last().header("expect"), None);
}

#[tokio::test]
async fn hostile_framing_reaches_nobody() {
    let world = World::start().await;
    for head in [
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: +3",
        "Content-Length: 03",
        "Content-Length: 0x3",
        "Content-Length: 3, 4",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Content-Length : 3",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "X: a\r\n folded",
        "X: a\r\nbroken line",
        "X\0: a",
    ] {
        let mut wire = Wire::open(world.address).await;
        wire.send(format!("POST /free HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\nabc")).await;
        assert_eq!(wire.next().await.map_or(400, |reply| reply.status), 400, "{head}");
    }
    let mut wire = Wire::open(world.address).await;
    wire.send("POST /free HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").await;
    assert_eq!(wire.next().await.map_or(400, |reply| reply.status), 400);
    assert_eq!(world.origin.hits(), 0);
}

/// RFC 9112 §6.3: with both, chunks count, the length is not passed on, and the connection ends with the answer.
#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    let world = World::start().await;
    for fields in ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"] {
        let hits = world.origin.hits();
        let mut wire = Wire::open(world.address).await;
        wire.send(format!(
            "POST /free/echo HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n0\r\n\r\nGET /free/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        ))
        .await;
        let first = wire.next().await.unwrap();
        assert!(matches!(first.status, 200 | 400), "{fields}");
        assert!(wire.ends().await, "{fields}");
        assert!(world.origin.hits() <= hits + 1, "{fields}");
        assert!(world.origin.seen().iter().all(|seen| seen.header("content-length").is_none_or(|length| length == "0")));
    }
}

#[tokio::test]
async fn upgrades_do_not_open_a_tunnel() {
    let world = World::start().await;
    for upgrade in ["h2c", "websocket", "foo"] {
        let mut wire = Wire::open(world.address).await;
        let lines = [
            format!("Upgrade: {upgrade}"),
            "Connection: Upgrade, HTTP2-Settings".to_owned(),
            "HTTP2-Settings: AAMAAABkAAQAAP__".to_owned(),
        ];
        wire.send(request("GET", "/free", &[&lines[0], &lines[1], &lines[2]], b"")).await;
        wire.send(request("GET", "/paid/a", &[], b"")).await;
        assert_eq!(wire.reply().await.status, 200, "{upgrade}");
        assert_eq!(wire.reply().await.status, 402, "{upgrade}");
        let seen = world.origin.last();
        assert!(["upgrade", "connection", "http2-settings"].iter().all(|name| seen.header(name).is_none()), "{seen:?}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let world = World::with(crate::support::world::rules(), |config| config.limits.head = Duration::from_millis(200)).await;
    let mut silent = Wire::open(world.address).await;
    let mut slow = Wire::open(world.address).await;
    slow.send("GET /free HTTP/1.1\r\nHost:").await;
    let mut preface = Wire::open(world.address).await;
    preface.send("PRI * HT").await;
    assert!(silent.ends().await && preface.ends().await);
    let status = slow.next().await.map_or(408, |reply| reply.status);
    assert!(matches!(status, 400 | 408), "{status}");
}

#[tokio::test]
async fn answers_come_in_the_order_of_requests() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    let pipelined =
        [request("GET", "/free", &[], b""), request("GET", "/paid/a", &[], b""), request("POST", "/free/echo", &[], b"body")].concat();
    wire.send(pipelined).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(wire.reply().await.status);
    }
    assert_eq!(statuses, [200, 402, 200]);
}

/// Broken chunks are the client's fault: its claim is released, its connection ends, and no origin is blamed.
#[tokio::test]
async fn broken_chunks_are_the_clients_fault() {
    let world = World::start().await;
    for chunks in ["+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\nhello", "5\nhello\n0\n\n", "5\r\nhelloX"]
    {
        for (path, state) in [("/free/echo", None), ("/paid/a", Some(State::Released)), ("/first/a", Some(State::Settled))] {
            let payment = if state.is_some() { world.payment(path).await } else { "X-None: 1".to_owned() };
            let mut wire = Wire::open(world.address).await;
            wire.send(format!("POST {path} HTTP/1.1\r\nHost: shop.example\r\n{payment}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"))
                .await;
            let reply = wire.reply().await;
            assert_eq!((reply.status, reply.error().as_str()), (400, "invalid_body"), "{path} {chunks}");
            assert!(wire.ends().await, "{path} {chunks}");
            if let Some(state) = state {
                let record = world.until(World::id(&payment), |record| record.redelivering.is_none()).await;
                assert_eq!((record.state, record.delivered), (state, false), "{path} {chunks}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let world = World::with(crate::support::world::rules(), |config| config.limits.upload = Duration::from_millis(200)).await;
    let payment = world.payment("/paid/a").await;
    let mut wire = Wire::open(world.address).await;
    wire.send(format!("POST /paid/a HTTP/1.1\r\nHost: shop.example\r\n{payment}\r\nContent-Length: 5\r\n\r\nhell")).await;
    let reply = wire.reply().await;
    assert_eq!((reply.status, reply.error().as_str()), (408, "request_timeout"));
    assert!(wire.ends().await);
    assert_eq!(world.until(World::id(&payment), |_| true).await.state, State::Released);
}

/// Above the cap a connection waits until another one ends.
#[tokio::test]
async fn open_connections_have_a_cap() {
    let world = World::with(crate::support::world::rules(), |config| config.limits.connections = 1).await;
    let mut first = Wire::open(world.address).await;
    first.send(request("GET", "/free/hold", &[], b"")).await;
    world.origin.wait_for(1).await;
    let mut second = Wire::open(world.address).await;
    second.send(request("GET", "/free/a", &[], b"")).await;
    assert!(tokio::time::timeout(Duration::from_millis(300), second.reply()).await.is_err());
    world.origin.go_on();
    assert_eq!(first.reply().await.status, 200);
    drop(first);
    assert_eq!(second.reply().await.status, 200);
}

/// A client that pays and then takes nothing does not hold its answer open; it can come back for it.
#[tokio::test]
async fn a_client_that_does_not_read_is_left() {
    let world = World::with(crate::support::world::rules(), |config| config.limits.stall = Duration::from_millis(300)).await;
    let payment = world.payment("/paid/big").await;
    let mut wire = Wire::open(world.address).await;
    wire.send(request("GET", "/paid/big", &[&payment], b"")).await;
    let record = world.until(World::id(&payment), |record| record.redelivering.is_none()).await;
    assert!(!record.delivered);
}

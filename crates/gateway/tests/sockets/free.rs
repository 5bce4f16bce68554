//! What costs nothing passes, whole and unbuffered.

use crate::support::{Wire, World, world::request};

#[tokio::test]
async fn free_answers_pass_unchanged() {
    let world = World::start().await;
    let reply = world.get("/free/whole", &["Accept: x", "If-None-Match: \"a\"", "Range: bytes=0-1"]).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(reply.header("vary"), None);
    let seen = world.origin.last();
    assert_eq!((seen.header("if-none-match"), seen.header("range"), seen.header("accept")), (Some("\"a\""), Some("bytes=0-1"), Some("x")));
}

#[tokio::test]
async fn the_origin_cannot_speak_for_the_gateway() {
    let world = World::start().await;
    let reply = world.get("/free/forged", &[]).await;
    for name in [
        "payment-response",
        "x-payment-response",
        "payment-required",
        "payment-settlement",
        "payment-context",
        "keep-alive",
        "x-private",
        "connection",
    ] {
        assert_eq!(reply.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn events_pass_one_by_one() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    wire.send(request("GET", "/free/events", &[], b"")).await;
    assert_eq!(wire.head().await.header("content-type"), Some("text/event-stream"));
    for event in 1..=3 {
        let mut seen = String::new();
        while !seen.contains(&format!("data: {event}")) {
            seen += &String::from_utf8(wire.more().await).unwrap();
        }
        assert!(!seen.contains(&format!("data: {}", event + 1)));
        world.origin.go_on();
    }
}

#[tokio::test]
async fn trailers_pass_to_who_takes_them_without_ours() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    wire.send(request("GET", "/free/trailers", &["TE: trailers"], b"")).await;
    let reply = wire.reply().await;
    assert_eq!(reply.trailers, [("x-sum".to_owned(), "7".to_owned())]);
    assert_eq!(world.origin.last().header("te"), Some("trailers"));
    wire.send(request("GET", "/free/trailers", &[], b"")).await;
    let reply = wire.reply().await;
    assert!(reply.trailers.is_empty() && reply.whole);
}

#[tokio::test]
async fn request_trailers_pass_without_ours() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    let head = "POST /free/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Payment-Signature\r\n\r\n";
    wire.send(format!("{head}3\r\nabc\r\n0\r\nX-Sum: 9\r\nPayment-Signature: x\r\nPayment-Context: x\r\n\r\n")).await;
    assert_eq!(wire.reply().await.text(), "abc");
    let trailers = world.origin.last().trailers.unwrap_or_default();
    assert!(trailers.keys().all(|name| name == "x-sum"), "{trailers:?}");
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() {
    let world = World::start().await;
    let reply = world.get("/free/big", &[]).await;
    assert_eq!((reply.body.len(), reply.whole), (64 << 20, true));
    // Much more than `request_buffer`: only what must be compared is bounded.
    let upload = vec![b'u'; 4 << 20];
    let reply = world.send("POST", "/free/echo", &[], &upload).await;
    assert_eq!(reply.body.len(), upload.len());
}

#[tokio::test]
async fn a_truncated_answer_is_seen_as_one() {
    let world = World::start().await;
    assert!(!world.get("/free/truncated", &[]).await.whole);
}

#[tokio::test]
async fn head_answers_have_no_body() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    for _ in 0..2 {
        wire.send(request("HEAD", "/free/whole", &[], b"")).await;
        let reply = wire.reply_to("HEAD").await;
        assert_eq!((reply.status, reply.header("content-length")), (200, Some("5")));
    }
}

#[tokio::test]
async fn what_is_blocked_or_denied_is_403() {
    let world = World::start().await;
    let reply = world.get("/blocked", &[]).await;
    assert_eq!((reply.status, reply.error().as_str(), reply.header("cache-control")), (403, "denied", Some("no-store")));
    assert_eq!(world.origin.hits(), 0);
}

#[tokio::test]
async fn always_free_paths_are_free_under_a_charge_rule() {
    let world = World::with(vec![rules::RuleSpec { when: None, ..crate::support::world::charge("all", "/") }], |_| {}).await;
    let robots = world.get("/robots.txt", &[]).await;
    assert_eq!(robots.status, 200);
    assert_eq!(robots.header("cache-control"), Some("private, max-age=60"));
    assert_eq!(world.get("/other", &[]).await.status, 402);
}

/// What a client does not read is not read from the origin either: nothing is spooled.
#[tokio::test]
async fn a_slow_reader_holds_the_origin_back() {
    let world = World::start().await;
    let payment = world.payment("/paid/big").await;
    let mut wires = Vec::new();
    for (path, line) in [("/free/big", "X-Y: z"), ("/paid/big", payment.as_str())] {
        let before = world.origin.chunks();
        let mut wire = Wire::open(world.address).await;
        wire.send(request("GET", path, &[line], b"")).await;
        assert_eq!(wire.head().await.status, 200);
        // Until nothing moves any more.
        let mut taken = usize::MAX;
        while taken != world.origin.chunks() {
            taken = world.origin.chunks();
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        assert!(taken - before < 512, "{path}: {} of 1024", taken - before);
        wires.push(wire);
    }
}

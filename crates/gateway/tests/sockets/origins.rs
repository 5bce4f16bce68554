//! Origins that are gone, slow, or close their connections.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{
    Wire, World,
    world::{market, rules},
};

#[tokio::test]
async fn an_unreachable_origin_is_502() {
    let world = World::with(rules(), |config| config.origin = "http://127.0.0.1:1".parse().unwrap()).await;
    let reply = world.get("/free", &[]).await;
    assert_eq!((reply.status, reply.error().as_str()), (502, "origin_unreachable"));
}

#[tokio::test]
async fn an_origin_that_does_not_answer_is_504() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let world = World::with(rules(), |config| {
        config.origin = format!("http://{address}").parse().unwrap();
        config.limits.origin = Duration::from_millis(200);
    })
    .await;
    let reply = world.get("/free", &[]).await;
    assert_eq!((reply.status, reply.error().as_str()), (504, "origin_timeout"));
}

/// A long upload is not a silent origin.
#[tokio::test]
async fn an_upload_that_moves_is_waited_for() {
    let world = World::with(rules(), |config| config.limits.origin = Duration::from_millis(400)).await;
    let mut wire = Wire::open(world.address).await;
    wire.send("POST /free/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n").await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        wire.send("x").await;
    }
    assert_eq!(wire.reply().await.text(), "xxxxxxxxxx");
    wire.send("POST /free/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx").await;
    assert_eq!(wire.reply().await.error(), "origin_timeout");
}

#[tokio::test]
async fn an_occupied_address_is_said_to_be() {
    let world = World::start().await;
    assert!(tokio::net::TcpListener::bind(world.address).await.is_err());
    let set = rules::RuleSet::build(rules(), market(rules::Unmatched::Pass)).unwrap();
    let config = gateway::Config { listen: world.address, ..world.config.clone() };
    let secrets = gateway::Secrets { quote: [0; 32], context: [0; 32] };
    let second = gateway::Gateway::start(config, set, world.settling.clone(), world.ledger.clone(), world.clock.clone(), secrets);
    assert!(matches!(second, Err(gateway::StartError::Listen { .. })));
}

/// An origin that ends every connection after one answer without saying so: the pool's stale connections cost nobody an answer.
#[tokio::test]
async fn stale_pooled_connections_are_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).await.unwrap();
                assert!(read > 0);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            });
        }
    });
    let world = World::with(rules(), |config| config.origin = format!("http://{address}").parse().unwrap()).await;
    for _ in 0..50 {
        assert_eq!(world.get("/free", &[]).await.status, 200);
        assert_eq!(world.send("POST", "/free", &[], b"").await.status, 200);
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut accepted) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            sender.send(()).unwrap();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while stream.read(&mut bytes).await.unwrap() > 0 {
                    stream
                        .write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                        .await
                        .unwrap();
                }
            });
        }
    });
    let world = World::with(rules(), |config| config.origin = format!("http://{address}").parse().unwrap()).await;
    for _ in 0..10 {
        let reply = world.get("/free", &[]).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
    }
    assert!(accepted.recv().await.is_some());
    assert!(accepted.try_recv().is_err(), "a second connection was opened");
}

#[tokio::test]
async fn unusable_origins_are_refused_by_name() {
    for origin in ["ftp://a", "http://a/path", "http://a?q", "http://u@a", "/a"] {
        let uri = origin.parse().unwrap();
        assert!(gateway::origin::Endpoint::parse(&uri).is_err(), "{origin}");
    }
    assert!(gateway::origin::Endpoint::parse(&"https://a.example:8443/".parse().unwrap()).is_ok());
}

//! Origins that are gone, slow, or close their connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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

/// An origin that answers `/free` over connections that stay open, and everything else by closing them. Counts the others.
async fn silent_on_paid() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, hits) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&hits);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let hits = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(read) = stream.read(&mut bytes).await
                    && read > 0
                {
                    if !bytes.starts_with(b"GET /free/warm") {
                        hits.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                }
            });
        }
    });
    (address, hits)
}

/// Several connections stand idle in the pool; one authorization reaches the origin once, whatever it does then.
#[tokio::test]
async fn a_paid_request_is_not_sent_again_where_it_may_have_arrived() {
    let (address, hits) = silent_on_paid().await;
    let world = World::with(rules(), |config| config.origin = format!("http://{address}").parse().unwrap()).await;
    let warm = async || futures_util::future::join_all((0..8).map(|_| world.get("/free/warm", &[]))).await;
    for (path, most) in [("/paid/a", 1), ("/first/a", 1), ("/free/other", 2)] {
        assert!(warm().await.iter().all(|reply| reply.status == 200));
        hits.store(0, Ordering::Relaxed);
        let reply = if path == "/free/other" { world.get(path, &[]).await } else { world.paid(path).await.1 };
        assert_eq!((reply.status, reply.error().as_str()), (502, "origin_unreachable"), "{path}");
        assert_eq!(hits.load(Ordering::Relaxed), most, "{path}");
    }
}

/// `Upgrade` never reaches an origin: a 101 is no answer, is not relayed, and costs nothing.
#[tokio::test]
async fn an_unasked_101_is_neither_relayed_nor_charged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").await;
                }
            });
        }
    });
    let world = World::with(rules(), |config| config.origin = format!("http://{address}").parse().unwrap()).await;
    for _ in 0..2 {
        let reply = world.get("/free", &[]).await;
        assert_eq!((reply.status, reply.error().as_str()), (502, "origin_unreachable"));
    }
    let (payment, reply) = world.paid("/paid/a").await;
    assert_eq!((reply.status, reply.error().as_str()), (502, "origin_unreachable"));
    let record = world.until(World::id(&payment), |_| true).await;
    assert_eq!((record.state, world.facilitator.settles()), (ledger::State::Released, 0));
}

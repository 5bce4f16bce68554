//! What was matched is what is forwarded: spellings, hosts, header names.

use crate::support::{Wire, World, world::request};

/// Every spelling of `/paid/a` here is refused, offered, or another path; none reaches the origin.
#[tokio::test]
async fn no_spelling_of_a_paid_path_gets_past_the_offer() {
    let world = World::start().await;
    let mut spellings: Vec<String> = [
        "/paid/a",
        "//paid/a",
        "///paid/a",
        "/./paid/a",
        "/../paid/a",
        "/x/../paid/a",
        "/x/%2e%2e/paid/a",
        "/x/%2E%2E/paid/a",
        "/x/.%2e/paid/a",
        "/x/..%2fpaid/a",
        "/x/..%5cpaid/a",
        "/x/..;/paid/a",
        "/;/paid/a",
        "/;x=y/paid/a",
        "/paid;/a",
        "/paid;x=y/a",
        "/paid/a;x",
        "/paid/a;x=y?z",
        "/paid/./a",
        "/paid//a",
        "/paid/../paid/a",
        "/paid/%2e/a",
        "/paid%2fa",
        "/paid%2Fa",
        "/paid%5ca",
        "/paid%5Ca",
        "/paid%252fa",
        "/%2fpaid/a",
        "/%2e/paid/a",
        "/%70aid/a",
        "/%70%61%69%64/a",
        "/paid/%61",
        "/%2570aid/a",
        "/%2570%2561id/a",
        "/paid%00/a",
        "/paid/a%00",
        "/paid/a%0a",
        "/paid/a%0d%0a",
        "/paid/a%09",
        "/paid/a%7f",
        "/paid/a%",
        "/paid/a%2",
        "/paid/a%zz",
        "/paid/a%c0",
        "/paid/a%c0%80",
        "/%c0%afpaid/a",
        "/%e0%80%afpaid/a",
        "/%f0%80%80%afpaid/a",
        "/paid/a%ff",
        "/paid/a%ed%a0%80",
        "/\\paid/a",
        "/paid\\a",
        "\\paid\\a",
        "/paid/a%25",
        "/paid/a%2525",
        "/paid/a%3f",
        "/paid/a%23",
        "/paid/a?",
        "/paid/a?x",
        "/paid/a#x",
        "/paid/a#",
        "/paid/a/",
        "/paid/a/.",
        "/paid/a/..",
        "/paid/a/../a",
        "/paid/a/%2e",
        "/paid/a/%2e%2e/a",
        "/paid/a%20",
        "/paid/a.",
        "/paid/a~",
        "/paid/%7ea",
        "/paid/a%2d",
        "/paid/a%5f",
        "/%2e%2e/paid/a",
        "/%2e%2e%2fpaid/a",
        "/x%2f..%2fpaid/a",
        "/x%5c..%5cpaid/a",
        "/paid/a|b",
        "/paid/a^b",
        "/paid/a`b",
        "/paid/{a}",
        "/paid/<a>",
        "/paid/\"a\"",
        "/paid/[a]",
        "/paid/a%5b",
        "/paid/a%40",
        "/paid/a%3a",
        "/paid/a%21",
        "/paid/a%24",
        "/paid/a%26",
        "/paid/a%27",
        "/paid/a%28",
        "/paid/a%2a",
        "/paid/a%2b",
        "/paid/a%2c",
        "/paid/a%3b",
        "/paid/a%3d",
        "/paid%3bx/a",
        "/paid%ef%bc%8fa",
        "/paid/%ef%bd%81",
        "http://shop.example/paid/a",
        "http://shop.example//paid/a",
        "HTTP://SHOP.EXAMPLE/paid/a",
        "http://other.example/paid/a",
        "http://shop.example",
        "http:/paid/a",
        "paid/a",
        "*",
        "?",
        "",
        "http://u@shop.example/paid/a",
        "ftp://shop.example/paid/a",
    ]
    .map(str::to_owned)
    .to_vec();
    spellings.extend((0..=0x1f_u8).map(|byte| format!("/paid/a%{byte:02x}")));
    assert!(spellings.len() >= 100);
    for spelling in &spellings {
        let mut wire = Wire::open(world.address).await;
        wire.send(format!("GET {spelling} HTTP/1.1\r\nHost: shop.example\r\n\r\n")).await;
        let status = wire.next().await.map_or(0, |reply| reply.status);
        let elsewhere = ["http://shop.example"].contains(&spelling.as_str());
        assert!(matches!(status, 0 | 400 | 402) || elsewhere, "{spelling}: {status}");
    }
    let targets: Vec<String> = world.origin.seen().into_iter().map(|seen| seen.target).collect();
    assert!(targets.iter().all(|target| target == "/"), "{targets:?}");
}

#[tokio::test]
async fn a_refused_path_says_so() {
    let world = World::start().await;
    let reply = world.get("/free/%2e%2e/paid", &[]).await;
    assert_eq!((reply.status, reply.error().as_str()), (400, "ambiguous_path"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_canonical_bytes_are_forwarded() {
    let world = World::start().await;
    world.get("/u/a%40b/caf%c3%a9?q=%2f&r=a%40b", &[]).await;
    assert_eq!(world.origin.last().target, "/u/a@b/caf%C3%A9?q=%2f&r=a%40b");
    let mut wire = Wire::open(world.address).await;
    wire.send("GET http://shop.example/x?y HTTP/1.1\r\nHost: SHOP.example\r\n\r\n").await;
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!((world.origin.last().target.as_str(), world.origin.last().header("host")), ("/x?y", Some("shop.example")));
}

#[tokio::test]
async fn one_host_or_none() {
    let world = World::start().await;
    for lines in [
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut wire = Wire::open(world.address).await;
        wire.send(lines).await;
        assert_eq!(wire.reply().await.status, 400, "{lines}");
    }
    assert_eq!(world.origin.hits(), 0);
}

/// A rule on `http.host` decides for every spelling of its host, and the origin sees the one that was decided on.
#[tokio::test]
async fn no_spelling_of_a_host_gets_past_its_rule() {
    let dear = crate::support::world::charge("dear", "/dear");
    let when = format!("http.host eq \"gw.example\" and {}", dear.when.clone().unwrap());
    let world = World::with(vec![rules::RuleSpec { when: Some(when), ..dear }], |_| {}).await;
    let port = world.address.port();
    let ask = async |host: &str| {
        let mut wire = Wire::open(world.address).await;
        wire.send(format!("GET /dear/a HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let reply = wire.reply().await;
        let error = if reply.status == 400 { reply.error() } else { String::new() };
        (reply.status, error)
    };
    for host in ["gw.example", "GW.Example", "gw.example:443", &format!("gw.example:{port}")] {
        assert_eq!(ask(host).await.0, 402, "{host}");
    }
    for host in ["gw.example.", "gw.example.:443", "gw.example:8080", "gw.example:80", "gw.example:0", "gw.example:"] {
        assert_eq!(ask(host).await, (400, "ambiguous_host".to_owned()), "{host}");
    }
    assert_eq!(world.origin.hits(), 0);
    for (host, canonical) in
        [("other.example:443", "other.example".to_owned()), (&*format!("LOCALHOST:{port}"), format!("localhost:{port}"))]
    {
        assert_eq!(ask(host).await.0, 200, "{host}");
        assert_eq!(world.origin.last().header("host"), Some(&*canonical));
    }
}

/// A payment is bound to the authority, not to its spelling.
#[tokio::test]
async fn one_authority_in_two_spellings_is_one_request() {
    let world = World::start().await;
    let payment = world.payment("/first/500").await;
    for (host, status) in [("shop.example", 500), ("SHOP.example:443", 500), ("other.example", 409)] {
        let mut wire = Wire::open(world.address).await;
        wire.send(format!("GET /first/500 HTTP/1.1\r\nHost: {host}\r\n{payment}\r\n\r\n")).await;
        assert_eq!(wire.reply().await.status, status, "{host}");
    }
}

#[tokio::test]
async fn methods_that_tunnel_or_mislead_are_not_served() {
    let world = World::start().await;
    for method in ["CONNECT", "TRACE", "get", "Get"] {
        let target = if method == "CONNECT" { "shop.example:80" } else { "/" };
        let mut wire = Wire::open(world.address).await;
        wire.send(format!("{method} {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n")).await;
        let status = wire.next().await.map_or(400, |reply| reply.status);
        assert!(matches!(status, 400 | 405), "{method}: {status}");
    }
    assert_eq!(world.origin.hits(), 0);
}

#[tokio::test]
async fn every_method_is_priced_and_none_can_be_overridden() {
    let world = World::start().await;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE", "X"] {
        let reply = world.send(method, "/paid/a", &["X-HTTP-Method-Override: OPTIONS", "X-Original-URL: /free"], b"").await;
        assert_eq!(reply.status, 402, "{method}");
    }
    assert_eq!(world.origin.hits(), 0);
    world
        .get(
            "/free",
            &[
                "X-HTTP-Method-Override: DELETE",
                "X-Method-Override: PUT",
                "X-HTTP-Method: PUT",
                "X-Original-URL: /paid/a",
                "X-Rewrite-URL: /paid/a",
            ],
        )
        .await;
    let seen = world.origin.last();
    for name in ["x-http-method-override", "x-method-override", "x-http-method", "x-original-url", "x-rewrite-url"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

/// B10: nobody outside speaks as the gateway, in no spelling, and `Connection` takes nothing of ours away.
#[tokio::test]
async fn a_forged_context_never_arrives() {
    let world = World::start().await;
    let forged = [
        "PAYMENT-CONTEXT: x",
        "payment-context: x",
        "Payment_Context: x",
        "PAYMENT_CONTEXT: x",
        "payment-Context: x",
        "PAYMENT-CONTEXT_: x",
        "Payment.Context: x",
        "Payment~Context: x",
        "Payment!Context: x",
        "X.Payment: x",
        "X.Forwarded+For: 6.6.6.6",
        "X|Real*IP: 6.6.6.6",
        "Content.Length: 7",
        "X.HTTP.Method.Override: DELETE",
        "X-Original-URI: /dear",
        "X-Original-Host: evil",
        "X-Host: evil",
        "X-Override-URL: /dear",
        "X-HTTP-Host-Override: evil",
        "X-Waws-Unencoded-Url: /dear",
        "Front-End-Https: on",
        "Front.End.Https: on",
        "Payment-Settlement: x",
        "Payment_Settlement: x",
        "Payment-Response: x",
        "X-Payment-Response: x",
        "X_Payment_Response: x",
        "X-Payment_Response: x",
        "X_PAYMENT: x",
        "Payment_Signature: x",
        "X_Forwarded_For: 6.6.6.6",
        "X-Forwarded_For: 6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "X_Real_IP: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
        "X-Forwarded-Host: evil",
        "X-Forwarded-Server: evil",
        "X-Forwarded-Prefix: /evil",
        "True-Client-IP: 6.6.6.6",
        "X-Forwarded-For: 6.6.6.6",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Port: 1",
        "X-Client-IP: 6.6.6.6",
        "Transfer_Encoding: chunked",
        "Content_Length: 7",
        "X_HTTP_Method_Override: DELETE",
        "Connection: payment-context, x-forwarded-for, host, authorization, close, x-mine",
        "X-Mine: 1",
        "Authorization: kept",
        "X-Kept: 1",
        "x_own: 1",
        "x.hosted: 1",
    ];
    let payment = world.payment("/paid/a").await;
    let paid = world.get("/paid/a", &[forged.as_slice(), &[&payment]].concat()).await;
    assert_eq!(paid.status, 200, "{}", paid.text());
    let seen = world.origin.last();
    assert_eq!(seen.headers.get_all("payment-context").iter().count(), 1);
    assert_eq!(seen.header("payment-context").unwrap().split('.').count(), 3);
    let mut names: Vec<&str> = seen.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "authorization",
        "host",
        "payment-context",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-kept",
        "x.hosted",
        "x_own",
    ];
    assert_eq!(names.iter().filter(|name| !expected.contains(name)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(names.len(), expected.len());
    assert_eq!(
        (seen.header("x-forwarded-for"), seen.header("x-forwarded-proto"), seen.header("x-forwarded-host")),
        (Some("127.0.0.1"), Some("http"), Some("shop.example"))
    );
}

/// B7: where nothing is charged, payment headers are removed undecoded.
#[tokio::test]
async fn payment_headers_do_not_reach_a_free_origin() {
    let world = World::start().await;
    let reply = world.get("/free", &["PAYMENT-SIGNATURE: garbage", "PAYMENT-SIGNATURE: twice", "X-PAYMENT: garbage"]).await;
    assert_eq!(reply.status, 200);
    let seen = world.origin.last();
    assert!(seen.headers.keys().all(|name| !name.as_str().contains("payment")), "{seen:?}");
}

#[tokio::test]
async fn trusted_proxies_say_who_asks() {
    let world = World::with(crate::support::world::rules(), |config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    world.get("/free", &["X-Forwarded-For: 6.6.6.6, 1.2.3.4", "X-Forwarded-Proto: https"]).await;
    let seen = world.origin.last();
    assert_eq!((seen.header("x-forwarded-for"), seen.header("x-forwarded-proto")), (Some("1.2.3.4, 127.0.0.1"), Some("https")));
}

#[tokio::test]
async fn a_head_has_bounds() {
    let world = World::start().await;
    let mut wire = Wire::open(world.address).await;
    wire.try_send(request("GET", "/free", &[&format!("X-Long: {}", "x".repeat(100_000))], b"")).await;
    assert!(matches!(wire.next().await.map_or(431, |reply| reply.status), 400 | 431));
    let many: Vec<String> = (0..200).map(|n| format!("X-{n}: 1")).collect();
    let lines: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(matches!(world.get("/free", &lines).await.status, 400 | 431));
    assert_eq!(world.origin.hits(), 0);
}

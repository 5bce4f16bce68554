#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use http::Request;

/// Behind something that terminates TLS.
fn ports() -> Ports {
    Ports::new(&Uri::from_static("https://shop.example"), 8080)
}

fn made(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<(String, String, Canonical), Ambiguous> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let canonical = make(&mut parts, ports())?;
    Ok((parts.uri.to_string(), parts.headers[header::HOST].to_str().unwrap().to_owned(), canonical))
}

fn path(target: &str) -> Result<String, Ambiguous> {
    made("GET", target, &[("host", "shop.example")]).map(|(uri, ..)| uri)
}

#[test]
fn plain_paths_pass_unchanged() {
    for target in
        ["/", "/a", "/a/", "/a.b-c_d~e/f", "/a:b@c!$&'()*+,=d", "/caf%C3%A9", "/C%23", "/a%20b?x=1&y=%2f;z", "/100%25", "/a...b/..c"]
    {
        assert_eq!(path(target).as_deref(), Ok(target));
    }
}

#[test]
fn other_spellings_of_the_same_path_are_made_one() {
    assert_eq!(path("/caf%c3%a9").as_deref(), Ok("/caf%C3%A9"));
    assert_eq!(path("/u/a%40b.c%3Ad?q").as_deref(), Ok("/u/a@b.c:d?q"));
    let (_, _, canonical) = made("GET", "/u/a%40b", &[("host", "h")]).unwrap();
    assert_eq!(canonical.raw_path.as_deref(), Some("/u/a%40b"));
}

#[test]
fn paths_with_a_second_reading_are_refused() {
    let refused = [
        "//dear",
        "/x//dear",
        "/./dear",
        "/x/../dear",
        "/dear/.",
        "/dear/..",
        "/%2e/dear",
        "/%2E%2e/dear",
        "/x%2fdear",
        "/x%2Fdear",
        "/x%5cdear",
        "/dear%00",
        "/dear%0a",
        "/dear%7f",
        "/%64ear",
        "/%2564ear",
        "/%252e",
        "/dear%",
        "/dear%4",
        "/dear%zz",
        "/dear%c0",
        "/%c0%af",
        "/%c1%a4ear",
        "/%ed%a0%80",
        "/dear;a=b",
        "/;/dear",
        "/x/..;/dear",
        "/de%7Ear",
        "/de%2Dar",
        "/a|b",
        "/a\"b",
        "/a{b}",
        "*",
    ];
    for target in refused {
        assert!(matches!(path(target), Err(Ambiguous::Path(_))), "{target}");
    }
}

#[test]
fn one_host_in_every_place() {
    assert_eq!(made("GET", "http://shop.example/a", &[("host", "SHOP.example")]).unwrap().1, "shop.example");
    assert_eq!(
        made("GET", "https://shop.example:8080/a?b", &[]).map(|(uri, host, _)| (uri, host)),
        Ok(("/a?b".into(), "shop.example:8080".into()))
    );
    for (target, hosts) in [
        ("/", &[][..]),
        ("/", &["a", "b"]),
        ("/", &["a", "a"]),
        ("http://a/", &["b"]),
        ("http://a/", &["a:80"]),
        ("http://u@a/", &["u@a"]),
        ("ftp://a/", &["a"]),
        ("/", &["a@b"]),
        ("/", &["a b"]),
        ("/", &["a/b"]),
        ("/", &["a:b"]),
        ("/", &["a:99999"]),
        ("/", &["[::1"]),
        ("/", &[""]),
        ("/", &["a%2eb"]),
        ("/", &["a."]),
        ("/", &["a.:8080"]),
        ("/", &["a:80"]),
        ("/", &["a:4020"]),
        ("/", &["a:08080"]),
        ("/", &["[::1]x"]),
        ("/", &["[::1]:80"]),
        ("/", &["a]:8080"]),
    ] {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        assert_eq!(made("GET", target, &headers).unwrap_err(), Ambiguous::Host, "{target} {hosts:?}");
    }
    for (host, canonical) in [
        ("[::1]:8080", "[::1]:8080"),
        ("[0:0::0:1]", "[::1]"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("a_b.example", "a_b.example"),
        ("localhost", "localhost"),
        ("SHOP.example:443", "shop.example"),
    ] {
        assert_eq!(made("GET", "/", &[("host", host)]).unwrap().1, canonical);
    }
    let ports = Ports::new(&Uri::from_static("http://shop.example:81"), 8080);
    for (host, canonical) in [("a:81", Some("a:81")), ("a:8080", Some("a:8080")), ("a", Some("a")), ("a:80", None), ("a:443", None)] {
        assert_eq!(authority::canonical(host, ports).as_deref(), canonical, "{host}");
    }
}

#[test]
fn rules_see_a_name_without_a_port() {
    for (authority, name) in [("a", "a"), ("a:8080", "a"), ("[::1]", "[::1]"), ("[::1]:8080", "[::1]"), ("", "")] {
        assert_eq!(authority::name(authority), name);
    }
}

#[test]
fn methods_that_switch_protocols_or_case_are_refused() {
    for method in ["CONNECT", "TRACE", "get", "Post", "G3T"] {
        assert_eq!(made(method, "/", &[("host", "a")]).unwrap_err(), Ambiguous::Method, "{method}");
    }
    for method in ["GET", "PURGE", "M-SEARCH", "VERSION-CONTROL"] {
        assert!(made(method, "/", &[("host", "a")]).is_ok(), "{method}");
    }
}

#[test]
fn ambiguous_framing_is_refused() {
    let framed = |headers: &[(&str, &str)]| made("POST", "/", &[&[("host", "a")], headers].concat()).map(|_| ());
    assert_eq!(framed(&[("content-length", "3")]), Ok(()));
    assert_eq!(framed(&[("content-length", "0")]), Ok(()));
    assert_eq!(framed(&[("transfer-encoding", "Chunked")]), Ok(()));
    for headers in [
        &[("content-length", "3"), ("transfer-encoding", "chunked")][..],
        &[("content-length", "3"), ("content-length", "3")],
        &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        &[("transfer-encoding", "gzip, chunked")],
        &[("transfer-encoding", "identity")],
        &[("content-length", "05")],
    ] {
        assert_eq!(framed(headers), Err(Ambiguous::Framing), "{headers:?}");
    }
}

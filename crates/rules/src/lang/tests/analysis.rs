use super::{Request, parse};
use crate::lang::{PathTest, fields};
use std::collections::BTreeSet;

fn reads(source: &str) -> Vec<String> {
    parse(source).reads().iter().map(|read| read.name()).collect()
}

fn set(values: &[&str]) -> Option<BTreeSet<String>> {
    Some(values.iter().map(|value| (*value).to_owned()).collect())
}

#[test]
fn what_is_read() {
    assert_eq!(
        reads(r#"ssl and http.request.headers["X-B"][0] eq lower(http.host) or any(http.request.uri.args["a"][*] eq "b") and ssl"#),
        ["http.host", "http.request.headers[\"x-b\"]", "http.request.uri.args[\"a\"]", "ssl"]
    );
    assert_eq!(reads(r#"any(not http.request.headers.names[*] eq "a")"#), ["http.request.headers.names"]);
    assert_eq!(reads(r#"concat("a", http.referer) eq "b""#), ["http.referer"]);
    assert!(parse("ip.src eq ::1").reads().iter().all(|read| !read.binds()));
    assert!(parse("http.request.timestamp.sec gt 5").reads().iter().all(|read| !read.binds()));
    assert!(parse("ssl").reads().iter().all(|read| read.binds()));
}

#[test]
fn digests_tell_values_apart_and_leave_payment_headers_out() {
    let digest = |source: &str, request: &Request| {
        let mut bytes = Vec::new();
        parse(source).reads().iter().for_each(|read| read.digest(&request.facts(), &mut |part| bytes.extend_from_slice(part)));
        bytes
    };
    let one = Request::get("/").header("x", "a").header("x", "b");
    let joined = Request::get("/").header("x", "ab");
    let keyed = r#"http.request.headers["x"][0] eq "a""#;
    assert_ne!(digest(keyed, &one), digest(keyed, &joined));
    assert_ne!(digest(keyed, &joined), digest(keyed, &Request::get("/")));
    assert_ne!(digest(keyed, &Request::get("/").header("x", "")), digest(keyed, &Request::get("/")));
    assert_eq!(digest(keyed, &one), digest(keyed, &Request::get("/").header("x", "a").header("x", "b").header("y", "c")));
    for all in [
        r#"any(http.request.headers.names[*] eq "q")"#,
        r#"any(http.request.headers.values[*] eq "q")"#,
        r#"any(http.request.headers[*][*] eq "q")"#,
    ] {
        let paid = Request::get("/").header("x", "ab").header("payment-signature", "p").header("x-payment", "q");
        assert_eq!(digest(all, &joined), digest(all, &paid), "{all}");
        assert_ne!(digest(all, &joined), digest(all, &one), "{all}");
    }
}

#[test]
fn what_is_necessary() {
    let of = |source: &str| parse(source).necessary().clone();
    let both = of(r#"http.host eq "a" and http.request.method in {"GET" "POST"} and starts_with(http.request.uri.path, "/x/") and ssl"#);
    assert_eq!(both.hosts, set(&["a"]));
    assert_eq!(both.methods, set(&["GET", "POST"]));
    assert_eq!(both.paths, Some(BTreeSet::from([PathTest::Prefix("/x/".to_owned())])));

    let either = of(
        r#"http.host eq "a" and http.request.uri.path eq "/1" or http.host in {"b" "c"} and http.request.uri.path strict wildcard "/2/*""#,
    );
    assert_eq!(either.hosts, set(&["a", "b", "c"]));
    assert_eq!(either.paths, Some(BTreeSet::from([PathTest::Exact("/1".to_owned()), PathTest::Prefix("/2/".to_owned())])));

    let narrowed = of(r#"http.request.uri.path eq "/x/1" and starts_with(http.request.uri.path, "/x")"#);
    assert_eq!(narrowed.paths, Some(BTreeSet::from([PathTest::Exact("/x/1".to_owned())])));
    assert_eq!(of(r#"http.host eq "a" and http.host in {"b" "c"}"#).hosts, set(&[]));

    for free in [
        r#"http.host eq "a" or ssl"#,
        r#"not http.host eq "a""#,
        r#"http.host ne "a""#,
        r#"http.host eq "a" xor ssl"#,
        r#"lower(http.host) eq "a""#,
        r#"http.host wildcard "a""#,
        r#"http.request.uri.path wildcard "/a/*""#,
        r#"starts_with(http.request.uri, "/a")"#,
        r#"any(http.request.headers.names[*] eq "a")"#,
    ] {
        assert_eq!(of(free), Default::default(), "{free}");
    }
}

#[test]
fn whole_paths_are_those_compared_to_hold() {
    for (source, expected) in [
        (r#"http.request.uri.path eq "/robots.txt""#, true),
        (r#"http.request.uri.path in {"/a" "/robots.txt"} and ssl"#, true),
        (r#"ssl or (http.request.uri.path == "/robots.txt")"#, true),
        (r#"http.request.uri.path ne "/a""#, false),
        (r#"not (http.request.uri.path eq "/robots.txt" and ssl)"#, false),
        (r#"starts_with(http.request.uri.path, "/robots.txt")"#, false),
        (r#"http.request.uri eq "/robots.txt""#, false),
        (r#"http.request.uri.path wildcard "/robots.txt""#, false),
        (r#"http.request.uri.path matches "^/robots.txt$""#, false),
    ] {
        assert_eq!(parse(source).names_path("/robots.txt"), expected, "{source}");
    }
}

/// Every row of the table is a field, and every field said to be in the head has a value.
#[test]
fn the_table_of_fields_is_whole() {
    let rows: Vec<&str> = include_str!("../fields.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(fields().count(), rows.len());
    let request = Request::get("/");
    for row in rows {
        let columns: Vec<&str> = row.split(' ').collect();
        let field = crate::lang::field(columns[0]).unwrap_or_else(|| panic!("{row}"));
        let expected = match columns[2] {
            "head" => None,
            other => Some(other),
        };
        match field.source {
            crate::lang::fields::Source::Fact(fact) => {
                assert_eq!(expected, None, "{row}");
                let _ = fact.value(&request.facts());
            }
            crate::lang::fields::Source::Missing(_) => assert!(expected.is_some(), "{row}"),
        }
    }
}

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn resolved(peer: &str, chain: &[&str]) -> (String, String) {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("h"));
    for value in chain {
        headers.append(FOR, HeaderValue::from_str(value).unwrap());
    }
    headers.insert("x-real-ip", HeaderValue::from_static("6.6.6.6"));
    headers.insert("forwarded", HeaderValue::from_static("for=6.6.6.6"));
    let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let client = resolve(&mut headers, &peer.parse::<IpAddr>().unwrap().into(), &trusted);
    assert!(headers.get("x-real-ip").is_none() && headers.get("forwarded").is_none());
    assert_eq!(headers.get_all(FOR).iter().count(), 1);
    (client.source.to_string(), headers[FOR].to_str().unwrap().to_owned())
}

#[test]
fn an_untrusted_peer_speaks_for_itself_only() {
    assert_eq!(resolved("9.9.9.9", &["1.1.1.1"]), ("9.9.9.9".into(), "9.9.9.9".into()));
    assert_eq!(resolved("::ffff:9.9.9.9", &[]), ("9.9.9.9".into(), "9.9.9.9".into()));
}

#[test]
fn trusted_proxies_are_walked_from_the_right() {
    assert_eq!(resolved("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"]), ("1.1.1.1".into(), "1.1.1.1, 10.0.0.2, 10.0.0.1".into()));
    assert_eq!(resolved("10.0.0.1", &["6.6.6.6", "1.1.1.1:80"]), ("1.1.1.1".into(), "1.1.1.1, 10.0.0.1".into()));
    assert_eq!(resolved("fd00::1", &["[2001:db8::1]:443"]), ("2001:db8::1".into(), "2001:db8::1, fd00::1".into()));
    assert_eq!(resolved("10.0.0.1", &["1.1.1.1, junk"]).0, "10.0.0.1");
    assert_eq!(resolved("10.0.0.1", &[]).0, "10.0.0.1");
    let long = vec!["10.1.1.1"; 50].join(",");
    assert_eq!(resolved("10.0.0.1", &[&long]).0, "10.1.1.1");
}

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn made(values: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::CACHE_CONTROL, HeaderValue::from_str(value).unwrap());
    }
    make_private(&mut headers);
    assert_eq!(headers.get_all(header::CACHE_CONTROL).iter().count(), 1);
    headers[header::CACHE_CONTROL].to_str().unwrap().to_owned()
}

#[test]
fn private_is_merged_and_shared_caches_are_not_spoken_to() {
    assert_eq!(made(&[]), "private");
    assert_eq!(made(&["public, max-age=60, S-Maxage=600"]), "private, max-age=60");
    assert_eq!(made(&["no-store"]), "private, no-store");
    assert_eq!(made(&["max-age=1", "public"]), "private, max-age=1");
    assert_eq!(made(&[r#"private="a, b", max-age=1, no-cache="x, y""#]), r#"private, max-age=1, no-cache="x, y""#);
}

#[test]
fn fields_for_cdns_are_removed_and_vary_is_added() {
    let mut headers = HeaderMap::new();
    for name in ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "x-accel-expires"] {
        headers.insert(name, HeaderValue::from_static("max-age=600"));
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    make_private(&mut headers);
    assert_eq!(headers.len(), 3);
    let vary: Vec<_> = headers.get_all(header::VARY).iter().collect();
    assert_eq!(vary, ["Accept", VARY]);
}

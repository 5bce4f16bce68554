use super::{Request, check, check_table, parse};
use crate::lang::{Expression, LangErrorKind};

fn request() -> Request {
    Request::get("/Apps/calendar/login")
        .query("order=asc&country=GB&order=desc")
        .header("x-mixed", "AbC")
        .header("x-enc", "John%20Doe+Jr")
        .header("x-twice", "%2520")
        .header("x-uni", "%u2601%zz%")
        .header("x-b64", "MTIzYWJj")
        .header("x-b64b", "aGVsbG8gd29ybGQ=")
        .header("x-list", "groceries,,diy,auto")
        .header("x-json", r#"{"company":"x","n":{"ids":[123,-4.0,"7"],"big":18446744073709551615},"a":[{"k":"v"}]}"#)
        .header("x-pad", "  a b\t")
        .header("x-sub", "asdfghjk")
}

#[test]
fn strings() {
    check_table(
        &request(),
        r#"
        + lower(http.request.headers["x-mixed"][0]) eq "abc"
        + upper(http.request.headers["x-mixed"][0]) eq "ABC"
        + lower(http.host) eq "api.example.com"
        + len(http.request.headers["x-mixed"][0]) eq 3
        + len(http.request.headers["x-mixed"]) eq 1
        + starts_with(http.request.uri.path, "/Apps")
        - starts_with(http.request.uri.path, "/apps")
        + ends_with(http.request.uri.path, "/login")
        + contains(http.request.uri.path, "calendar")
        + contains(http.host, lower(http.request.headers["x-none"][0])) or not ssl
        + starts_with(http.request.full_uri, concat("http://", http.host))
        + wildcard(http.request.uri.path, "/apps/*")
        + concat(http.host, "/", http.request.method) eq "api.example.com/GET"
        + concat(http.request.headers["x-mixed"], http.request.headers["x-enc"])[1] eq "John%20Doe+Jr"
        + any(concat(http.request.headers["x-mixed"][*], "!")[*] eq "AbC!")
        + substring(http.request.headers["x-sub"][0], 2, 5) eq "dfg"
        + substring(http.request.headers["x-sub"][0], 2) eq "dfghjk"
        + substring(http.request.headers["x-sub"][0], -2) eq "jk"
        + substring(http.request.headers["x-sub"][0], 0, -2) eq "asdfgh"
        + substring(http.request.headers["x-sub"][0], 5, 2) eq ""
        + substring(http.request.headers["x-sub"][0], 100) eq ""
        + remove_bytes(http.host, "\x2e\x61") eq "piexmplecom"
        + trim(http.request.headers["x-pad"][0]) eq "a b"
        + trim_start(http.request.headers["x-pad"][0], " ") eq "a b\x09"
        + trim_end(http.request.headers["x-pad"][0]) eq "  a b"
        + trim(http.request.headers["x-mixed"][0], "AC") eq "b"
        + to_string(len(http.host)) eq "15"
        + to_string(ssl) eq "false"
        + split(http.request.headers["x-list"][0], ",", 64)[1] eq ""
        + split(http.request.headers["x-list"][0], ",", 3)[2] eq "diy,auto"
        + len(split(http.request.headers["x-list"][0], ",", 1)) eq 1
        + any(split(http.request.headers["x-list"][*], ",", 9)[*][*] eq "auto")
        + join(split(http.request.headers["x-list"][0], ",", 9), "-") eq "groceries--diy-auto"
        + has_key(http.request.headers, "X-List")
        - has_key(http.request.uri.args, "Order")
        + has_value(http.request.uri.args["order"], "desc")
        + remove_query_args(http.request.uri.query, "order") eq "country=GB"
        + remove_query_args(http.request.uri.query, "country", "nope") eq "order=asc&order=desc"
        "#,
    );
}

#[test]
fn replacing() {
    check_table(
        &request(),
        r#"
        + regex_replace(http.request.uri.path, "/login$", "/x") eq "/Apps/calendar/x"
        + regex_replace(http.request.uri.path, "^/nope$", "/x") eq "/Apps/calendar/login"
        + regex_replace(http.request.uri.path, "a", "_") eq "/Apps/c_lendar/login"
        + regex_replace(http.request.uri.path, "^/([^/]*)/(.*)$", "/${2}/${1}$$1$") eq "/calendar/login/Apps$1$"
        + wildcard_replace(http.request.uri.path, "/apps/*/login", "/${1}/login") eq "/calendar/login"
        + wildcard_replace(http.request.uri.path, "/apps/*", "/${1}", "s") eq "/Apps/calendar/login"
        + wildcard_replace(http.request.uri.path, "/*/*", "${2}-${1}") eq "calendar/login-Apps"
        + wildcard_replace(http.request.uri.path, "/calendar", "x") eq "/Apps/calendar/login"
        "#,
    );
}

#[test]
fn codecs_and_digests() {
    check_table(
        &request(),
        r#"
        + url_decode(http.request.headers["x-enc"][0]) eq "John Doe Jr"
        + url_decode(http.request.headers["x-twice"][0]) eq "%20"
        + url_decode(http.request.headers["x-twice"][0], "r") eq " "
        + url_decode(http.request.headers["x-uni"][0], "u") eq "☁%zz%"
        + url_decode(http.request.headers["x-uni"][0]) eq "%u2601%zz%"
        + decode_base64(http.request.headers["x-b64"][0]) eq "123abc"
        + decode_base64(http.request.headers["x-b64b"][0]) eq "hello world"
        - decode_base64(http.host) eq ""
        + encode_base64(http.request.headers["x-mixed"][0]) eq "QWJD"
        + encode_base64(http.request.method) eq "R0VU"
        + encode_base64(http.request.headers["x-sub"][0], "p") eq "YXNkZmdoams="
        + encode_base64(http.request.headers["x-sub"][0]) eq "YXNkZmdoams"
        + sha256(http.request.headers["x-mixed"][0]) eq 48:2e:1a:e7:5a:cd:f7:31:fe:ed:dc:48:75:fd:0f:c0:5e:a4:36:a3:d7:51:50:61:63:98:9e:99:8a:b1:03:8d
        + len(sha512(http.host)) eq 64
        + len(uuidv4(http.host)) eq 36
        + uuidv4(http.host) matches "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        + bit_slice(http.request.method, 0, 8) eq 71
        + bit_slice(http.request.method, 4, 12) eq 116
        - bit_slice(http.request.method, 20, 30) ge 0
        "#,
    );
}

#[test]
fn json() {
    check_table(
        &request(),
        r#"
        + lookup_json_string(http.request.headers["x-json"][0], "company") eq "x"
        + lookup_json_string(http.request.headers["x-json"][0], "a", 0, "k") eq "v"
        + lookup_json_string(http.request.headers["x-json"][0], "n", "ids", 2) eq "7"
        + lookup_json_integer(http.request.headers["x-json"][0], "n", "ids", 0) eq 123
        - lookup_json_integer(http.request.headers["x-json"][0], "n", "ids", 1) eq -4
        - lookup_json_integer(http.request.headers["x-json"][0], "n", "big") gt 0
        - lookup_json_string(http.request.headers["x-json"][0], "n") eq ""
        - lookup_json_string(http.request.headers["x-json"][0], "nope") eq ""
        - lookup_json_string(http.host, "nope") eq ""
        "#,
    );
}

/// The token is base64(HMAC-SHA256("mysecretkey", "/download/cat.jpg" "1484063787")), made with Python's hmac.
#[test]
fn signed_links() {
    let mut link = Request::get("/download/cat.jpg").query("verify=1484063787-JcOQEFurDwNF66OcDJLopQxjsg3cB1KVO5%2BBFS9zZZ0%3D");
    let condition = r#"is_timed_hmac_valid_v0("mysecretkey", http.request.uri, 100000, http.request.timestamp.sec, 8)"#;
    link.now = 1_484_063_787;
    check(condition, &link, true);
    check(&condition.replace("mysecretkey", "another"), &link, false);
    check(&condition.replace(", 8)", ", 7)"), &link, false);
    link.now += 100_000;
    check(condition, &link, true);
    link.now += 1;
    check(condition, &link, false);
    link.now -= 1;
    link.query = Some("verify=1484063787-JcOQEFurDwNF66OcDJLopQxjsg3cB1KVO5-BFS9zZZ0");
    check(&condition.replace(", 8)", r#", 8, "s")"#), &link, true);
    check(condition, &link, false);
    check(condition, &Request::get("/x"), false);
}

#[test]
fn arguments_that_cannot_work_stop_the_load() {
    for source in [
        r#"cidr(ip.src, 33, 64) eq 1.2.3.4"#,
        r#"cidr6(ip.src, 0) eq ::1"#,
        r#"split(http.host, "", 3)[0] eq "a""#,
        r#"split(http.host, ".", 129)[0] eq "a""#,
        r#"bit_slice(http.host, 0, 33) eq 1"#,
        r#"bit_slice(http.host, 8, 8) eq 1"#,
        r#"ip_in_range(ip.src, "bogus")"#,
        r#"url_decode(http.host, "x") eq "a""#,
        r#"encode_base64(http.host, "x") eq "a""#,
        r#"wildcard_replace(http.host, "a*", "${2}") eq "a""#,
        r#"wildcard_replace(http.host, "a*", "${1}", "x") eq "a""#,
        r#"regex_replace(http.host, "(a)", "${2}") eq "a""#,
        r#"regex_replace(http.host, "(a)", "${1") eq "a""#,
        r#"lookup_json_string(http.host, -1) eq "a""#,
        r#"is_timed_hmac_valid_v0("k", http.host, -1, http.request.timestamp.sec)"#,
    ] {
        let error = Expression::parse(source).expect_err(source);
        assert!(matches!(error.kind(), LangErrorKind::Argument { .. }), "{error}");
    }
    assert!(matches!(Expression::parse(r#"regex_replace(http.host, "(", "b") eq "a""#).unwrap_err().kind(), LangErrorKind::Regex(_)));
    assert!(matches!(Expression::parse(r#"wildcard(http.host, "**")"#).unwrap_err().kind(), LangErrorKind::Wildcard(_)));
}

#[test]
fn recursive_decoding_ends() {
    let nested: &'static str = Box::leak(format!("%{}41", "25".repeat(2000)).into_boxed_str());
    let request = Request::get("/").header("x", nested);
    assert!(!parse(r#"url_decode(http.request.headers["x"][0], "r") eq "A""#).matches(&request.facts()));
}

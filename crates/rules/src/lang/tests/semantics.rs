use super::{Request, check, check_table};

fn request() -> Request {
    Request::get("/reports/2024/Q3.PDF")
        .query("a=1&b=two%20words&a=3&flag")
        .header("host", "api.example.com")
        .header("user-agent", "Mozilla/5.0 curl")
        .header("referer", "https://example.org/x")
        .header("accept-language", "de;q=0.7, en-GB, fr;q=0, en;q=0.9")
        .header("cookie", "session=abc; na%6De=v%20w")
        .header("cookie", "session=def")
        .header("x-plan", "pro")
        .header("x-plan", "trial")
        .header("x-forwarded-for", "198.51.100.1")
        .header("x-forwarded-for", "198.51.100.2")
}

#[test]
fn fields_of_the_head() {
    check_table(
        &request(),
        r#"
        + http.host eq "api.example.com"
        + http.request.method eq "GET"
        + http.request.uri eq "/reports/2024/Q3.PDF?a=1&b=two%20words&a=3&flag"
        + http.request.uri.path eq "/reports/2024/Q3.PDF"
        + http.request.uri.path.extension eq "pdf"
        + http.request.uri.query eq "a=1&b=two%20words&a=3&flag"
        + http.request.full_uri eq "http://api.example.com/reports/2024/Q3.PDF?a=1&b=two%20words&a=3&flag"
        + http.request.version eq "HTTP/1.1"
        + http.user_agent contains "curl"
        + http.referer eq "https://example.org/x"
        + http.cookie eq "session=abc; na%6De=v%20w; session=def"
        + http.x_forwarded_for eq "198.51.100.1, 198.51.100.2"
        + http.request.timestamp.sec eq 1700000000
        + http.request.timestamp.msec eq 1700000000000
        + http.request.accepted_languages[0] eq "en-GB" and http.request.accepted_languages[1] eq "en"
        - any(http.request.accepted_languages[*] eq "fr")
        - ssl
        - http.request.headers.truncated
        "#,
    );
}

#[test]
fn fields_with_many_values() {
    check_table(
        &request(),
        r#"
        + http.request.uri.args["a"][0] eq "1" and http.request.uri.args["a"][1] eq "3"
        + http.request.uri.args["b"][0] eq "two%20words"
        + http.request.uri.args["flag"][0] eq ""
        + any(http.request.uri.args.names[*] eq "flag")
        + any(http.request.uri.args.values[*] eq "3")
        + len(http.request.uri.args.names) eq 4
        + http.request.cookies["session"][1] eq "def"
        + http.request.cookies["name"][0] eq "v%20w"
        + http.request.headers["x-plan"][0] eq "pro"
        + http.request.headers["X-Plan"][1] eq "trial"
        + any(http.request.headers["x-plan"][*] eq "trial")
        - all(http.request.headers["x-plan"][*] eq "trial")
        + all(http.request.headers["x-plan"][*] in {"pro" "trial"})
        + any(http.request.headers[*][*] eq "trial")
        + any(http.request.headers[*][1] eq "trial")
        - any(http.request.headers[*][1] eq "pro")
        + any(http.request.headers.names[*] eq "x-plan")
        + any(http.request.headers.values[*] eq "pro")
        + any(not http.request.headers["x-plan"][*] eq "pro")
        + any((http.request.headers["x-plan"][*] eq "pro" or http.request.headers["x-plan"][*] eq "z"))
        - any((http.request.headers["x-plan"][*] eq "pro" and http.request.headers["x-plan"][*] eq "trial"))
        + any((http.request.headers["x-plan"][*] eq "pro" xor http.request.headers["x-plan"][*] eq "z"))
        + any(http.request.headers["x-plan"][*] ne http.host)
        + any(starts_with(http.request.headers["x-plan"][*], "tri"))
        - any(lower(http.request.headers["x-plan"][*])[*] eq "x")
        "#,
    );
}

/// Absent: false for every comparison but `ne`, no element for `[*]`.
#[test]
fn what_is_absent() {
    check_table(
        &request(),
        r#"
        - http.request.headers["nope"][0] eq ""
        + http.request.headers["nope"][0] ne "a"
        + not http.request.headers["nope"][0] eq "a"
        - http.request.headers["nope"][0] lt "z"
        - http.request.headers["nope"][0] contains ""
        - http.request.headers["nope"][0] in {""}
        - http.request.headers["x-plan"][2] eq "x"
        + http.request.headers["x-plan"][2] ne "x"
        - http.request.headers["nope"][0] eq http.host
        + http.request.headers["nope"][0] ne http.host
        + http.host ne http.request.headers["nope"][0]
        - any(http.request.headers["nope"][*] eq "a")
        + all(http.request.headers["nope"][*] eq "a")
        - any(http.request.headers["nope"][*] ne "a")
        - len(http.request.headers["nope"][0]) eq 0
        - starts_with(http.request.headers["nope"][0], "")
        - lower(http.request.headers["nope"][0]) eq ""
        + concat(http.request.headers["nope"][0], "x") eq "x"
        + coalesce(http.request.headers["nope"][0], "x") eq "x"
        "#,
    );
    check_table(
        &Request::get("/"),
        r#"
        + http.user_agent eq ""
        + http.referer eq ""
        + http.cookie eq ""
        + http.x_forwarded_for eq ""
        + http.request.uri.query eq ""
        + http.request.uri eq "/"
        + http.request.uri.path.extension eq ""
        "#,
    );
}

#[test]
fn operators_and_their_spellings() {
    check_table(
        &request(),
        r##"
        + http.host == "api.example.com"
        + http.host != "x"
        + http.host lt "b" and http.host < "b" and http.host le "b" and http.host <= "api.example.com"
        + http.host gt "a" and http.host > "a" and http.host ge "a" and http.host >= "api.example.com"
        + http.host matches "^api\.[a-z]+\.com$"
        + http.host ~ r"^api\.[a-z]+\.com$"
        - http.host ~ "^example"
        + http.host contains "example"
        - http.host contains "Example"
        + http.host wildcard "API.*.com"
        - http.host strict wildcard "API.*.com"
        + http.host strict wildcard "api.*.com"
        - http.host wildcard "example.*"
        + http.request.uri.path wildcard "/reports/*/q3.*"
        - http.request.uri.path strict wildcard "/reports/*/q3.*"
        + http.request.uri.path wildcard r"*"
        - http.request.uri.path wildcard ""
        + http.host in {"a" "api.example.com" "b"}
        - http.host in {}
        + http.host in {"1" "2" "3" "4" "5" "6" "7" "8" "9" "api.example.com"}
        - http.host in {"1" "2" "3" "4" "5" "6" "7" "8" "9" "10"}
        + len(http.host) in {1..3 15 20..30}
        - len(http.host) in {1..14 16..30}
        + len(http.host) & 1
        + len(http.host) bitwise_and 0x8
        - len(http.host) & 16
        + http.host eq http.request.headers["host"][0]
        + len(http.host) lt len(http.request.uri)
        + http.request.method eq "\x47E\124"
        + http.request.method eq 47:45:54
        + http.request.uri.path eq r"/reports/2024/Q3.PDF"
        - http.host eq r#"a"b"#
        "##,
    );
}

#[test]
fn logic_and_its_precedence() {
    let get = request();
    for (source, expected) in [
        ("ssl and ssl or not ssl", true),
        ("not ssl or ssl and ssl", true),
        ("(not ssl or ssl) and ssl", false),
        ("not ssl xor not ssl and ssl", true),
        ("not ssl or not ssl xor not ssl", true),
        ("!ssl && !ssl || ssl", true),
        ("!ssl ^^ !ssl", false),
        ("!ssl ^^ !ssl ^^ !ssl", true),
        ("not not ssl", false),
        ("not(ssl)and(not ssl)", true),
        ("!!ssl||!ssl", true),
        ("\n not\r\n ssl ", true),
        ("not ssl and not ssl and not ssl and ssl", false),
        ("ssl or ssl or ssl or not ssl", true),
    ] {
        check(source, &get, expected);
    }
}

#[test]
fn addresses() {
    let v4 = Request::get("/").from("10.1.2.3");
    check_table(
        &v4,
        r#"
        + ip.src eq 10.1.2.3
        + ip.src ne 10.1.2.4
        + ip.src ne ::1
        - ip.src eq ::1
        + ip.src lt 10.1.2.4
        - ip.src lt ::1
        + ip.src in {10.0.0.0/8}
        + ip.src in {10/8}
        - ip.src in {11.0.0.0/8 ::/0}
        + ip.src in {2001:db8::/32 10.1.2.0..10.1.2.9}
        - ip.src in {10.1.2.4..10.1.2.9}
        + ip.src in {10.1.2.3}
        + cidr(ip.src, 24, 64) eq 10.1.2.0
        + cidr6(ip.src, 64) eq 10.1.2.3
        + ip_in_range(ip.src, "10.1.0.0/16")
        - ip_in_range(ip.src, "::/0")
        + to_string(ip.src) eq "10.1.2.3"
        + ip.src eq cidr(ip.src, 32, 128)
        "#,
    );
    let v6 = Request::get("/").from("2001:db8:1:2::5");
    check_table(
        &v6,
        r#"
        + ip.src in {2001:db8::/32}
        - ip.src in {0.0.0.0/0}
        + cidr6(ip.src, 64) eq 2001:db8:1:2::
        + cidr(ip.src, 24, 48) eq 2001:db8:1::
        + ip.src in {2001:db8:1:2::1..2001:db8:1:2::9}
        "#,
    );
    check("ip.src eq 10.1.2.3", &Request::get("/").from("::ffff:10.1.2.3"), true);
}

#[test]
fn overlapping_ranges_are_one() {
    let length = Request::get("/");
    check("len(http.request.uri.path) in {1..5 2..3 7..9}", &length, true);
    check("len(http.host) in {1..20 2..3}", &length, true);
    check("len(http.host) in {16..20 2..3 14..15}", &length, true);
    check("len(http.host) in {16..20 2..14}", &length, false);
}

#[test]
fn raw_and_canonical_paths() {
    let mut request = Request::get("/a/b.txt").query("x=1");
    request.raw_path = "/a/./b.%74xt";
    request.tls = true;
    check_table(
        &request,
        r#"
        + http.request.uri.path eq "/a/b.txt"
        + raw.http.request.uri.path eq "/a/./b.%74xt"
        + raw.http.request.uri eq "/a/./b.%74xt?x=1"
        + raw.http.request.full_uri eq "https://api.example.com/a/./b.%74xt?x=1"
        + raw.http.request.uri.path.extension eq "%74xt"
        + raw.http.request.uri.query eq "x=1"
        + raw.http.request.uri.args["x"][0] eq "1"
        + ssl
        "#,
    );
}

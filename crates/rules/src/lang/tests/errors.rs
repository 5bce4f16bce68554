use crate::lang::{Expression, LangErrorKind, MAX_DEPTH, MAX_LENGTH, MAX_REGEXES};
use proptest::prelude::*;

fn refusal(source: &str) -> crate::lang::LangError {
    Expression::parse(source).expect_err(source)
}

#[test]
fn a_caret_stands_under_the_fault() {
    assert_eq!(
        refusal(r#"http.host eq "a" and http.request.path eq "/x""#).to_string(),
        "line 1, column 22: unknown field or function `http.request.path`; did you mean `http.request.uri.path`?\n  \
         http.host eq \"a\" and http.request.path eq \"/x\"\n                       ^^^^^^^^^^^^^^^^^"
    );
    assert_eq!(
        refusal("ssl and\n  http.host eq 7").to_string(),
        "line 2, column 16: expected a string in double quotes\n    http.host eq 7\n                 ^"
    );
    assert_eq!(refusal("http.host eq \"é\" and é").position(), (1, 22));
    let long = format!("{} and nope", vec!["ssl"; 50].join(" and "));
    let shown = refusal(&long).to_string();
    let lines: Vec<&str> = shown.lines().collect();
    let caret = lines[2].chars().position(|c| c == '^').unwrap();
    assert_eq!(lines[1].chars().skip(caret).collect::<String>(), "nope");
}

#[test]
fn what_has_no_source_is_refused_by_name() {
    for (source, name) in [
        ("cf.bot_management.score lt 30", "cf.bot_management.score: this gateway has no source for it"),
        (r#"ip.src.country eq "US""#, "ip.src.country: this gateway has no source for it"),
        ("http.request.body.size gt 5", "http.request.body.size: conditions over the request's body are not built yet"),
        ("http.response.code eq 200", "http.response.code: `when` is decided before there is a response"),
        (r#"mcp.method eq "tools/call""#, "mcp.method: it needs an `mcp` endpoint, and those are not built yet"),
        (r#"mcp.arguments["a"] eq "x""#, "mcp.arguments: it needs an `mcp` endpoint"),
        (r#"caller.class eq "bot""#, "caller.class: telling classes of callers apart is not built yet"),
        ("ip.src in $office", "$office: this configuration has no lists"),
        (r#"is_jwt_valid("x")"#, "is_jwt_valid(): this gateway has no token configurations"),
        (r#"hmac(http.host, "k", "sha256") eq "x""#, "hmac(): this gateway does not evaluate it"),
        (r#"is_timed_hmac_valid_v0(http.host, "k", 5)"#, "is_timed_hmac_valid_v0(): only its documented form is evaluated"),
        (r#"ssl or any(cf.bot_management.detection_ids[*] eq 1)"#, "cf.bot_management.detection_ids: "),
    ] {
        let error = refusal(source);
        assert!(error.is_missing(), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// A fault of form or type is told first: a missing fact is what is left of a sound expression.
#[test]
fn a_missing_fact_does_not_hide_a_fault() {
    assert!(!refusal(r#"cf.bot_management.score eq "a""#).is_missing());
    assert!(!refusal("cf.bot_management.score lt 30 and").is_missing());
}

#[test]
fn faults_say_what_would_be_right() {
    for (source, expected) in [
        ("", "the expression is empty"),
        ("   \n", "the expression is empty"),
        ("http.host", "expected a comparison operator"),
        ("ssl eq true", "expected `and`, `or`, `xor` or the end"),
        ("ssl ssl", "expected `and`, `or`, `xor` or the end"),
        ("ssl and", "expected a field or function name"),
        ("(ssl", "expected `)`"),
        ("http.host contains 5", "expected a string in double quotes"),
        ("len(http.host) eq \"a\"", "expected an integer"),
        ("len(http.host) contains \"a\"", "`contains` does not work on an integer"),
        ("http.host & 1", "`&` does not work on a string"),
        ("http.request.headers[\"x\"] eq \"a\"", "`eq` does not work on an array of strings"),
        ("http.request.headers[0][0] eq \"a\"", "a number does not index a map of arrays of strings"),
        ("http.request.headers[\"x\"][*] eq \"a\"", "wrap the comparison in any(…) or all(…)"),
        ("any(ssl)", "any(…) and all(…) take a comparison over `[*]`"),
        ("any((http.request.headers.names[*] eq \"a\" and ssl))", "expected an array of booleans, found a boolean"),
        ("http.host eq ip.src", "expected a string, found an IP address"),
        ("http.host in {\"a\", \"b\"}", "not a comma"),
        ("http.host in {\"a\" \"b\"", "expected `}`"),
        ("http.host in {5..2}", "expected a string"),
        ("len(http.host) in {5..2}", "the range is empty"),
        ("len(http.host) eq 09", "not an integer of 64 bits; a leading 0 makes it octal"),
        ("ip.src in {10.0.0.1/8}", "the network is 10.0.0.0/8"),
        ("ip.src in {010.0.0.0/8}", "not an IP address or network"),
        ("ip.src in {10}", "not an IP address or network"),
        ("ip.src eq 10.0.0.0/8", "a network goes into a set"),
        ("ip.src eq \"10.0.0.1\"", "an IP address without quotes"),
        ("http.host eq \"a", "no closing quote"),
        ("http.host eq r#\"a\"", "no closing \"#"),
        ("http.host eq \"\\n\"", "after `\\` only"),
        ("http.host eq \"\\x4\"", "not a byte"),
        ("http.host matches \"(\"", "regular expression: unclosed group"),
        ("http.host matches \"a{999}{999}\"", "it compiles to more than"),
        ("http.host wildcard \"a**\"", "one star too many"),
        ("http.host wildcard r\"\\a\"", "after `\\` only `*` or `\\` may stand"),
        ("starts_with(http.host)", "starts_with() takes 2 arguments"),
        ("starts_with(\"a\", http.host)", "argument 1 of starts_with() must be a field or a call"),
        ("starts_with(http.host, 5)", "argument 2 of starts_with() must be a string, not an integer"),
        ("regex_replace(http.host, http.host, \"a\") eq \"a\"", "argument 2 of regex_replace() must be a literal"),
        ("substring(http.host) eq \"a\"", "substring() takes 2 to 3 arguments"),
        ("concat(http.host) eq \"a\"", "concat() takes at least 2 arguments"),
        ("starts_with(http.host, http.request.headers.names[*])", "`[*]` is for the first argument only"),
        ("hots.host eq \"a\"", "unknown field or function `hots.host`"),
        ("http.hots eq \"a\"", "did you mean `http.host`?"),
        ("start_with(http.host, \"a\")", "did you mean `starts_with`?"),
    ] {
        let error = refusal(source);
        assert!(error.to_string().contains(expected), "{source}\n{error}\nwanted: {expected}");
    }
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("(", ")"), ("not ", ""), ("!(", ")")] {
        let levels = if open == "!(" { MAX_DEPTH / 2 } else { MAX_DEPTH };
        let nest = |levels: usize| format!("{}ssl{}", open.repeat(levels), close.repeat(levels));
        assert!(Expression::parse(&nest(levels)).is_ok(), "{open}");
        assert_eq!(*refusal(&nest(levels + 1)).kind(), LangErrorKind::TooDeep);
        let bomb = format!("{}ssl", open.repeat((MAX_LENGTH - 3) / open.len()));
        assert_eq!(*refusal(&bomb).kind(), LangErrorKind::TooDeep);
    }
    let calls = |levels: usize| format!("{}http.host{} eq \"a\"", "lower(".repeat(levels), ")".repeat(levels));
    assert!(Expression::parse(&calls(MAX_DEPTH)).is_ok());
    assert_eq!(*refusal(&calls(MAX_DEPTH + 1)).kind(), LangErrorKind::TooDeep);
}

#[test]
fn length_and_the_number_of_patterns_are_bounded() {
    let long = format!("http.host eq \"{}\"", "a".repeat(MAX_LENGTH - 15));
    assert_eq!(long.len(), MAX_LENGTH);
    assert!(Expression::parse(&long).is_ok());
    assert_eq!(*refusal(&long.replace("host eq", "host  eq")).kind(), LangErrorKind::TooLong(MAX_LENGTH + 1));
    let patterns = |count: usize| vec![r#"http.host ~ "a""#; count].join(" or ");
    assert!(Expression::parse(&patterns(MAX_REGEXES)).is_ok());
    assert_eq!(*refusal(&patterns(MAX_REGEXES + 1)).kind(), LangErrorKind::TooManyRegexes);
}

proptest! {
    #[test]
    fn no_input_panics(source in r#"[ -~\n\t"é\\]{0,80}"#) {
        let _ = Expression::parse(&source).map_err(|error| error.to_string());
    }

    #[test]
    fn no_broken_expression_panics(cut in 0usize..200, insert in r#"[ -~"é]{0,3}"#) {
        let whole = r###"any(lower(http.request.headers["x"][*])[*] in {"a" r#"b"# 01:02}) and not ip.src in {10.0.0.0/8 ::1..::9} or http.host wildcard "*.é" xor len(http.host) & 0x1f and http.host ~ "[^\"]+""###;
        let at = (0..=cut.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
        let broken = format!("{}{insert}{}", &whole[..at], &whole[at..]);
        let _ = Expression::parse(&broken).map_err(|error| error.to_string());
        let _ = Expression::parse(&whole[..at]).map_err(|error| error.to_string());
    }
}

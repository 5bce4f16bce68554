#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[test]
fn base64_is_strict() {
    assert_eq!(base64_decode(b"eyJhIjoxfQ==").unwrap(), br#"{"a":1}"#);
    let refused: [(&str, &[u8]); 11] = [
        ("no padding", b"eyJhIjoxfQ"),
        ("half the padding", b"eyJhIjoxfQ="),
        ("too much padding", b"eyJhIjoxfQ==="),
        ("padding alone", b"===="),
        ("trailing bits", b"eyJhIjoxfR=="),
        ("URL alphabet", b"-_-_"),
        ("a blank", b"eyJh IjoxfQ=="),
        ("a newline behind", b"eyJhIjoxfQ==\n"),
        ("two texts", b"eyJhIjoxfQ==eyJhIjoxfQ=="),
        ("a comma", b"eyJh,IjoxfQ=="),
        ("not ASCII", "eyJhIjoxfQ\u{ff1d}=".as_bytes()),
    ];
    for (what, text) in refused {
        assert_eq!(base64_decode(text), Err(Malformed::Base64), "{what}");
    }
    assert_eq!(base64_decode(b"").unwrap(), b"");
    assert_eq!(base64_encode(b"\xff\xef\xfe"), "/+/+");
}

#[test]
fn json_reads_what_is_json() {
    let text = r#" {"a":[1,-2,3.5,true,false,null,"\u00fc\ud83d\ude00\n"],"b":{},"c":18446744073709551615} "#;
    let value = json(text.as_bytes()).unwrap();
    assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn json_refuses_what_parsers_disagree_on() {
    let refused: [(&str, &[u8]); 17] = [
        ("empty", b""),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("not UTF-8", b"\"\xff\""),
        ("overlong UTF-8", b"\"\xc0\x80\""),
        ("a surrogate as UTF-8", b"\"\xed\xa0\x80\""),
        ("an unpaired high surrogate", br#""\ud800""#),
        ("an unpaired low surrogate", br#""\udc00""#),
        ("surrogates the wrong way round", br#""\udc00\ud800""#),
        ("an unpaired surrogate in a key", br#"{"\ud800":1}"#),
        ("a trailing byte", b"{}x"),
        ("a trailing zero byte", b"{}\0"),
        ("two documents", b"{}{}"),
        ("a trailing comma", b"[1,]"),
        ("a comment", b"{}//"),
        ("NaN", b"NaN"),
        ("a number out of range", b"1e999"),
        ("a control character in a string", b"\"\x01\""),
    ];
    for (what, text) in refused {
        assert!(matches!(json(text), Err(Malformed::Json(_))), "{what}: {:?}", json(text));
    }
    for text in ["01", "+1", "1.", ".5", "0x10", "'a'", "Infinity", "{a:1}"] {
        assert!(matches!(json(text.as_bytes()), Err(Malformed::Json(_))), "{text}");
    }
}

#[test]
fn json_refuses_duplicate_keys_at_any_depth() {
    let refused = [r#"{"a":1,"a":1}"#, r#"{"b":[{"c":{"a":1,"x":2,"a":3}}]}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"a":{},"a":{}}]"#];
    for text in refused {
        assert_eq!(json(text.as_bytes()), Err(Malformed::DuplicateKey("a".to_owned())), "{text}");
    }
    assert!(json(br#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#).is_ok());
}

#[test]
fn json_nests_no_deeper_than_the_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert!(json(nested(MAX_DEPTH + 1).as_bytes()).is_err());
    assert!(json(nested(100_000).as_bytes()).is_err());
    assert!(json("[".repeat(100_000).as_bytes()).is_err());
    assert!(json(r#"{"a":"#.repeat(100_000).as_bytes()).is_err());
    let wide = format!("[{}]", vec![nested(MAX_DEPTH - 1); 3].join(","));
    assert!(json(wide.as_bytes()).is_ok(), "depth is not counted along an array");
}

/// Attack A14: one amount has one spelling.
#[test]
fn decimals_have_one_spelling() {
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    for text in ["0", "1", "10000", max] {
        assert_eq!(parse_decimal(text).unwrap().to_string(), text);
    }
    let refused = [
        "",
        " ",
        "010000",
        "00",
        "+1",
        "-1",
        "-0",
        "1e4",
        "1E4",
        "0x2710",
        "10000.0",
        "1.",
        ".1",
        " 1",
        "1 ",
        "1\n",
        "1_000",
        "1,000",
        "1abc",
        "USD 10",
        "１００",
        "٣",
        "NaN",
        "Infinity",
        "0b1",
        "0o7",
        "1\0",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936",
        "1157920892373161954235709850086879078532699846656405640394575840079131296399350",
    ];
    for text in refused {
        assert_eq!(parse_decimal(text), None, "{text:?}");
    }
    assert_eq!(parse_decimal(&"9".repeat(100_000)), None);
}

#[test]
fn decimals_in_json_are_strings() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Amount(#[serde(with = "decimal")] U256);
    assert_eq!(serde_json::to_string(&Amount(U256::MAX)).unwrap(), format!("\"{}\"", U256::MAX));
    assert_eq!(serde_json::from_str::<Amount>("\"42\"").unwrap(), Amount(U256::from(42)));
    assert_eq!(serde_json::from_str::<Amount>(r#""\u0034\u0032""#).unwrap(), Amount(U256::from(42)));
    for text in ["42", "42.0", "\"042\"", "\"0x2a\"", "null", "[42]", "\"\""] {
        assert!(serde_json::from_str::<Amount>(text).is_err(), "{text}");
    }
}

#[test]
fn hex_has_its_prefix_and_its_length() {
    assert_eq!(parse_hex::<2>("0xAbcD"), Some([0xab, 0xcd]));
    for text in ["", "0x", "abcd", "0Xabcd", "0xabc", "0xabcdef", "0x0xabcd", "0xabcg", " 0xabcd", "0xabcd ", "0x0x", "0xａｂ", "-0xabcd"]
    {
        assert_eq!(parse_hex::<2>(text), None, "{text:?}");
    }
    assert_eq!(parse_hex_bytes("0x"), Some(vec![]));
    assert_eq!(parse_hex_bytes("0x00FF"), Some(vec![0, 255]));
    for text in ["", "00ff", "0x0", "0x0x00", "0xzz"] {
        assert_eq!(parse_hex_bytes(text), None, "{text:?}");
    }
}

#[test]
fn headers_are_read_up_to_their_limit() {
    let text = base64_encode(format!("[{}]", "1,".repeat(20) + "1").as_bytes());
    assert!(header_json(text.as_bytes(), text.len()).is_ok());
    assert_eq!(header_json(text.as_bytes(), text.len() - 1), Err(Malformed::TooLarge(text.len() - 1)));
}

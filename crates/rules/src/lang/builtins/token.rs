//! `is_timed_hmac_valid_v0`: signed links.

use super::super::ast::Literal;
use super::super::error::LangErrorKind;
use super::super::functions::Function;
use super::super::types::Value;
use super::{Body, Input, Rest, must, unsupported};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Digits of a timestamp.
const DIGITS: usize = 10;
/// A SHA-256 in base64 without padding.
const MAC: usize = 43;

/// `(key, messageMAC, ttl, now[, separator length[, flags]])`.
pub(super) fn body(function: &Function, first: Option<Literal>, mut rest: Rest) -> Result<Body, LangErrorKind> {
    let Some(Literal::Bytes(key)) = first else {
        return Err(unsupported(
            function,
            "only its documented form is evaluated: (\"key\", message, ttl, http.request.timestamp.sec[, separator length[, \"s\"]])",
        ));
    };
    let ttl = rest.int(1).filter(|ttl| *ttl >= 0).ok_or_else(|| must(function, 3, "seconds, not negative"))?;
    let separator = rest.int(3).unwrap_or_default();
    let separator = usize::try_from(separator).map_err(|_| must(function, 5, "a length, not negative"))?;
    let url_safe = match rest.text(4) {
        None | Some(b"") => false,
        Some(b"s") => true,
        Some(_) => return Err(must(function, 6, "\"s\" (URL-safe base64 without padding) or left out")),
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let now = rest.value(2).unwrap_or_else(|| Input::Literal(Literal::Int(i64::MAX)).into_evaluate());
    let message = rest.value(0).unwrap_or_else(|| Box::new(|_| None));
    Ok(Box::new(move |_, facts| match (message(facts)?, now(facts)?) {
        (Value::Bytes(message), Value::Int(now)) => {
            Some(Value::Bool(valid(&key, &message, ttl, now, separator, url_safe).unwrap_or(false)))
        }
        _ => None,
    }))
}

/// Reads `message separator timestamp - mac` from the end: the mac signs message and timestamp.
fn valid(key: &hmac::Key, text: &[u8], ttl: i64, now: i64, separator: usize, url_safe: bool) -> Option<bool> {
    let dash = if url_safe { text.len().checked_sub(MAC + 1)? } else { memchr::memrchr(b'-', text)? };
    let (head, tail) = text.split_at_checked(dash)?;
    let encoded = tail.strip_prefix(b"-")?;
    let mac = if url_safe {
        URL_SAFE_NO_PAD.decode(encoded).ok()?
    } else {
        STANDARD.decode(percent_encoding::percent_decode(encoded).collect::<Vec<u8>>()).ok()?
    };
    let (rest, timestamp) = head.split_at_checked(head.len().checked_sub(DIGITS)?)?;
    let issued: i64 =
        std::str::from_utf8(timestamp).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
    let message = rest.get(..rest.len().checked_sub(separator)?).filter(|message| !message.is_empty())?;
    let signed = [message, timestamp].concat();
    Some(hmac::verify(key, &signed, &mac).is_ok() && now <= issued.saturating_add(ttl))
}

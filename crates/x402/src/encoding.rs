//! Strict encodings: base64 (RFC 4648 §4, padded, canonical), JSON without duplicate keys or deep nesting, canonical decimals, fixed-length hex.

use crate::U256;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The deepest nesting of JSON that is read.
pub const MAX_DEPTH: usize = 32;

/// Why bytes are not what they should be. Always the sender's fault: 400 `invalid_payload`; no money moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("not strict base64 (RFC 4648 §4, with padding)")]
    Base64,
    #[error("not JSON: {0}")]
    Json(String),
    #[error("duplicate key `{0}`")]
    DuplicateKey(String),
    #[error("{field}: {expected}")]
    Field { field: String, expected: &'static str },
    #[error("x402Version {0} does not belong in this header")]
    Version(String),
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    #[error("{0}")]
    Conflict(&'static str),
}

/// Decodes strict base64; white space, URL alphabet, missing padding and non-zero trailing bits are refused.
pub fn base64_decode(text: &[u8]) -> Result<Vec<u8>, Malformed> {
    STANDARD.decode(text).map_err(|_| Malformed::Base64)
}

/// Encodes as [`base64_decode`] reads it.
#[must_use]
pub fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Parses one JSON value: UTF-8, no byte order mark, no duplicate key in any object, nesting at most 32, no trailing bytes
/// (white space of RFC 8259 aside). Integers beyond 64 bits become the nearest float.
pub fn json(bytes: &[u8]) -> Result<Value, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::Json("not UTF-8".to_owned()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut fault = None;
    let value = Strict { depth: 0, fault: &mut fault }.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| fault.unwrap_or_else(|| Malformed::Json(error.to_string())))
}

/// The JSON of a header: strict base64 of [`json`], in at most `limit` bytes.
pub(crate) fn header_json(header: &[u8], limit: usize) -> Result<Value, Malformed> {
    if header.len() > limit {
        return Err(Malformed::TooLarge(limit));
    }
    json(&base64_decode(header)?)
}

/// The JSON of one of our own types.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(512);
    write_json(&mut json, value);
    json
}

/// Appends the JSON of one of our own types.
#[expect(clippy::expect_used, reason = "their keys are strings, their serializers do not fail, and neither does a Vec")]
pub(crate) fn write_json(json: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    serde_json::to_writer(json, value).expect("serializable");
}

/// Builds a [`Value`] as serde_json does, but refuses what parsers disagree on.
struct Strict<'a> {
    depth: usize,
    /// Set where serde's error type cannot carry the refusal.
    fault: &'a mut Option<Malformed>,
}

impl Strict<'_> {
    fn deeper<E: Error>(&mut self) -> Result<Strict<'_>, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Strict { depth: self.depth + 1, fault: self.fault })
    }

    fn again(&mut self) -> Strict<'_> {
        Strict { depth: self.depth, fault: self.fault }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let mut inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inner.again())? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                *inner.fault = Some(Malformed::DuplicateKey(key));
                return Err(A::Error::custom("duplicate key"));
            }
            let value = entries.next_value_seed(inner.again())?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// A canonical decimal: `0` or no leading zero, ASCII digits only, below 2^256.
#[must_use]
pub fn parse_decimal(text: &str) -> Option<U256> {
    let canonical = match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { U256::from_str_radix(text, 10).ok() } else { None }
}

/// `0x` and exactly `N` bytes in hex, either case.
#[must_use]
pub fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    alloy_primitives::hex::decode_to_slice(hex_digits(text)?, &mut bytes).ok()?;
    Some(bytes)
}

/// `0x` and any number of whole bytes in hex, either case.
#[must_use]
pub fn parse_hex_bytes(text: &str) -> Option<Vec<u8>> {
    alloy_primitives::hex::decode(hex_digits(text)?).ok()
}

/// What follows `0x`. Only hex digits: the decoder would take a second prefix.
fn hex_digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Serde for canonical decimal strings.
pub mod decimal {
    use crate::U256;
    use serde::{Deserialize, de::Error};

    pub fn serialize<S: serde::Serializer>(value: &U256, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<U256, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        super::parse_decimal(&text).ok_or_else(|| D::Error::custom("expected a string of a canonical decimal below 2^256"))
    }
}

#[cfg(test)]
mod tests;

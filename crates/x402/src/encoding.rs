//! Strict encodings: base64 (RFC 4648 §4, padded, canonical), JSON without duplicate keys or deep nesting, canonical decimals, fixed-length hex.

use crate::U256;

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
pub fn base64_decode(text: &[u8]) -> Result<Vec<u8>, Malformed> { todo!() }
pub fn base64_encode(bytes: &[u8]) -> String { todo!() }
/// Parses one JSON value: UTF-8, no byte order mark, no duplicate key in any object, nesting at most 32, no trailing bytes.
pub fn json(bytes: &[u8]) -> Result<serde_json::Value, Malformed> { todo!() }
/// A canonical decimal: `0` or no leading zero, ASCII digits only, below 2^256.
pub fn parse_decimal(text: &str) -> Option<U256> { todo!() }

/// Serde for canonical decimal strings.
pub mod decimal {
    use crate::U256;
    pub fn serialize<S: serde::Serializer>(value: &U256, s: S) -> Result<S::Ok, S::Error> { todo!() }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<U256, D::Error> { todo!() }
}

//! Reading JSON objects field by field, so that a refusal names the field.

use crate::{Address, B256, Bytes, U256, encoding, encoding::Malformed, signature::MAX_SIGNATURE};
use serde_json::{Map, Value};

/// A JSON object and the path it stands at.
pub(crate) struct Object<'v> {
    map: &'v Map<String, Value>,
    path: String,
}

impl<'v> Object<'v> {
    /// The outermost value, which must be an object.
    pub fn root(value: &'v Value) -> Result<Self, Malformed> {
        let map = value.as_object().ok_or_else(|| Malformed::Json("not an object".to_owned()))?;
        Ok(Self { map, path: String::new() })
    }

    /// An element of an array.
    fn at(value: &'v Value, path: String) -> Result<Self, Malformed> {
        match value.as_object() {
            Some(map) => Ok(Self { map, path }),
            None => Err(Malformed::Field { field: path, expected: "an object" }),
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The refusal of this field.
    pub fn wrong(&self, key: &str, expected: &'static str) -> Malformed {
        Malformed::Field { field: self.path_of(key), expected }
    }

    pub fn get(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key)
    }

    pub fn object(&self, key: &str) -> Result<Object<'v>, Malformed> {
        let value = self.get(key).ok_or_else(|| self.wrong(key, "an object is required"))?;
        Self::at(value, self.path_of(key))
    }

    /// The objects of a required array.
    pub fn objects(&self, key: &str) -> Result<Vec<Object<'v>>, Malformed> {
        let array = self.get(key).and_then(Value::as_array).ok_or_else(|| self.wrong(key, "an array is required"))?;
        array.iter().enumerate().map(|(i, value)| Self::at(value, format!("{}[{i}]", self.path_of(key)))).collect()
    }

    /// An object of any content; absent and null are the same, as the official schemas have it for `extra` and `extensions`.
    pub fn nullable_map(&self, key: &str) -> Result<Option<&'v Map<String, Value>>, Malformed> {
        match self.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(self.wrong(key, "an object")),
        }
    }

    pub fn string(&self, key: &str) -> Result<&'v str, Malformed> {
        self.get(key).and_then(Value::as_str).ok_or_else(|| self.wrong(key, "a string is required"))
    }

    pub fn optional_string(&self, key: &str) -> Result<Option<String>, Malformed> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(key, "a string")),
        }
    }

    /// As [`Self::optional_string`], null too: answers of facilitators and sellers carry it.
    pub fn nullable_string(&self, key: &str) -> Result<Option<String>, Malformed> {
        if self.get(key).is_some_and(Value::is_null) { Ok(None) } else { self.optional_string(key) }
    }

    pub fn bool(&self, key: &str) -> Result<bool, Malformed> {
        self.get(key).and_then(Value::as_bool).ok_or_else(|| self.wrong(key, "a boolean is required"))
    }

    /// A JSON integer of seconds.
    pub fn seconds(&self, key: &str) -> Result<u64, Malformed> {
        self.get(key).and_then(Value::as_u64).ok_or_else(|| self.wrong(key, "an integer of seconds is required"))
    }

    pub fn decimal(&self, key: &str) -> Result<U256, Malformed> {
        const EXPECTED: &str = "a string of a canonical decimal below 2^256 is required";
        self.get(key).and_then(Value::as_str).and_then(encoding::parse_decimal).ok_or_else(|| self.wrong(key, EXPECTED))
    }

    pub fn address(&self, key: &str) -> Result<Address, Malformed> {
        let bytes = self.get(key).and_then(Value::as_str).and_then(encoding::parse_hex::<20>);
        bytes.map(Address::from).ok_or_else(|| self.wrong(key, "0x and 40 hex digits are required"))
    }

    pub fn word(&self, key: &str) -> Result<B256, Malformed> {
        let bytes = self.get(key).and_then(Value::as_str).and_then(encoding::parse_hex::<32>);
        bytes.map(B256::from).ok_or_else(|| self.wrong(key, "0x and 64 hex digits are required"))
    }

    /// Between one byte and [`MAX_SIGNATURE`].
    pub fn signature(&self, key: &str) -> Result<Bytes, Malformed> {
        const EXPECTED: &str = "0x and whole bytes in hex are required, at most 8 KiB";
        let bytes = self.get(key).and_then(Value::as_str).and_then(encoding::parse_hex_bytes);
        bytes.filter(|b| !b.is_empty() && b.len() <= MAX_SIGNATURE).map(Bytes::from).ok_or_else(|| self.wrong(key, EXPECTED))
    }

    /// `x402Version` must be this JSON integer.
    pub fn version(&self, expected: u64) -> Result<(), Malformed> {
        match self.get("x402Version") {
            Some(Value::Number(number)) if number.as_u64() == Some(expected) => Ok(()),
            Some(other) => Err(Malformed::Version(other.to_string())),
            None => Err(Malformed::Version("(absent)".to_owned())),
        }
    }
}

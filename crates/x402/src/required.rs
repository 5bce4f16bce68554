//! `PaymentRequired` and its parts (x402 v2 §5.1): what a 402 says.

use crate::U256;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

/// The resource that is for sale (x402 v2 §5.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceInfo {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// One way to pay, as it stands on the wire (x402 v2 §5.1.2). `amount` is a canonical decimal string of atomic units there.
/// Strings are kept as sent: [`crate::Terms`] is the typed form.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequirements {
    pub scheme: String,
    pub network: String,
    #[serde(with = "crate::encoding::decimal")]
    pub amount: U256,
    pub asset: String,
    pub pay_to: String,
    pub max_timeout_seconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

/// The body of a `PAYMENT-REQUIRED` header (x402 v2 §5.1). Serialized with `x402Version: 2`.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentRequired {
    pub error: Option<String>,
    pub resource: ResourceInfo,
    pub accepts: Vec<PaymentRequirements>,
    pub extensions: Map<String, Value>,
}

impl Serialize for PaymentRequired {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("x402Version", &2)?;
        if let Some(error) = &self.error {
            map.serialize_entry("error", error)?;
        }
        map.serialize_entry("resource", &self.resource)?;
        map.serialize_entry("accepts", &self.accepts)?;
        if !self.extensions.is_empty() {
            map.serialize_entry("extensions", &self.extensions)?;
        }
        map.end()
    }
}

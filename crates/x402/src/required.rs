//! `PaymentRequired` and its parts (x402 v2 §5.1): what a 402 says.

use crate::U256;
use serde_json::{Map, Value};

/// The resource that is for sale (x402 v2 §5.1.2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
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

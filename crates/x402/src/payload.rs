//! The payer's payload, decoded and untrusted: one form for both protocol versions.

use crate::{ExactPayload, PaymentRequirements, ResourceInfo};
use serde_json::{Map, Value};

/// The protocol version a message came in, for the answer to go out in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V1,
    V2,
}

/// A decoded payment. Nothing in it is trusted; `accepted` and `resource` only choose among our own offers.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentPayload {
    pub version: Version,
    pub scheme: String,
    /// CAIP-2 for version 2 and for version 1 names we know; otherwise as sent (then: `invalid_network`).
    pub network: String,
    /// The echoed offer; version 1 has none.
    pub accepted: Option<PaymentRequirements>,
    pub resource: Option<ResourceInfo>,
    pub payload: SchemePayload,
    pub extensions: Map<String, Value>,
}

/// The scheme's part.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemePayload {
    /// `exact` by EIP-3009 on an `eip155` network.
    Exact(ExactPayload),
    /// Of a scheme, network or transfer method that is not built: well-formed, refused with a reason.
    Other(Value),
}

impl SchemePayload {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Exact(exact) => exact.to_value(),
            Self::Other(value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests;

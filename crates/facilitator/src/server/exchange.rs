//! One request of either protocol version: what is to be paid, and with what.

use serde_json::{Map, Value};
use x402::{
    Address, Authenticated, ExactPayload, PaymentPayload, PaymentRequirements, Reason, SchemePayload, SettlementResponse, Terms,
    VerifyResponse, Version,
    encoding::{self, Malformed},
    v1, v2,
};

use super::answer::Refused;
use crate::Facilitator;

/// What must be left of the window at `/verify`, in seconds: the seller works, then settles.
const ROOM_TO_VERIFY: u64 = 6;

/// `paymentPayload` and `paymentRequirements`, decoded.
pub struct Exchange {
    pub(super) payload: PaymentPayload,
    pub(super) requirements: PaymentRequirements,
}

impl Exchange {
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let value = encoding::json(body)?;
        let top = value.as_object().ok_or(Malformed::Field { field: "body".into(), expected: "a JSON object" })?;
        let (payload, requirements) = (object(top, "paymentPayload")?, object(top, "paymentRequirements")?);
        let inner = payload.get("x402Version");
        let version = top.get("x402Version").or(inner);
        if inner != version {
            return Err(Malformed::Conflict("x402Version and paymentPayload.x402Version differ"));
        }
        match version.and_then(Value::as_u64) {
            Some(2) => Ok(Self { payload: v2::payload_from_value(payload)?, requirements: v2::requirements_from_value(requirements)? }),
            Some(1) => Ok(Self { payload: v1::payload_from_value(payload)?, requirements: v1::requirements_from_value(requirements)? }),
            _ => Err(Malformed::Version(version.map_or_else(|| "missing".into(), Value::to_string))),
        }
    }

    pub fn pay_to(&self) -> Option<Address> {
        self.requirements.pay_to.parse().ok()
    }

    fn exact(&self) -> Option<&ExactPayload> {
        match &self.payload.payload {
            SchemePayload::Exact(exact) => Some(exact),
            SchemePayload::Other(_) => None,
        }
    }

    pub fn payer(&self) -> Option<String> {
        self.exact().map(|exact| exact.authorization.from.to_checksum(None))
    }

    /// Who signed what, for which terms: all that needs no chain.
    pub fn authenticate(&self, facilitator: &Facilitator) -> Result<(Authenticated, Terms), Reason> {
        let terms = Terms::try_from(&self.requirements)?;
        if self.payload.scheme != terms.scheme.as_str() {
            return Err(Reason::UnsupportedScheme);
        }
        if self.payload.network != terms.network().as_str() {
            return Err(Reason::Network);
        }
        let exact = self.exact().ok_or(Reason::Payload)?;
        let payment = facilitator.authenticate(exact, &terms.asset)?;
        x402::exact::pays(payment.authorization(), &terms)?;
        Ok((payment, terms))
    }

    pub async fn verify(&self, facilitator: &Facilitator) -> Result<VerifyResponse, Refused> {
        let refused =
            |reason: Reason| VerifyResponse { is_valid: false, invalid_reason: Some(reason.code().to_owned()), payer: self.payer() };
        let (payment, terms) = match self.authenticate(facilitator) {
            Ok(both) => both,
            Err(reason) => return Ok(refused(reason)),
        };
        match facilitator.verify(payment, terms, ROOM_TO_VERIFY).await {
            Ok(_) => Ok(VerifyResponse { is_valid: true, invalid_reason: None, payer: self.payer() }),
            Err(refusal) => Ok(refused(Refused::of(refusal)?)),
        }
    }

    pub fn verify_value(&self, response: &VerifyResponse) -> Value {
        match self.payload.version {
            Version::V1 => v1::verify_value(response),
            Version::V2 => serde_json::to_value(response).unwrap_or_default(),
        }
    }

    pub fn settlement_value(&self, response: &SettlementResponse) -> Value {
        match self.payload.version {
            Version::V1 => v1::settlement_value(response),
            Version::V2 => serde_json::to_value(response).unwrap_or_default(),
        }
    }
}

fn object<'v>(top: &'v Map<String, Value>, key: &'static str) -> Result<&'v Value, Malformed> {
    top.get(key).filter(|value| value.is_object()).ok_or_else(|| Malformed::Field { field: key.into(), expected: "an object is required" })
}

//! What came of it: the answer's body as it streams in, and the report.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Serialize;
use x402::{Address, Asset, PaymentId, U256};

use crate::{Challenge, Usd};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A 2xx answer, paid or free.
    Served,
    /// The cheapest payable offer is dearer than the limit; nothing was signed.
    TooDear { price: Usd, max: Usd },
    /// Nothing on offer can be paid, or the payment was refused.
    Refused { why: String },
    /// The payment was sent to the chain and its outcome is not known yet: it may still move the money.
    Pending { retry_after: Option<String> },
    /// Another status, or no answer at all.
    Other { why: String },
}

impl End {
    /// The process's exit code (DESIGN §1).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Served => 0,
            Self::TooDear { .. } => 3,
            Self::Refused { .. } => 4,
            Self::Pending { .. } => 5,
            Self::Other { .. } => 1,
        }
    }
}

/// The one payment that was signed in a run.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: PaymentId,
    pub payer: Address,
    pub pay_to: Address,
    /// Atomic units.
    pub amount: U256,
    pub price: Usd,
    pub asset: &'static Asset,
    /// Unix seconds after which the authorization is worthless.
    pub valid_before: u64,
    /// Of the receipt; what a seller says.
    pub transaction: Option<String>,
}

/// The body of the last answer: what was read of it already, then the rest from the socket.
#[derive(Debug, Default)]
pub struct Body {
    pub(crate) read: Bytes,
    pub(crate) rest: Option<reqwest::Response>,
}

/// The connection broke in the middle of a body.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off: {0}")]
pub struct BrokenOff(#[from] reqwest::Error);

/// The most of a body that goes into a report, in bytes.
pub const REPORTED: usize = 64 * 1024 * 1024;

/// A body that does not fit into a report. The payment stands as the answer says.
#[derive(Debug, thiserror::Error)]
pub enum Unreported {
    #[error(transparent)]
    BrokenOff(#[from] BrokenOff),
    #[error("the body is larger than {REPORTED} bytes: too large for one JSON object")]
    TooLarge,
}

impl Body {
    /// Reads ahead until `limit` bytes are here, and shows them.
    pub(crate) async fn peek(&mut self, limit: usize) -> Result<&[u8], reqwest::Error> {
        let mut read = Vec::from(std::mem::take(&mut self.read));
        while let (true, Some(response)) = (read.len() < limit, self.rest.as_mut()) {
            match response.chunk().await {
                Ok(Some(chunk)) => read.extend_from_slice(&chunk),
                Ok(None) => self.rest = None,
                Err(error) => {
                    self.read = read.into();
                    return Err(error);
                }
            }
        }
        self.read = read.into();
        Ok(&self.read)
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BrokenOff> {
        if !self.read.is_empty() {
            return Ok(Some(std::mem::take(&mut self.read)));
        }
        match self.rest.as_mut() {
            Some(response) => Ok(response.chunk().await?),
            None => Ok(None),
        }
    }
}

/// The end of a run, with the last answer.
#[derive(Debug)]
pub struct Answer {
    pub end: End,
    /// Absent: no answer came.
    pub status: Option<u16>,
    /// The 402, where one was read.
    pub challenge: Option<Challenge>,
    /// Present once something was signed.
    pub payment: Option<Payment>,
    /// The seller's receipt says that it settled, or the resource was given for the payment.
    pub paid: bool,
    pub body: Body,
}

/// One JSON object for `--json`. Fields of the payment are null where nothing was paid or is pending.
#[derive(Clone, Debug, Serialize)]
pub struct PayReport {
    pub status: Option<u16>,
    pub paid: bool,
    pub payment: Option<String>,
    /// Atomic units.
    pub amount: Option<String>,
    pub asset: Option<String>,
    pub network: Option<String>,
    pub transaction: Option<String>,
    pub payer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(rename = "bodyBase64", skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

impl Answer {
    /// Reads the body to its end and reports. A body that is not UTF-8 goes out in base64.
    pub async fn report(&mut self) -> Result<PayReport, Unreported> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.body.next().await? {
            if bytes.len() + chunk.len() > REPORTED {
                return Err(Unreported::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        let (body, body_base64) = match String::from_utf8(bytes) {
            Ok(text) => (Some(text), None),
            Err(binary) => (None, Some(BASE64_STANDARD.encode(binary.as_bytes()))),
        };
        Ok(self.summary(body, body_base64))
    }

    /// The report without the body.
    pub fn summary(&self, body: Option<String>, body_base64: Option<String>) -> PayReport {
        let moved = self.paid || self.may_have_moved();
        let payment = self.payment.as_ref().filter(|_| moved);
        PayReport {
            status: self.status,
            paid: self.paid,
            payment: payment.map(|p| p.id.to_string()),
            amount: payment.map(|p| p.amount.to_string()),
            asset: payment.map(|p| p.asset.id.address.to_string()),
            network: payment.map(|p| p.asset.id.network.to_string()),
            transaction: payment.and_then(|p| p.transaction.clone()),
            payer: payment.map(|p| p.payer.to_string()),
            body,
            body_base64,
        }
    }

    /// A payment left, and nobody has said that it came to nothing.
    pub fn may_have_moved(&self) -> bool {
        self.payment.is_some() && (self.status.is_none() || matches!(self.end, End::Pending { .. }))
    }
}

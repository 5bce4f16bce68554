//! `PAYMENT-RESPONSE`, and version 1's `X-PAYMENT-RESPONSE`.

use http::{HeaderName, HeaderValue};
use ledger::{Attempt, Record};
use x402::{
    Address, Reason, SettlementResponse, Version,
    http::{PAYMENT_RESPONSE, X_PAYMENT_RESPONSE, encode_response},
    v1,
};

/// What a payer is told of a payment.
pub(super) struct Receipt(SettlementResponse);

impl Receipt {
    /// The money moved.
    pub fn settled(record: &Record) -> Self {
        let settlement = record.settlement.as_ref();
        Self(SettlementResponse {
            success: true,
            transaction: settlement.map(|settlement| settlement.transaction.to_string()).unwrap_or_default(),
            amount: Some(settlement.map_or(record.amount, |settlement| settlement.amount).to_string()),
            ..Self::about(record)
        })
    }

    /// It did not, or nobody can say; with the hash where something was sent.
    pub fn failed(record: &Record, reason: Reason) -> Self {
        let transaction = record.attempt.as_ref().and_then(Attempt::transaction);
        Self(SettlementResponse {
            error_reason: Some(reason.code().to_owned()),
            transaction: transaction.map(|hash| hash.to_string()).unwrap_or_default(),
            ..Self::about(record)
        })
    }

    /// It was not a payment for this.
    pub fn refused(reason: Reason, network: &str, payer: Option<Address>) -> Self {
        Self(SettlementResponse {
            success: false,
            error_reason: Some(reason.code().to_owned()),
            payer: payer.map(|payer| payer.to_checksum(None)),
            transaction: String::new(),
            network: network.to_owned(),
            amount: None,
            payment: None,
            extensions: None,
        })
    }

    fn about(record: &Record) -> SettlementResponse {
        SettlementResponse {
            success: false,
            error_reason: None,
            payer: Some(record.key.payer.to_checksum(None)),
            transaction: String::new(),
            network: record.key.network.to_string(),
            amount: None,
            payment: Some(record.id.to_string()),
            extensions: None,
        }
    }

    /// The header, in the version that the payment came in.
    pub fn header(&self, version: Option<Version>) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match version? {
            Version::V2 => (PAYMENT_RESPONSE, encode_response(&self.0)),
            Version::V1 => (X_PAYMENT_RESPONSE, v1::encode_response(&self.0)),
        };
        Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?))
    }
}

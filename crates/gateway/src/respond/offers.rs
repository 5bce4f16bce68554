//! The 402: `PAYMENT-REQUIRED` for version 2, the JSON body for version 1.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use rules::Offer;
use x402::{
    PaymentRequired, PaymentRequirements, Reason, ResourceInfo,
    http::{PAYMENT_REQUIRED, encode_required},
    v1,
};

use super::{cache, no_offers, refusal::JSON};
use crate::{
    Body,
    pipeline::{Sale, Shared},
};

/// The offers for what was asked, and what was wrong with a payment that came.
pub(super) fn payment_required(sale: Option<&Sale>, shared: &Shared, refused: Option<Reason>) -> Response<Body> {
    let required = sale.and_then(|sale| required(sale, shared, refused));
    let Some(required) = required else { return no_offers() };
    let Ok(header) = HeaderValue::try_from(encode_required(&required)) else { return no_offers() };
    let body = serde_json::to_vec(&v1::required_body(&required)).unwrap_or_default();
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(HeaderName::from_static(PAYMENT_REQUIRED), header);
    cache::forbid(headers);
    response
}

fn required(sale: &Sale, shared: &Shared, refused: Option<Reason>) -> Option<PaymentRequired> {
    let rule = sale.rule.rule();
    let accepts: Option<Vec<PaymentRequirements>> = rule.offers().iter().map(|offer| quoted(sale, shared, offer)).collect();
    Some(PaymentRequired {
        error: Some(refused.map_or("PAYMENT-SIGNATURE header is required", Reason::code).to_owned()),
        resource: ResourceInfo {
            url: format!("{}{}", sale.rule.snapshot().public_url, sale.target()),
            description: rule.description().map(str::to_owned),
            mime_type: None,
        },
        accepts: accepts.filter(|accepts| !accepts.is_empty())?,
        extensions: serde_json::Map::new(),
    })
}

/// An offer with a fresh quote; `None` where no randomness can be had.
fn quoted(sale: &Sale, shared: &Shared, offer: &Offer) -> Option<PaymentRequirements> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random).ok()?;
    let quote = shared.quotes.issue(sale.rule.rule(), offer, shared.clock.now(), random);
    Some(offer.requirements(Some(&quote)))
}

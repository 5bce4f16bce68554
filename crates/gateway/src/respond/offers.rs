//! The 402: `PAYMENT-REQUIRED` for version 2, the JSON body for version 1.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use x402::{Reason, RenderedRequired, http::PAYMENT_REQUIRED};

use super::{cache, no_offers, refusal::JSON};
use crate::{
    Body,
    pipeline::{Sale, Shared},
};

/// The offers for what was asked, and what was wrong with a payment that came.
pub(super) fn payment_required(sale: Option<&Sale>, shared: &Shared, refused: Option<Reason>) -> Response<Body> {
    let rendered = sale.and_then(|sale| rendered(sale, shared, refused));
    let Some(RenderedRequired { header, body }) = rendered else { return no_offers() };
    let Ok(header) = HeaderValue::from_maybe_shared(Bytes::from(header)) else { return no_offers() };
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(HeaderName::from_static(PAYMENT_REQUIRED), header);
    cache::forbid(headers);
    response
}

/// Every offer with a fresh quote; `None` where there is none.
fn rendered(sale: &Sale, shared: &Shared, refused: Option<Reason>) -> Option<RenderedRequired> {
    if sale.rule.rule().offers().is_empty() {
        return None;
    }
    let offers = sale.rule.offers(&shared.quotes, shared.clock.now());
    let url = [sale.rule.snapshot().public_url.as_str(), sale.target()].concat();
    Some(sale.rule.render(&offers, refused, &url))
}

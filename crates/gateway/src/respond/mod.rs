//! The one exhaustive mapping from outcomes to HTTP. Statuses stand nowhere else.

mod cache;
mod offers;
mod receipt;
mod refusal;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use ledger::{KeptReply, Record};
use x402::Reason;

pub(crate) use self::refusal::{Refusal, refuse};
use self::{offers::payment_required, receipt::Receipt};
use crate::{
    Body,
    canonical::Ambiguous,
    cors,
    delivery::{Delivery, Outbox, watch},
    origin::OriginError,
    pipeline::{Down, Outcome, Sale, Shared},
};

/// Seconds until a payment under way has likely ended.
const SOON: u64 = 2;
/// Seconds until what is down may be up.
const LATER: u64 = 5;

/// What became of a settlement whose block left the chain.
const LOST: Reason = Reason::TransactionState;

const MISMATCH: &str = "this payment belongs to another request, or came in other bytes";
const IN_FLIGHT: &str = "a request with this payment is under way";
const EXHAUSTED: &str = "paid, and fetched as often or for as long as it is served again";

/// An answer, and what is to be noted when its last byte has left.
#[must_use]
pub(crate) struct Answer {
    response: Response<Body>,
    delivery: Option<Delivery>,
}

impl Answer {
    pub fn response_mut(&mut self) -> &mut Response<Body> {
        &mut self.response
    }

    /// Gives the answer to who sends it.
    pub fn hand_over(self, outbox: Option<Outbox>) -> Response<Body> {
        match self.delivery {
            Some(delivery) => watch(self.response, delivery, outbox),
            None => self.response,
        }
    }

    /// A free answer from a path under a charge rule is as private as a paid one.
    pub fn under_charge(mut self, under_charge: bool) -> Self {
        if under_charge {
            cache::make_private(self.response.headers_mut());
        }
        self
    }
}

/// What an outcome is on the wire. Without a sale: no charge rule decided the request.
pub(crate) fn respond(outcome: Outcome, sale: Option<&Sale>, shared: &Shared) -> Answer {
    let of_origin = is_of_origin(&outcome);
    let mut delivery = None;
    let mut response = match outcome {
        Outcome::Ambiguous(why) => refuse(ambiguous(why)),
        Outcome::Denied => refuse(Refusal::new(StatusCode::FORBIDDEN, "denied", "this is not served")),
        Outcome::Free(response) | Outcome::Uncharged(response) => response,
        Outcome::Preflight(asked) => preflight(&asked),
        Outcome::Offered => payment_required(sale, shared, None),
        Outcome::NoOffers => no_offers(),
        Outcome::Malformed(why) => refuse(Refusal::new(StatusCode::BAD_REQUEST, Reason::Payload.code(), why)),
        Outcome::Invalid { reason, network, payer } => refused_payment(sale, shared, reason, Receipt::refused(reason, &network, payer)),
        Outcome::AnotherRequest => refuse(Refusal::new(StatusCode::CONFLICT, "payment_mismatch", MISMATCH)),
        Outcome::Kept { reply, record, delivery: watched } => {
            delivery = watched;
            with(Receipt::settled(&record), sale, replayed(reply))
        }
        Outcome::Pending(record) => pending(&record, sale),
        Outcome::InFlight(id) => refuse(Refusal::new(StatusCode::CONFLICT, "payment_in_flight", IN_FLIGHT).payment(id).after(SOON)),
        Outcome::AlreadyDelivered(record) => {
            let refusal = Refusal::new(StatusCode::CONFLICT, "already_delivered", "paid for, and delivered").payment(record.id);
            with(Receipt::settled(&record), sale, refuse(refusal))
        }
        Outcome::Exhausted(id) => refuse(Refusal::new(StatusCode::CONFLICT, "delivery_exhausted", EXHAUSTED).payment(id)),
        Outcome::Lost(record) => refused_payment(sale, shared, LOST, Receipt::failed(&record, LOST)),
        Outcome::Unavailable { down, payment } => unavailable(down, payment),
        Outcome::Failed { record, reason } => refused_payment(sale, shared, reason, Receipt::failed(&record, reason)),
        Outcome::Unserved { response, record } => with(Receipt::settled(&record), sale, response),
        Outcome::NoAnswer { error, settled } => no_answer(&error, settled.as_deref(), sale),
        Outcome::Paid { response, record, delivery: watched } => {
            delivery = Some(watched);
            with(Receipt::settled(&record), sale, response)
        }
        Outcome::TooLarge(most) => refuse(too_large(most)),
        Outcome::Broken => refuse(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "a fault of the gateway's")),
    };
    if let Some(sale) = sale {
        finish(response.headers_mut(), sale, of_origin);
    }
    Answer { response, delivery }
}

/// Whether an answer is the origin's, or ours.
fn is_of_origin(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Free(_) | Outcome::Uncharged(_) | Outcome::Paid { .. } | Outcome::Unserved { .. } | Outcome::Kept { .. })
}

fn no_offers() -> Response<Body> {
    refuse(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_offers", "no offer can be made for this").after(LATER))
}

fn too_large(most: u64) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", format_args!("at most {most} bytes are read here"))
}

fn ambiguous(why: Ambiguous) -> Refusal {
    match why {
        Ambiguous::Host => Refusal::new(StatusCode::BAD_REQUEST, "ambiguous_host", why),
        Ambiguous::Path(_) => Refusal::new(StatusCode::BAD_REQUEST, "ambiguous_path", why),
        Ambiguous::Framing => Refusal::new(StatusCode::BAD_REQUEST, "ambiguous_framing", why),
        Ambiguous::Method => Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", why),
    }
}

fn refused_payment(sale: Option<&Sale>, shared: &Shared, reason: Reason, receipt: Receipt) -> Response<Body> {
    with(receipt, sale, payment_required(sale, shared, Some(reason)))
}

fn pending(record: &Record, sale: Option<&Sale>) -> Response<Body> {
    let reason = Reason::SettlementPending;
    let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason.code(), reason.message()).payment(record.id).after(LATER);
    with(Receipt::failed(record, reason), sale, refuse(refusal))
}

fn unavailable(down: Down, payment: Option<x402::PaymentId>) -> Response<Body> {
    let (code, message) = match down {
        Down::Store => ("store_unavailable", "payments cannot be recorded at the moment; nothing was charged"),
        Down::Facilitator => ("settlement_unavailable", "payments cannot be settled at the moment; nothing was charged"),
        Down::Network => ("network_not_ready", "payments on this network are not taken yet; nothing was charged"),
    };
    let mut refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, message).after(LATER);
    if let Some(id) = payment {
        refusal = refusal.payment(id);
    }
    refuse(refusal)
}

fn no_answer(error: &OriginError, settled: Option<&Record>, sale: Option<&Sale>) -> Response<Body> {
    if error.is_clients() {
        tracing::debug!(%error, "a client's fault");
    } else {
        tracing::warn!(%error, "no answer from the origin");
    }
    let refusal = match error {
        OriginError::TimedOut => Refusal::new(StatusCode::GATEWAY_TIMEOUT, "origin_timeout", "the origin did not answer in time"),
        OriginError::Unreachable(_) => Refusal::new(StatusCode::BAD_GATEWAY, "origin_unreachable", "the origin cannot be reached"),
        OriginError::Request => Refusal::new(StatusCode::BAD_REQUEST, "invalid_body", error),
        OriginError::SlowRequest => Refusal::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", error),
        OriginError::Switched => Refusal::new(StatusCode::BAD_GATEWAY, "origin_unreachable", "the origin's answer cannot be passed on"),
        OriginError::BrokeOff(_) => Refusal::new(StatusCode::BAD_GATEWAY, "origin_unreachable", "the origin broke off before it answered"),
    };
    let mut response = match settled {
        Some(record) => with(Receipt::settled(record), sale, refuse(refusal.payment(record.id).after(SOON))),
        None => refuse(refusal),
    };
    if error.is_clients() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    cors::allow(asked, response.headers_mut());
    cache::vary(response.headers_mut());
    response
}

fn replayed(reply: KeptReply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_maybe_shared(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Adds a receipt in the version that the payment came in.
fn with(receipt: Receipt, sale: Option<&Sale>, mut response: Response<Body>) -> Response<Body> {
    if let Some((name, value)) = receipt.header(sale.and_then(|sale| sale.version)) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// What all answers under a charge rule say to caches and browsers.
fn finish(headers: &mut HeaderMap, sale: &Sale, of_origin: bool) {
    if of_origin {
        cache::make_private(headers);
        if sale.cors {
            cors::share(headers);
        }
    } else {
        cache::vary(headers);
        if sale.cors {
            cors::open(headers);
        }
    }
}

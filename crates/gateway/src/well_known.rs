//! What the gateway answers itself, before any rule: the price list, the status of a payment, the keys of `PAYMENT-CONTEXT`.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use ledger::{Attempt, Record, State};
use serde_json::{Value, json};

use crate::{
    Body, cors,
    pipeline::Shared,
    respond::{Refusal, refuse},
    snapshot::Snapshot,
};

const PRICES: &str = "/.well-known/x402.json";
const PAYMENTS: &str = "/.well-known/x402/payments/";
const KEYS: &str = "/.well-known/tollway/jwks.json";

/// Seconds that price list and keys may be kept.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=60");

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// Whether a canonical path is answered here: known or not, it reaches neither rules nor origin.
pub(crate) fn is_ours(path: &str) -> bool {
    path.strip_prefix("/.well-known/").is_some_and(|name| name.starts_with("x402") || name.starts_with("tollway/"))
}

/// Answers it. The request's body is not looked at.
pub(crate) async fn answer(shared: &Shared, snapshot: &Snapshot, parts: &Parts) -> Response<Body> {
    let mut response = match parts.method {
        Method::GET | Method::HEAD => resource(shared, snapshot, parts.uri.path()).await,
        Method::OPTIONS => options(parts),
        _ => refuse(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this is read only")),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, METHODS);
    }
    if parts.method != Method::OPTIONS {
        cors::open(response.headers_mut());
    }
    response
}

async fn resource(shared: &Shared, snapshot: &Snapshot, path: &str) -> Response<Body> {
    match path {
        PRICES => found(prices(snapshot).to_string(), Some(KEPT)),
        KEYS => found(shared.context.key_set().to_owned(), Some(KEPT)),
        _ => match path.strip_prefix(PAYMENTS) {
            Some(id) => payment(shared, id).await,
            None => refuse(Refusal::new(StatusCode::NOT_FOUND, "not_found", "nothing is here")),
        },
    }
}

/// Of the rules that name a resource. Their conditions are not shown.
fn prices(snapshot: &Snapshot) -> Value {
    let named = snapshot.rules.rules().iter().filter_map(|rule| Some((rule, rule.resource()?)));
    let items: Vec<Value> = named
        .filter(|(rule, _)| !rule.offers().is_empty())
        .map(|(rule, url)| {
            let resource = x402::ResourceInfo { url: url.to_owned(), description: rule.description().map(str::to_owned), mime_type: None };
            let accepts: Vec<_> = rule.offers().iter().map(|offer| offer.requirements(None)).collect();
            json!({ "resource": resource, "type": "http", "accepts": accepts, "input": { "method": rule.method() } })
        })
        .collect();
    json!({ "x402Version": 2, "lastUpdated": snapshot.loaded_at.0, "items": items })
}

async fn payment(shared: &Shared, id: &str) -> Response<Body> {
    let Ok(id) = id.parse() else {
        return refuse(Refusal::new(StatusCode::BAD_REQUEST, "invalid_payment_id", x402::key::MalformedPaymentId));
    };
    match shared.ledger.recall(id).await {
        Ok(Some(record)) => found(status(&record).to_string(), None),
        Ok(None) => refuse(Refusal::new(StatusCode::NOT_FOUND, "not_found", "no payment of that id is known here")),
        Err(error) => {
            tracing::warn!(payment = %id, %error, "a payment could not be looked up");
            refuse(
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "payments cannot be looked up at the moment").after(5),
            )
        }
    }
}

fn status(record: &Record) -> Value {
    let attempted = || record.attempt.as_ref().and_then(Attempt::transaction);
    let transaction = record.settlement.as_ref().map(|settlement| settlement.transaction).or_else(attempted);
    let transaction = transaction.filter(|_| !matches!(record.state, State::Claimed | State::Released));
    json!({
        "payment": record.id.to_string(),
        "state": record.state.on_the_wire(),
        "delivered": record.delivered,
        "amount": record.amount.to_string(),
        "transaction": transaction.map(|hash| hash.to_string()),
    })
}

fn found(json: String, kept: Option<HeaderValue>) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(json)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, kept.unwrap_or(HeaderValue::from_static("no-store")));
    response
}

fn options(parts: &Parts) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, METHODS);
    cors::allow(&parts.headers, response.headers_mut());
    response
}

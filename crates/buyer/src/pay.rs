//! The run: ask, read the 402, sign once, ask again.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use x402::{B256, PaymentKey, PaymentPayload, SettlementResponse, Timestamp, Version, http as wire, v1};

use crate::{
    Answer, Body, Challenge, Choice, End, Limits, Payable, Payment, Request, Wallet,
    sign::{NotSignable, sign},
};

/// The most of a refusal's body that is read to understand it, in bytes.
const REFUSAL: usize = 1024 * 1024;
const REDIRECTS: usize = 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest silence, before the answer's head (a settlement may take half a minute) and between two pieces of a body.
const SILENCE: Duration = Duration::from_secs(120);

/// Asks for a resource and pays for it if it must and may. Never fails: whatever happened is in the [`Answer`].
pub async fn pay(wallet: &Wallet, request: Request, limits: &Limits, now: Timestamp) -> Answer {
    let client = match client() {
        Ok(client) => client,
        Err(error) => return unanswered(format!("no HTTP client: {}", whole(&error)), None),
    };
    let (request, response) = match ask(&client, request).await {
        Ok(asked) => asked,
        Err(error) => return unanswered(whole(&error), None),
    };
    if response.status() != StatusCode::PAYMENT_REQUIRED {
        return unpaid(response);
    }
    let (head, mut body) = split(response);
    let challenge = match body.peek(REFUSAL).await {
        Ok(bytes) => Challenge::read(&head.headers, bytes),
        Err(error) => return unanswered(format!("the 402 broke off: {}", whole(&error)), None),
    };
    let refused = |why: String, body: Body| head.answer(End::Refused { why }, body);
    let challenge = match challenge {
        Ok(challenge) => challenge,
        Err(error) => return refused(error.to_string(), body),
    };
    let payable = match challenge.choose(limits) {
        Choice::Pay(payable) => payable,
        Choice::TooDear(price) => return head.answer(End::TooDear { price, max: limits.max }, body),
        Choice::Nothing(reasons) => {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            return refused(format!("no offer can be paid: {}", reasons.join("; ")), body);
        }
    };
    match prepare(wallet, &challenge, *payable, now) {
        Ok((payment, name, value)) => Answer { challenge: Some(challenge), ..pay_with(&client, request, payment, name, value).await },
        Err(error) => refused(format!("the offer cannot be signed: {error}"), body),
    }
}

/// Signs, and writes the header. The only place of a run that signs.
fn prepare(
    wallet: &Wallet,
    challenge: &Challenge,
    payable: Payable,
    now: Timestamp,
) -> Result<(Payment, HeaderName, HeaderValue), NotSignable> {
    let nonce = B256::from(rand::random::<[u8; 32]>());
    let payload = sign(wallet, &payable.requirements, challenge.resource.as_ref(), challenge.version, now, nonce)?;
    let Payable { terms, asset, price, .. } = payable;
    let (name, text) = encode(&payload).ok_or_else(|| NotSignable::Network(terms.network().to_string()))?;
    let value = HeaderValue::from_str(&text).map_err(|_| NotSignable::Network(terms.network().to_string()))?;
    let key = PaymentKey { network: terms.network().clone(), contract: terms.asset.address, payer: wallet.address(), nonce };
    let payment = Payment {
        id: key.id(),
        payer: wallet.address(),
        pay_to: terms.pay_to,
        amount: terms.amount,
        price,
        asset,
        valid_before: now.after(terms.max_timeout_seconds).0,
        transaction: None,
    };
    Ok((payment, name, value))
}

fn encode(payload: &PaymentPayload) -> Option<(HeaderName, String)> {
    match payload.version {
        Version::V2 => Some((HeaderName::from_static(wire::PAYMENT_SIGNATURE), wire::encode_payment(payload))),
        Version::V1 => Some((HeaderName::from_static(wire::X_PAYMENT), v1::encode_payment(payload)?)),
    }
}

/// Sends the request once more, with the payment, and judges the answer. Redirects are not followed.
async fn pay_with(client: &reqwest::Client, mut request: Request, payment: Payment, name: HeaderName, value: HeaderValue) -> Answer {
    request.headers.insert(name, value);
    let response = match send(client, &request).await {
        Ok(response) => response,
        Err(error) => return unanswered(whole(&error), Some(payment)),
    };
    let (head, mut body) = split(response);
    let receipt = receipt(&head.headers);
    let settled = receipt.as_ref().is_some_and(|r| r.success);
    let transaction = receipt.as_ref().map(|r| r.transaction.clone()).filter(|hash| !hash.is_empty());
    let paid = settled || (head.status.is_success() && receipt.is_none());
    let end = if head.status.is_success() {
        End::Served
    } else {
        // A broken body cannot take the header's word away.
        let bytes = body.peek(REFUSAL).await.unwrap_or_default();
        judge(&head, receipt.as_ref(), bytes)
    };
    let payment = Payment { transaction, ..payment };
    Answer { payment: Some(payment), paid, ..head.answer(end, body) }
}

fn judge(head: &Head, receipt: Option<&SettlementResponse>, body: &[u8]) -> End {
    let code = receipt.and_then(|r| r.error_reason.clone()).or_else(|| error_code(&head.headers, body));
    let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let named = code.as_deref().unwrap_or("no reason given").to_owned();
    match (head.status, code.as_deref()) {
        (_, Some("settlement_pending")) => End::Pending { retry_after },
        (status, _) if status.is_redirection() => {
            End::Other { why: format!("{status}: a redirect is not followed once a payment is attached") }
        }
        (StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN | StatusCode::CONFLICT, _)
        | (StatusCode::PRECONDITION_FAILED, _) => End::Refused { why: format!("{}: {named}", head.status) },
        (status, _) => End::Other { why: format!("{status}: {named}") },
    }
}

/// The `error` of a JSON refusal, or of a 402's header.
fn error_code(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let of_body = json.as_ref().and_then(|v| v.get("error")).and_then(|e| e.as_str()).map(str::to_owned);
    of_body.or_else(|| Challenge::read(headers, body).ok()?.error)
}

fn receipt(headers: &HeaderMap) -> Option<SettlementResponse> {
    let header = headers.get(wire::PAYMENT_RESPONSE).or_else(|| headers.get(wire::X_PAYMENT_RESPONSE))?;
    wire::decode_response(header.as_bytes()).ok()
}

/// Asks without a payment, following redirects where that is safe.
async fn ask(client: &reqwest::Client, mut request: Request) -> Result<(Request, reqwest::Response), reqwest::Error> {
    let mut response = send(client, &request).await?;
    for _ in 0..REDIRECTS {
        let location = response.headers().get(header::LOCATION).and_then(|v| v.to_str().ok());
        let target = location.filter(|_| response.status().is_redirection()).and_then(|l| request.redirected(l));
        let Some(next) = target else { break };
        request = next;
        response = send(client, &request).await?;
    }
    Ok((request, response))
}

async fn send(client: &reqwest::Client, request: &Request) -> Result<reqwest::Response, reqwest::Error> {
    let mut builder = client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    builder.send().await
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    // A second installation is refused, and then the first one serves as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT_TIMEOUT).read_timeout(SILENCE).build()
}

struct Head {
    status: StatusCode,
    headers: HeaderMap,
}

impl Head {
    fn answer(&self, end: End, body: Body) -> Answer {
        Answer { end, status: Some(self.status.as_u16()), challenge: None, payment: None, paid: false, body }
    }
}

fn split(response: reqwest::Response) -> (Head, Body) {
    let head = Head { status: response.status(), headers: response.headers().clone() };
    (head, Body { read: bytes::Bytes::new(), rest: Some(response) })
}

fn unpaid(response: reqwest::Response) -> Answer {
    let (head, body) = split(response);
    let end = if head.status.is_success() { End::Served } else { End::Other { why: head.status.to_string() } };
    head.answer(end, body)
}

fn unanswered(why: String, payment: Option<Payment>) -> Answer {
    Answer { end: End::Other { why }, status: None, challenge: None, payment, paid: false, body: Body::default() }
}

/// An error with its causes: reqwest's own message leaves them out.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

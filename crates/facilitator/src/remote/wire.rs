//! What is said to a remote facilitator, and how its answers are read: strictly.

use std::{collections::HashSet, time::Duration};

use ledger::Record;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use x402::{Address, Asset, Authenticated, Authorization, B256, Network, PaymentRequirements, Reason, Scheme, Terms};

/// The most that is read of an answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// Told to facilitators for payments whose offer is not at hand.
const USUAL_TIMEOUT: u64 = 60;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Not reached, or turned away before any work.
    #[error("{0}")]
    Unsent(String),
    /// The request may have been carried out.
    #[error("{0}")]
    Maybe(String),
}

pub enum VerifyAnswer {
    Valid,
    Invalid(Reason),
}

pub enum SettleAnswer {
    Settled(B256),
    Refused(Reason),
    /// Neither yes nor a no that we know to be final.
    Unclear(String),
}

/// A payment as facilitators are told of it. Made of typed parts: nothing the payer echoed, no quote, gets out.
pub struct Ask {
    body: Value,
    payer: Address,
    network: Network,
}

impl Ask {
    pub fn of_payment(payment: &Authenticated, terms: &Terms, asset: &Asset) -> Self {
        Self::new(payment.authorization(), payment.signature(), terms, asset)
    }

    pub fn of_record(record: &Record, asset: &Asset) -> Self {
        let authorization = Authorization {
            from: record.key.payer,
            to: record.pay_to,
            value: record.amount,
            valid_after: record.valid_after,
            valid_before: record.valid_before,
            nonce: record.key.nonce,
        };
        let terms = Terms {
            scheme: Scheme::Exact,
            asset: record.asset.clone(),
            pay_to: record.pay_to,
            amount: record.amount,
            max_timeout_seconds: USUAL_TIMEOUT,
        };
        Self::new(&authorization, &x402::Bytes(record.signature.clone()), &terms, asset)
    }

    fn new(authorization: &Authorization, signature: &x402::Bytes, terms: &Terms, asset: &Asset) -> Self {
        let extra = Map::from_iter([("name".to_owned(), json!(asset.name)), ("version".to_owned(), json!(asset.version))]);
        let requirements = PaymentRequirements {
            scheme: terms.scheme.as_str().to_owned(),
            network: terms.network().to_string(),
            amount: terms.amount,
            asset: terms.asset.address.to_checksum(None),
            pay_to: terms.pay_to.to_checksum(None),
            max_timeout_seconds: terms.max_timeout_seconds,
            extra: Some(extra),
        };
        let payload = json!({
            "signature": signature,
            "authorization": {
                "from": authorization.from.to_checksum(None),
                "to": authorization.to.to_checksum(None),
                "value": authorization.value.to_string(),
                "validAfter": authorization.valid_after.to_string(),
                "validBefore": authorization.valid_before.to_string(),
                "nonce": authorization.nonce,
            },
        });
        let body = json!({
            "x402Version": 2,
            "paymentPayload": { "x402Version": 2, "accepted": requirements, "payload": payload },
            "paymentRequirements": requirements,
        });
        Self { body, payer: authorization.from, network: terms.network().clone() }
    }

    /// An answer about somebody else is none.
    fn is_of_payer(&self, payer: Option<&str>) -> bool {
        payer.is_none_or(|payer| payer.parse::<Address>().is_ok_and(|payer| payer == self.payer))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerifyJson {
    is_valid: bool,
    #[serde(default)]
    invalid_reason: Option<String>,
    #[serde(default)]
    payer: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettleJson {
    success: bool,
    #[serde(default)]
    error_reason: Option<String>,
    #[serde(default)]
    payer: Option<String>,
    #[serde(default)]
    transaction: Option<String>,
    #[serde(default)]
    network: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KindJson {
    x402_version: u8,
    scheme: String,
    network: String,
}

#[derive(Deserialize)]
struct SupportedJson {
    kinds: Vec<Value>,
}

pub async fn verify(client: &reqwest::Client, url: &reqwest::Url, ask: &Ask, within: Duration) -> Result<VerifyAnswer, Trouble> {
    let answer: VerifyJson = post(client, url, "verify", ask, within).await?;
    match answer {
        answer if !ask.is_of_payer(answer.payer.as_deref()) => Err(Trouble::Maybe("it answered for another payer".into())),
        VerifyJson { is_valid: true, .. } => Ok(VerifyAnswer::Valid),
        VerifyJson { invalid_reason, .. } => match invalid_reason.as_deref().map(|code| Reason::from_code(code).unwrap_or(Reason::Payload))
        {
            Some(Reason::UnexpectedVerify) | None => Err(Trouble::Maybe("it could not verify".into())),
            Some(reason) => Ok(VerifyAnswer::Invalid(reason)),
        },
    }
}

pub async fn settle(client: &reqwest::Client, url: &reqwest::Url, ask: &Ask, within: Duration) -> Result<SettleAnswer, Trouble> {
    let answer: SettleJson = post(client, url, "settle", ask, within).await?;
    if !ask.is_of_payer(answer.payer.as_deref()) {
        return Err(Trouble::Maybe("it answered for another payer".into()));
    }
    let named = answer.network.as_deref().and_then(|name| Network::parse(name).ok().or_else(|| Network::from_v1_name(name)));
    if answer.success {
        if named.is_none_or(|network| network != ask.network) {
            return Err(Trouble::Maybe("it answered for another network".into()));
        }
        let transaction = answer.transaction.as_deref().and_then(|hash| hash.parse::<B256>().ok()).filter(|hash| !hash.is_zero());
        return Ok(transaction.map_or_else(|| SettleAnswer::Unclear("success without a transaction hash".into()), SettleAnswer::Settled));
    }
    let sent = answer.transaction.as_deref().is_some_and(|hash| !hash.is_empty());
    let code = answer.error_reason.unwrap_or_default();
    Ok(match Reason::from_code(&code).filter(|reason| !sent && is_final(*reason)) {
        Some(reason) => SettleAnswer::Refused(reason),
        None => SettleAnswer::Unclear(format!("errorReason `{code}`")),
    })
}

/// Reasons that a facilitator finds before it sends anything. A used authorization may be the echo of its own success.
fn is_final(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::UnexpectedVerify
            | Reason::UnexpectedSettle
            | Reason::SettlementPending
            | Reason::TransactionState
            | Reason::AuthorizationUsed
    )
}

/// The networks on which a facilitator settles `exact` by version 2; kinds that we cannot read are not ours.
pub async fn supported(client: &reqwest::Client, url: &reqwest::Url, within: Duration) -> Result<HashSet<Network>, String> {
    let request = client.get(endpoint(url, "supported"));
    let answer: SupportedJson = exchange(request, within).await.map_err(|trouble| trouble.to_string())?;
    let kinds = answer.kinds.into_iter().filter_map(|kind| serde_json::from_value::<KindJson>(kind).ok());
    let exact = kinds.filter(|kind| kind.x402_version == 2 && kind.scheme == Scheme::Exact.as_str());
    Ok(exact.filter_map(|kind| Network::parse(&kind.network).ok()).collect())
}

fn endpoint(url: &reqwest::Url, name: &str) -> reqwest::Url {
    let mut url = url.clone();
    let path = format!("{}/{name}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

async fn post<T: serde::de::DeserializeOwned>(
    client: &reqwest::Client,
    url: &reqwest::Url,
    name: &str,
    ask: &Ask,
    within: Duration,
) -> Result<T, Trouble> {
    exchange(client.post(endpoint(url, name)).json(&ask.body), within).await
}

async fn exchange<T: serde::de::DeserializeOwned>(request: reqwest::RequestBuilder, within: Duration) -> Result<T, Trouble> {
    tokio::time::timeout(within, converse(request)).await.map_err(|_| Trouble::Maybe("no answer in time".into()))?
}

async fn converse<T: serde::de::DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Trouble> {
    let trouble = |error: reqwest::Error| {
        let unsent = error.is_connect();
        let why = error.without_url().to_string();
        if unsent { Trouble::Unsent(why) } else { Trouble::Maybe(why) }
    };
    let mut response = request.send().await.map_err(trouble)?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(trouble)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(Trouble::Maybe(format!("answer larger than {MAX_ANSWER} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    match serde_json::from_slice(&bytes) {
        // Some facilitators answer decided payments with 400.
        Ok(answer) if status.is_success() || status.as_u16() == 400 => Ok(answer),
        Err(error) if status.is_success() => Err(Trouble::Maybe(format!("not an answer: {error}"))),
        // Turned away at the door: redirected, unauthorized, not found, too many requests.
        _ if status.is_redirection() || matches!(status.as_u16(), 400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 | 429) => {
            Err(Trouble::Unsent(format!("HTTP {status}")))
        }
        _ => Err(Trouble::Maybe(format!("HTTP {status}"))),
    }
}

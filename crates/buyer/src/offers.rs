//! Reading a 402, and choosing what to pay.

use http::HeaderMap;
use serde_json::Value;
use x402::{Asset, Network, PaymentRequirements, ResourceInfo, Terms, Version, encoding, http as wire, known, v1};

use crate::Usd;

/// The longest that an authorization may stay valid, in seconds: an offer that wants more is not signed.
const LONGEST: u64 = 86_400;

/// What may be spent, and where.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most for this one request.
    pub max: Usd,
    /// Only offers on this network.
    pub network: Option<Network>,
}

/// What a 402 says: the version it speaks and its offers, each as sent. An offer that cannot even be read is left out, not fatal: others may do.
#[derive(Clone, Debug)]
pub struct Challenge {
    pub version: Version,
    pub error: Option<String>,
    pub resource: Option<ResourceInfo>,
    pub offers: Vec<PaymentRequirements>,
}

/// A 402 that is no x402 challenge. The seller's fault; nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a 402 without offers that can be read: {0}")]
pub struct Unreadable(String);

/// An offer that this buyer can pay.
#[derive(Clone, Debug)]
pub struct Payable {
    pub requirements: PaymentRequirements,
    pub terms: Terms,
    pub asset: &'static Asset,
    pub price: Usd,
}

/// Why an offer is not for this buyer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    #[error("its terms are not understood ({})", .0.code())]
    Terms(x402::Reason),
    #[error("on {0}, which is not the network asked for")]
    OtherNetwork(Network),
    #[error("the token {asset} on {network} is no known dollar asset")]
    UnknownAsset { asset: String, network: Network },
    #[error("it is paid by {0}, not by an EIP-3009 authorization")]
    TransferMethod(String),
    #[error("its amount is zero, or beyond reason")]
    Amount,
    #[error("its authorization would stay valid for {0} s")]
    Window(u64),
}

/// What to do about a challenge.
#[derive(Clone, Debug)]
pub enum Choice {
    Pay(Box<Payable>),
    /// The cheapest payable offer costs more than the limit.
    TooDear(Usd),
    /// Why each of the offers cannot be paid.
    Nothing(Vec<Unpayable>),
}

impl Challenge {
    /// Version 2's `PAYMENT-REQUIRED` header; where there is none, version 1's JSON body.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Unreadable> {
        match headers.get(wire::PAYMENT_REQUIRED) {
            Some(header) => {
                let json = encoding::base64_decode(header.as_bytes()).map_err(|e| Unreadable(e.to_string()))?;
                Self::from_json(&json, Version::V2)
            }
            None => Self::from_json(body, Version::V1),
        }
    }

    fn from_json(json: &[u8], version: Version) -> Result<Self, Unreadable> {
        let value = encoding::json(json).map_err(|e| Unreadable(e.to_string()))?;
        let number = match version {
            Version::V1 => 1,
            Version::V2 => 2,
        };
        if value.get("x402Version").and_then(Value::as_u64) != Some(number) {
            return Err(Unreadable(format!("its x402Version is not {number}")));
        }
        let accepts = value.get("accepts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let read = |offer: &Value| match version {
            Version::V1 => v1::requirements_from_value(offer).ok(),
            Version::V2 => serde_json::from_value(offer.clone()).ok(),
        };
        let offers: Vec<_> = accepts.iter().filter_map(read).collect();
        if offers.is_empty() {
            return Err(Unreadable(format!("{} listed, none understood", accepts.len())));
        }
        let error = value.get("error").and_then(Value::as_str).map(str::to_owned);
        let resource = value.get("resource").and_then(|r| serde_json::from_value(r.clone()).ok());
        Ok(Self { version, error, resource, offers })
    }

    /// The cheapest payable offer; the first listed of several equally cheap.
    pub fn choose(&self, limits: &Limits) -> Choice {
        let (mut best, mut reasons) = (None::<Payable>, Vec::new());
        for offer in &self.offers {
            match payable(offer, limits.network.as_ref()) {
                Ok(found) if best.as_ref().is_none_or(|b| found.price < b.price) => best = Some(found),
                Ok(_) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        match best {
            None => Choice::Nothing(reasons),
            Some(best) if best.price > limits.max => Choice::TooDear(best.price),
            Some(best) => Choice::Pay(Box::new(best)),
        }
    }
}

fn payable(offer: &PaymentRequirements, only: Option<&Network>) -> Result<Payable, Unpayable> {
    let terms = Terms::try_from(offer).map_err(Unpayable::Terms)?;
    if only.is_some_and(|network| network != terms.network()) {
        return Err(Unpayable::OtherNetwork(terms.network().clone()));
    }
    let usdc = known::network(terms.network()).map(|known| &known.usdc);
    let Some(asset) = usdc.filter(|usdc| usdc.usd && usdc.id == terms.asset) else {
        return Err(Unpayable::UnknownAsset { asset: terms.asset.address.to_string(), network: terms.network().clone() });
    };
    let method = offer.extra.as_ref().and_then(|extra| extra.get("assetTransferMethod")).and_then(Value::as_str);
    if let Some(other) = method.filter(|method| *method != "eip3009") {
        return Err(Unpayable::TransferMethod(other.to_owned()));
    }
    if !(1..=LONGEST).contains(&terms.max_timeout_seconds) {
        return Err(Unpayable::Window(terms.max_timeout_seconds));
    }
    let price = Usd::of_units(terms.amount, asset.decimals).filter(|_| !terms.amount.is_zero()).ok_or(Unpayable::Amount)?;
    Ok(Payable { requirements: offer.clone(), terms, asset, price })
}

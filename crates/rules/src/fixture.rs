//! A market and requests for tests.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::{Action, Facts, Head, Market, PriceSpec, RuleSet, RuleSpec, SettleWhen, Unmatched};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use std::net::IpAddr;
use x402::{Address, Asset, AssetId, Network, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

pub(crate) fn asset(chain: u64, byte: u8, decimals: u8, usd: bool) -> Asset {
    let id = AssetId { network: Network::eip155(chain), address: Address::repeat_byte(byte) };
    Asset { id, name: "USD Coin".to_owned(), version: "2".to_owned(), decimals, usd, built_in: true }
}

pub(crate) fn market() -> Market {
    Market {
        pay_to: Address::repeat_byte(0x20),
        assets: vec![asset(8453, 0xb1, 6, true), asset(84532, 0xb2, 6, true), asset(8453, 0xb3, 18, false)],
        timeout: 60,
        public_url: "https://api.example.com".to_owned(),
        settle: SettleWhen::BeforeResponse,
        unmatched: Unmatched::Pass,
    }
}

/// A charging rule; no price: an `allow` rule.
pub(crate) fn spec(id: &str, when: &str, price: &str) -> RuleSpec {
    let mut spec = RuleSpec::new(if price.is_empty() { Action::Allow } else { Action::Charge });
    spec.id = (!id.is_empty()).then(|| id.to_owned());
    spec.when = (!when.is_empty()).then(|| when.to_owned());
    spec.price = (!price.is_empty()).then(|| PriceSpec::Dollars(price.to_owned()));
    spec
}

pub(crate) fn build(specs: Vec<RuleSpec>) -> RuleSet {
    RuleSet::build(specs, market()).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Calls `with` with the facts of a request; `headers` are `name: value` lines.
pub(crate) fn request<T>(method: &str, path: &str, headers: &[(&str, &str)], with: impl FnOnce(&Facts<'_>) -> T) -> T {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    with(&Facts::new(Head {
        method,
        host: "api.example.com",
        path,
        query: None,
        raw_path: path,
        headers: &map,
        version: Version::HTTP_11,
        tls: true,
        src: IpAddr::from([203, 0, 113, 7]),
        now: NOW,
    }))
}
